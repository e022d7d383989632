"""Points in the unit for P-384: sums and multiples of all kinds, in the same cycles."""

import random

import pytest

from cbit_model import p384
from cbit_model.p384 import BASE, INFINITY, Point
from cbit_model.p384_unit import Operation

MULTIPLY_CYCLES, ADD_CYCLES, ON_CURVE_CYCLES = 971_750, 88_324, 942
"""As the README tells them."""


def some_points(count):
    rng = random.Random(3)
    return [p384.multiply(rng.randrange(p384.N), BASE) for _ in range(count)]


def load_point(unit, register, point):
    unit.load(register, point.x)
    unit.load(register + 1, point.y)


def read_point(unit, register):
    return Point(unit.number(register), unit.number(register + 1))


def multiply(unit, number, point):
    load_point(unit, 1, point)
    unit.load(0, number)
    flag = unit.run(Operation.POINT_MULTIPLY, destination=4, a=0, b=1)
    assert unit.cycles == MULTIPLY_CYCLES
    assert (unit.number(0), read_point(unit, 1)) == (number, point)
    assert not any(unit.number(register) for register in range(32, 64))
    result = read_point(unit, 4)
    assert flag == (result == INFINITY)
    return result


def add(unit, first, second):
    load_point(unit, 1, first)
    load_point(unit, 3, second)
    flag = unit.run(Operation.POINT_ADD, destination=6, a=1, b=3)
    assert unit.cycles == ADD_CYCLES
    assert not any(unit.number(register) for register in range(32, 64))
    result = read_point(unit, 6)
    assert flag == (result == INFINITY)
    return result


def test_multiples_of_the_base(unit):
    for number in (0, 1, 2, 3, 4, p384.N - 1, p384.N, p384.N + 1, 2**384 - 1, 2**383, int("1" * 128, 8),
                   int("3" * 128, 8)):
        assert multiply(unit, number, BASE) == p384.multiply(number, BASE), hex(number)


def test_multiples_of_other_points(unit):
    rng = random.Random(4)
    for point in (*some_points(2), INFINITY):
        number = rng.getrandbits(384)
        assert multiply(unit, number, point) == p384.multiply(number, point)
    assert multiply(unit, 0, INFINITY) == INFINITY


def test_sums_of_all_kinds(unit):
    first, second = some_points(2)
    double = p384.add(first, first)
    for one in (first, p384.negative(first), INFINITY):
        for other in (first, p384.negative(first), second, double, p384.negative(double), INFINITY):
            assert add(unit, one, other) == p384.add(one, other)


def test_a_point_may_replace_another(unit):
    first, second = some_points(2)
    for destination in range(4):
        load_point(unit, 0, first)
        load_point(unit, 2, second)
        unit.run(Operation.POINT_ADD, destination=destination, a=0, b=2)
        assert read_point(unit, destination) == p384.add(first, second)
    unit.load(0, 5)
    load_point(unit, 1, second)
    unit.run(Operation.POINT_MULTIPLY, destination=0, a=0, b=1)
    assert read_point(unit, 0) == p384.multiply(5, second)


def test_points_are_those_of_p_whatever_the_modulus(unit):
    load_point(unit, 0, BASE)
    assert not unit.run(Operation.ON_CURVE, modulus=1, a=0)
    unit.run(Operation.POINT_ADD, modulus=1, destination=2, a=0, b=0)
    assert read_point(unit, 2) == p384.add(BASE, BASE)


def x_without_a_point():
    return next(x for x in range(1, 99) if pow(x**3 - 3 * x + p384.B, (p384.P - 1) // 2, p384.P) == p384.P - 1)


def test_only_points_are_on_the_curve(unit):
    root = pow(p384.B, (p384.P + 1) // 4, p384.P)
    on_curve = [BASE, p384.negative(BASE), *some_points(3)]
    if root * root % p384.P == p384.B:
        on_curve.append(Point(0, root))
    others = [
        INFINITY, Point(BASE.x, BASE.y ^ 1), Point(BASE.x ^ 1 << 383, BASE.y), Point(BASE.y, BASE.x), Point(0, 1),
        Point(x_without_a_point(), 2), Point(p384.P, root), Point(BASE.x, 2**384 - 1), Point(2**384 - 1, 2**384 - 1),
        *(Point(small.x + p384.P, small.y) for small in small_points()),
        *(Point(small.y, small.x + p384.P) for small in small_points())]
    for point in (*on_curve, *others):
        load_point(unit, 8, point)
        assert unit.run(Operation.ON_CURVE, a=8) == (not p384.is_on_curve(point)) == (point in others)
        assert unit.cycles == ON_CURVE_CYCLES
        assert read_point(unit, 8) == point


def small_points():
    """Points whose x has another number of 384 bits that is the same modulo p."""
    for x in range(1, 50):
        y = pow(x**3 - 3 * x + p384.B, (p384.P + 1) // 4, p384.P)
        if p384.is_on_curve(Point(x, y)):
            yield Point(x, y)


@pytest.mark.slow
def test_many_multiples(unit):
    rng = random.Random(5)
    for _ in range(200):
        point, number = p384.multiply(rng.randrange(p384.N), BASE), rng.getrandbits(384)
        assert multiply(unit, number, point) == p384.multiply(number, point)
