"""The model's P-384 against OpenSSL, and the unit's operations against each other."""

import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cbit_model import p384
from cbit_model.p384 import Point
from cbit_model.p384_unit import Operation, P384Unit


def public(number):
    """A public key by OpenSSL."""
    numbers = ec.derive_private_key(number, ec.SECP384R1()).public_key().public_numbers()
    return Point(numbers.x, numbers.y)


def secrets(count):
    rng = random.Random(384)
    return [1, 2, 3, p384.N - 1, p384.N - 2, *(rng.randrange(1, p384.N) for _ in range(count))]


@pytest.mark.parametrize("number", secrets(5))
def test_multiples_of_the_base_are_those_of_openssl(number):
    point = p384.multiply(number, p384.BASE)
    assert point == public(number)
    assert p384.is_on_curve(point)


def test_a_shared_secret_is_that_of_openssl():
    mine, other = secrets(2)[-2:]
    ours = ec.derive_private_key(mine, ec.SECP384R1())
    theirs = ec.derive_private_key(other, ec.SECP384R1()).public_key()
    assert p384.multiply(mine, public(other)).x == int.from_bytes(ours.exchange(ec.ECDH(), theirs), "big")


def test_sums_are_multiples():
    base = p384.BASE
    for first, second in ((1, 1), (1, 2), (5, 7), (p384.N - 1, 3)):
        total = p384.add(p384.multiply(first, base), p384.multiply(second, base))
        assert total == public((first + second) % p384.N)
    assert p384.add(base, p384.negative(base)) == p384.INFINITY
    assert p384.add(p384.INFINITY, base) == p384.add(base, p384.INFINITY) == base
    assert p384.add(p384.INFINITY, p384.INFINITY) == p384.INFINITY


@pytest.mark.parametrize("number", [0, p384.N, 2 * p384.N])
def test_multiples_of_the_order_are_infinity(number):
    assert p384.multiply(number, p384.BASE) == p384.INFINITY


@pytest.mark.parametrize("point", [
    p384.INFINITY, Point(p384.BASE.x, p384.BASE.y + 1), Point(p384.BASE.x + p384.P, p384.BASE.y),
    Point(p384.BASE.x, p384.BASE.y + p384.P)])
def test_points_that_are_not_on_the_curve(point):
    assert not p384.is_on_curve(point)


@pytest.mark.parametrize("modulus", [p384.P, p384.N])
def test_inverses(modulus):
    for number in secrets(3):
        assert number * p384.inverse(number, modulus) % modulus == 1
    assert p384.inverse(0, modulus) == 0


def test_the_unit_does_what_its_operations_say():
    unit = P384Unit()
    unit.registers[:5] = [5, 3, *p384.BASE, p384.N]
    assert not unit.run(Operation.SUB, destination=5, a=1, b=0)
    assert unit.registers[5] == p384.P - 2
    assert not unit.run(Operation.INVERT, modulus=p384.N, destination=6, a=0)
    assert not unit.run(Operation.MUL, modulus=p384.N, destination=6, a=6, b=0)
    assert unit.registers[6] == 1
    assert unit.run(Operation.REDUCE, modulus=p384.N, destination=6, a=4)
    assert unit.run(Operation.LESS, modulus=p384.N, a=4)
    assert not unit.run(Operation.LESS, modulus=p384.P, a=4)
    assert not unit.run(Operation.ON_CURVE, a=2)
    assert unit.run(Operation.ON_CURVE, a=1)
    assert unit.run(Operation.POINT_MULTIPLY, destination=8, a=4, b=2)
    assert not unit.run(Operation.POINT_ADD, destination=8, a=8, b=2)
    assert tuple(unit.registers[8:10]) == p384.BASE
    assert not unit.run(Operation.COPY, destination=10, a=4)
    assert unit.registers[10] == p384.N
    assert not unit.run(Operation.ADD, destination=11, a=0, b=1)
    assert unit.registers[11] == 8
    unit.run(Operation.WIPE)
    assert not any(unit.registers)


def test_the_unit_refuses_what_it_must_not_be_given():
    unit = P384Unit()
    unit.registers[1] = p384.N
    with pytest.raises(ValueError, match="Register must be 0 to 31, not 32"):
        unit.run(Operation.COPY, destination=32)
    with pytest.raises(ValueError, match="Register must be 0 to 31, not 32"):
        unit.run(Operation.ON_CURVE, a=31)
    with pytest.raises(ValueError, match="Operand must be below the modulus, not 0xf"):
        unit.run(Operation.ADD, modulus=p384.N, a=0, b=1)
