"""Parts of the unit for P-384: what they do by themselves."""

import random

import pytest
from amaranth.lib.data import Const

from cbit.psp.p384.assembler import assemble
from cbit.psp.p384.digit import Digit
from cbit.psp.p384.instruction import Condition, FlagRule, Instruction, Kind
from cbit.psp.p384.numbers import CONSTANT_WORDS, MODULI, PLACES, QUOTIENT_PLACE, Constant
from cbit.psp.p384.product import WordProduct
from cbit.psp.p384.programs import ENTRIES, MICROCODE, SCRATCH
from cbit.psp.p384.start import START, Operation, StartCheck
from cbit_model import p384
from cbit_model.p384_unit import Operation as ModelOperation
from cbit_sim.streams import simulate

CONDITIONS = {Condition.NEGATIVE: lambda digit: digit < 0, Condition.DIGIT_1: lambda digit: abs(digit) == 1,
              Condition.DIGIT_2: lambda digit: abs(digit) == 2, Condition.DIGIT_3: lambda digit: abs(digit) == 3,
              Condition.DIGIT_4: lambda digit: abs(digit) == 4}


def constant(modulus, which, count=6):
    start = (modulus * 8 + which.value) * PLACES
    return sum(word << 64 * place for place, word in enumerate(CONSTANT_WORDS[start:start + count]))


@pytest.mark.parametrize(("number", "modulus"), [(0, p384.P), (1, p384.N)])
def test_constants_are_what_montgomery_needs(number, modulus):
    assert MODULI[number] == constant(number, Constant.MODULUS) == modulus
    quotient = CONSTANT_WORDS[(number * 8 + Constant.MODULUS.value) * PLACES + QUOTIENT_PLACE]
    assert (quotient * modulus + 1) % 2**64 == 0
    assert constant(number, Constant.ZERO) == 0
    assert constant(number, Constant.ONE) == 1
    assert constant(number, Constant.R) == 2**384 % modulus
    assert constant(number, Constant.R2) == 2**768 % modulus
    assert constant(number, Constant.EXPONENT) == modulus - 2
    assert constant(number, Constant.CURVE_B) == (p384.B << 384) % modulus


def test_products_are_added_up():
    dut = WordProduct()
    rng = random.Random(64)
    ends = [0, 1, 2**64 - 1]
    factors = [(x, y) for x in ends for y in ends] + [(rng.getrandbits(64), rng.getrandbits(64)) for _ in range(50)]

    async def testbench(ctx):
        for x, y in factors:
            ctx.set(dut.x, x)
            ctx.set(dut.y, y)
            await ctx.tick()
            for addend, carry in ((0, 0), (2**128 - 1, 2**64 - 1), (rng.getrandbits(129), rng.getrandbits(65))):
                ctx.set(dut.addend, addend)
                ctx.set(dut.carry, carry)
                assert ctx.get(dut.total) == (x * y + addend + carry) % 2**129

    simulate(dut, testbench)


def test_digits_are_those_of_booth():
    dut = Digit()

    async def testbench(ctx):
        for bits in range(16):
            ctx.set(dut.clear, 1)
            await ctx.tick()
            ctx.set(dut.clear, 0)
            ctx.set(dut.shift, 1)
            for place in (3, 2, 1, 0):
                ctx.set(dut.bit, bits >> place & 1)
                await ctx.tick()
            ctx.set(dut.shift, 0)
            digit = -4 * (bits >> 3) + 2 * (bits >> 2 & 1) + (bits >> 1 & 1) + (bits & 1)
            for condition, holds in CONDITIONS.items():
                ctx.set(dut.condition, condition)
                # Of bits that are all ones, nothing is negative: either is right.
                if bits != 15 or condition is not Condition.NEGATIVE:
                    assert ctx.get(dut.holds) == holds(digit), (bits, condition)
            ctx.set(dut.condition, Condition.BIT)
            assert ctx.get(dut.holds) == bits & 1
            for flag in (0, 1):
                ctx.set(dut.flag, flag)
                for condition, wanted in ((Condition.FLAG, flag), (Condition.NOT_FLAG, 1 - flag)):
                    ctx.set(dut.condition, condition)
                    assert ctx.get(dut.holds) == wanted

    simulate(dut, testbench)


