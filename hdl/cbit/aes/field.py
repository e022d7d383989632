"""Arithmetic of GF(2^8) and of linear maps over GF(2), for what is computed before there is gateware.

A polynomial over GF(2) is an integer: bit *i* is the coefficient of x^i. A linear map of eight bits is a
tuple of columns: column *i* is the image of bit *i*. Transposed, it is a tuple of rows: bit *i* of the image
is the parity of the bits that row *i* has in common with the value.
"""

import functools
from collections.abc import Callable, Iterable

__all__ = ["AFFINE", "AFFINE_CONSTANT", "POLYNOMIAL", "LinearMap", "apply", "compose", "invert", "linear_map",
           "multiply", "sbox_table", "transpose"]

POLYNOMIAL = 0x11B
"""x^8 + x^4 + x^3 + x + 1 (FIPS 197, 4.2)."""

AFFINE_CONSTANT = 0x63
"""The constant of the S-box's affine transformation (FIPS 197, 5.1.1)."""

LinearMap = tuple[int, ...]


def multiply(a: int, b: int, polynomial: int = POLYNOMIAL) -> int:
    """The product of two field elements modulo ``polynomial``."""
    top = 1 << (polynomial.bit_length() - 1)
    product = 0
    while b:
        if b & 1:
            product ^= a
        b >>= 1
        a <<= 1
        if a & top:
            a ^= polynomial
    return product


def linear_map(function: Callable[[int], int]) -> LinearMap:
    """The map of eight bits that a linear ``function`` computes."""
    return tuple(function(1 << bit) for bit in range(8))


def apply(matrix: LinearMap, value: int) -> int:
    """``matrix`` times ``value``."""
    result = 0
    for bit, column in enumerate(matrix):
        if value >> bit & 1:
            result ^= column
    return result


def compose(outer: LinearMap, inner: LinearMap) -> LinearMap:
    """The map that is ``inner``, then ``outer``."""
    return tuple(apply(outer, column) for column in inner)


def invert(matrix: LinearMap) -> LinearMap:
    """The inverse of an invertible map."""
    preimages = {apply(matrix, value): value for value in range(256)}
    return linear_map(preimages.__getitem__)


def transpose(lines: Iterable[int], count: int = 8) -> tuple[int, ...]:
    """The ``count`` rows of a map's columns, or its columns of rows."""
    lines = tuple(lines)
    return tuple(sum((line >> bit & 1) << i for i, line in enumerate(lines)) for bit in range(count))


def _rotations(value: int, counts: Iterable[int]) -> int:
    result = 0
    for count in counts:
        result ^= (value << count | value >> (8 - count)) & 0xFF
    return result


AFFINE = linear_map(lambda value: _rotations(value, range(5)))
"""The matrix of the S-box's affine transformation: bit *i* is b[i] + b[i+4] + ... + b[i+7] (FIPS 197, 5.1.1)."""


@functools.cache
def sbox_table() -> tuple[int, ...]:
    """The S-box (FIPS 197, 5.1.1): the image of each byte."""
    inverses = {a: b for a in range(256) for b in range(256) if multiply(a, b) == 1} | {0: 0}
    return tuple(apply(AFFINE, inverses[value]) ^ AFFINE_CONSTANT for value in range(256))
