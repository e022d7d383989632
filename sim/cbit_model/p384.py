"""The curve P-384 on plain integers: SP 800-186, 3.2.1.4 for its numbers, SEC 1, 2.2.1 for the sum of two points."""

from typing import NamedTuple

__all__ = ["BASE", "INFINITY", "B", "N", "P", "Point", "add", "inverse", "is_on_curve", "multiply", "negative"]

P = 2**384 - 2**128 - 2**96 + 2**32 - 1
"""The prime of the field."""

N = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973
"""The order of the group."""

B = 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef
"""Of the equation y^2 = x^3 - 3x + b."""


class Point(NamedTuple):
    """An affine point of the curve, or (0, 0), which is not on it and stands for infinity."""

    x: int
    y: int


INFINITY = Point(0, 0)
"""The neutral element."""

BASE = Point(0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
             0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f)
"""The generator G."""


def inverse(number: int, modulus: int) -> int:
    """The inverse modulo a prime; 0 of multiples of it."""
    return pow(number, modulus - 2, modulus)


def is_on_curve(point: Point) -> bool:
    """Whether both coordinates are canonical and the equation holds. Infinity is not."""
    canonical = 0 <= point.x < P and 0 <= point.y < P
    return canonical and (point.y**2 - point.x**3 + 3 * point.x - B) % P == 0


def negative(point: Point) -> Point:
    """The point that with this one adds up to infinity."""
    return Point(point.x, -point.y % P)


def add(first: Point, second: Point) -> Point:
    """The sum of two points."""
    if INFINITY in (first, second):
        return second if first == INFINITY else first
    if first == negative(second):
        return INFINITY
    if first == second:
        slope = (3 * first.x**2 - 3) * inverse(2 * first.y, P) % P
    else:
        slope = (second.y - first.y) * inverse(second.x - first.x, P) % P
    x = (slope**2 - first.x - second.x) % P
    return Point(x, (slope * (first.x - x) - first.y) % P)


def multiply(number: int, point: Point) -> Point:
    """The sum of so many of a point."""
    total = INFINITY
    for bit in f"{number:b}":
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total