def test_only_operations_on_operands_may_start():
    dut = StartCheck()
    pairs = {Operation.POINT_MULTIPLY: "destination b", Operation.POINT_ADD: "destination a b", Operation.ON_CURVE: "a"}
    singles = {
        Operation.ADD: "destination a b", Operation.SUB: "destination a b", Operation.MUL: "destination a b",
        Operation.INVERT: "destination a", Operation.POINT_MULTIPLY: "a", Operation.LESS: "a",
        Operation.COPY: "destination a", Operation.REDUCE: "destination a"}

    async def testbench(ctx):
        for number in range(16):
            ctx.set(dut.request, {"operation": number, "modulus": 0, "destination": 0, "a": 0, "b": 0})
            assert ctx.get(dut.is_good) == (number <= 10)
            if number > 10:
                continue
            operation = Operation(number)
            for name in ("destination", "a", "b"):
                last = 30 if name in pairs.get(operation, "").split() else 31
                limit = last if name in (pairs.get(operation, "") + " " + singles.get(operation, "")).split() else 63
                for register in range(64):
                    ctx.set(dut.request[name], register)
                    assert ctx.get(dut.is_good) == (register <= limit), (operation, name, register)
                ctx.set(dut.request[name], 0)

    simulate(dut, testbench)


def test_operations_have_the_numbers_of_the_model():
    assert {entry.name: entry.value for entry in Operation} == {entry.name: entry.value for entry in ModelOperation}
    assert [entry.name.lower() for entry in Operation] == list(ENTRIES)
    assert START.size == 23


def decode(word):
    return Const(Instruction.as_shape(), word)


def test_a_line_becomes_the_instruction_that_it_says():
    text = """
    first:
        x = y - R2 ;flag &= zero    # why
        y = x if digit_3 else D1
        shift x
        repeat 384
    again:
        next again
        call first
        wipe from 32
        end
    """
    words = assemble(text, entries=("again",), scratch=("x", "y"))
    jump, sub, move, shift, repeat, again, call, wipe, end = (decode(word) for word in words)
    assert (jump.kind, jump.rest.number) == (Kind.JUMP, 5)
    assert (sub.kind, sub.flag) == (Kind.SUB, FlagRule.AND_ZERO)
    assert (sub.d.number, sub.d.is_named, sub.a.number) == (0, 0, 1)
    b = sub.rest.with_numbers.b
    assert (b.is_named, b.number) == (1, 16 + Constant.R2.value)
    move_rest = move.rest.with_numbers
    assert (move.kind, move.flag, move_rest.condition) == (Kind.MOVE, FlagRule.KEEP, Condition.DIGIT_3)
    assert (move_rest.b.is_named, move_rest.b.number) == (1, 1)
    assert (shift.kind, shift.d.number, shift.a.number, shift.rest.with_numbers.b.number) == (Kind.SHIFT, 0, 0, 0)
    assert (repeat.kind, repeat.rest.number) == (Kind.REPEAT, 384)
    assert (again.kind, again.rest.number, call.kind, call.rest.number) == (Kind.NEXT, 5, Kind.CALL, 1)
    assert (wipe.kind, wipe.rest.number, end.kind) == (Kind.WIPE, 32, Kind.END)


@pytest.mark.parametrize(("line", "error", "message"), [
    ("x + y", ValueError, "Line must be a known instruction, not 'x \\+ y'"),
    ("x = ONE + y", ValueError, "Constant must be the second operand, not ONE"),
    ("ONE = x + y", ValueError, "Constant must be the second operand, not ONE"),
    ("x = q + y", KeyError, "q"),
    ("x = x if odd else y", KeyError, "odd"),
    ("call nobody", KeyError, "nobody"),
    ("x = x + y ;flag = one", KeyError, "= one"),
])
def test_other_lines_are_refused(line, error, message):
    with pytest.raises(error, match=message):
        assemble(line, entries=(), scratch=("x", "y"))


def test_no_program_branches_on_a_number():
    """Instructions that tell the course have no condition; those with one write a number."""
    kinds = [decode(word).kind for word in MICROCODE]
    assert len(SCRATCH) <= 32
    assert {kind for kind in kinds if kind.value >= Kind.CALL.value} == {
        Kind.CALL, Kind.RETURN, Kind.JUMP, Kind.REPEAT, Kind.NEXT, Kind.WIPE, Kind.END}
