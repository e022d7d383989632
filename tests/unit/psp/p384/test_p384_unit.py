"""The unit for P-384 as the processor sees it, against the model."""

import random

import pytest

from cbit.psp.p384.unit import P384
from cbit_model import p384
from cbit_model.p384_unit import Operation, P384Unit
from cbit_sim.p384_port import P384Port, RefusedError

MODULI = (p384.P, p384.N)
BOTH_MODULI = pytest.mark.parametrize("modulus", [0, 1])
NUMBERS = (Operation.ADD, Operation.SUB, Operation.MUL, Operation.LESS, Operation.COPY, Operation.REDUCE)
CYCLES = {Operation.ADD: 22, Operation.SUB: 22, Operation.MUL: 206, Operation.INVERT: 85_848, Operation.LESS: 40,
          Operation.COPY: 22, Operation.REDUCE: 22}
"""As the README tells them."""


def edges(modulus):
    return [0, 1, 2, modulus - 1, modulus - 2, 2**383, 2**64 - 1, 2**384 % modulus]


def raw_edges(modulus):
    return [*edges(modulus), modulus, modulus + 1, 2**384 - 1]


def check(unit, operation, modulus, a, b, *, destination=5, registers=(3, 4)):
    """Does an operation in unit and model, compares flags and results, and sees that no other register has changed."""
    model = P384Unit()
    for register, number in zip(registers, (a, b)):
        model.registers[register] = number
        unit.load(register, number)
    neighbors = (destination - 1, destination + 1)
    before = [unit.number(register) for register in neighbors]
    flag = model.run(operation, modulus=MODULI[modulus], destination=destination, a=registers[0], b=registers[1])
    assert unit.run(operation, modulus=modulus, destination=destination, a=registers[0], b=registers[1]) == flag
    assert unit.cycles == CYCLES[operation]
    if operation is not Operation.LESS:
        assert unit.number(destination) == model.registers[destination], (operation, hex(a), hex(b))
    assert [unit.number(register) for register in neighbors] == before
    return flag


@BOTH_MODULI
@pytest.mark.parametrize("operation", [Operation.ADD, Operation.SUB, Operation.MUL])
def test_sums_and_products(unit, operation, modulus):
    rng = random.Random(operation)
    for a in edges(MODULI[modulus]):
        for b in edges(MODULI[modulus]):
            check(unit, operation, modulus, a, b)
    for _ in range(100):
        check(unit, operation, modulus, rng.randrange(MODULI[modulus]), rng.randrange(MODULI[modulus]))


@BOTH_MODULI
@pytest.mark.parametrize("operation", [Operation.LESS, Operation.COPY, Operation.REDUCE])
def test_any_number_is_compared_copied_and_reduced(unit, operation, modulus):
    rng = random.Random(operation)
    flags = {check(unit, operation, modulus, a, 0) for a in raw_edges(MODULI[modulus])}
    assert flags == {False, True}
    for _ in range(20):
        check(unit, operation, modulus, rng.getrandbits(384), 0)


@BOTH_MODULI
def test_any_numbers_are_multiplied(unit, modulus):
    m = MODULI[modulus]
    for a in (m, m + 1, 2**384 - 1):
        for b in raw_edges(m):
            for register, number in ((0, a), (1, b)):
                unit.load(register, number)
            unit.run(Operation.MUL, modulus=modulus, destination=2, a=0, b=1)
            assert unit.number(2) == a * b % m
            unit.run(Operation.MUL, modulus=modulus, destination=2, a=1, b=0)
            assert unit.number(2) == a * b % m


@BOTH_MODULI
def test_inverses(unit, modulus):
    rng = random.Random(modulus)
    for number in (*raw_edges(MODULI[modulus]), rng.randrange(MODULI[modulus])):
        check(unit, Operation.INVERT, modulus, number, 0)
        assert not any(unit.number(register) for register in range(32, 64))


@BOTH_MODULI
def test_a_result_may_replace_an_operand(unit, modulus):
    for operation in (Operation.ADD, Operation.SUB, Operation.MUL):
        for destination, b in ((0, 1), (1, 1), (0, 0)):
            unit.load(0, 5)
            unit.load(1, 7)
            second = (5, 7)[b]
            unit.run(operation, modulus=modulus, destination=destination, a=0, b=b)
            wanted = {Operation.ADD: 5 + second, Operation.SUB: 5 - second, Operation.MUL: 5 * second}[operation]
            assert unit.number(destination) == wanted % MODULI[modulus]


def test_every_register_is_its_own(unit):
    rng = random.Random(64)
    numbers = [rng.getrandbits(384) for _ in range(64)]
    for register, number in enumerate(numbers):
        unit.load(register, number)
    assert [unit.number(register) for register in range(64)] == numbers
    for word in range(12, 16):
        assert unit.read_word(16 * 9 + word) == 0
        unit.write_word(16 * 9 + word, 0xffff_ffff)
        assert unit.read_word(16 * 9 + word) == 0
    assert [unit.number(register) for register in range(64)] == numbers


def test_a_byte_is_written_alone(unit):
    unit.load(7, (1 << 384) - 1)
    number = (1 << 384) - 1
    for byte in range(48):
        unit.write_word(16 * 7 + byte // 4, 0x11223344, strobe=1 << byte % 4)
        value = (0x44, 0x33, 0x22, 0x11)[byte % 4]
        number = number & ~(0xff << 8 * byte) | value << 8 * byte
        assert unit.number(7) == number


def test_starts_are_refused(unit):
    for numbers in ({"operation": 11}, {"operation": 15}, {"operation": Operation.ADD, "destination": 32},
                    {"operation": Operation.MUL, "a": 63}, {"operation": Operation.SUB, "b": 32},
                    {"operation": Operation.POINT_ADD, "a": 31}, {"operation": Operation.ON_CURVE, "a": 31},
                    {"operation": Operation.POINT_MULTIPLY, "destination": 31}):
        with pytest.raises(RefusedError):
            unit.start(**numbers)
        assert not unit.is_busy
    unit.start(Operation.INVERT)
    for operation in Operation:
        with pytest.raises(RefusedError):
            unit.start(operation)
    unit.wait()
    unit.start(Operation.COPY)
    assert unit.is_busy


def test_while_busy_the_window_is_shut(unit):
    unit.load(1, 0x1234)
    unit.load(2, 77)
    unit.start(Operation.INVERT, destination=2, a=1)
    rng = random.Random(2)
    reads = 0
    while unit.is_busy:
        assert unit.read_word(rng.randrange(1024)) == 0
        unit.write_word(rng.randrange(1024), 0xffff_ffff)
        reads += 1
    assert reads > 10_000
    assert unit.number(1) == 0x1234
    assert unit.number(2) == p384.inverse(0x1234, p384.P)
    assert not any(unit.number(register) for register in range(64) if register not in (1, 2))


def test_wipe_leaves_zeros(unit):
    rng = random.Random(10)
    for register in range(64):
        unit.load(register, rng.getrandbits(384))
    unit.run(Operation.SUB, destination=3, a=3, b=4)
    assert not unit.run(Operation.WIPE)
    assert unit.cycles == 612
    assert not any(unit.number(register) for register in range(64))


@pytest.mark.parametrize("cycles", [0, 1, 40, 1000, 70_000])
def test_a_reset_wipes_whatever_was_under_way(unit, cycles):
    rng = random.Random(cycles)
    for register in range(64):
        unit.load(register, rng.getrandbits(384))
    unit.start(Operation.INVERT, destination=1, a=2)
    unit.component.step(cycles)
    unit.reset()
    assert unit.cycles == 612
    assert not unit.flag
    assert not any(unit.number(register) for register in range(64))
    unit.load(0, 3)
    unit.run(Operation.MUL, destination=1, a=0, b=0)
    assert unit.number(1) == 9


def test_no_power_on_state_survives():
    for seed in range(3):
        unit = P384Port(P384(), seed=seed)
        assert unit.cycles == 612
        assert not any(unit.number(register) for register in range(64))
        unit.component.close()
