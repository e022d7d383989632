"""What a microinstruction of the unit for P-384 says."""

from amaranth.lib import data, enum
from amaranth.lib.data import StructLayout

__all__ = ["OPERAND", "Condition", "FlagRule", "Instruction", "Kind", "Named"]


class Kind(enum.Enum, shape=4):
    """What an instruction does: from 8 on with the course of the program, else with numbers."""

    ADD = 0
    SUB = 1
    MUL = 2
    """Montgomery's product: A * B / 2^384 mod m."""
    MOVE = 3
    """A if the condition holds, else B."""
    SHIFT = 4
    """A + B without regard to m; the carry is the next bit of ``condition``'s."""
    CALL = 8
    RETURN = 9
    JUMP = 10
    REPEAT = 11
    NEXT = 12
    """Goes back as often as REPEAT has said."""
    WIPE = 13
    END = 14


class Named(enum.Enum, shape=3):
    """Registers that P384_START names."""

    D = 0
    D1 = 1
    A = 2
    A1 = 3
    B = 4
    B1 = 5


OPERAND = StructLayout({"number": 5, "is_named": 1})
"""A register of scratch; or of those that are named, or a constant from 16 on."""


class Condition(enum.Enum, shape=3):
    """On what a MOVE depends: the flag, or the bits that SHIFT has brought out, or the digit that they are."""

    FLAG = 0
    NOT_FLAG = 1
    NEGATIVE = 2
    BIT = 3
    DIGIT_1 = 4
    DIGIT_2 = 5
    DIGIT_3 = 6
    DIGIT_4 = 7


class FlagRule(enum.Enum, shape=3):
    """What becomes of the flag."""

    KEEP = 0
    ZERO = 1
    """Whether the result is zero."""
    AND_ZERO = 2
    OR_NONZERO = 3
    OR_REDUCED = 4
    """Or whether the sum was not below m."""


class Instruction(data.Struct):
    """A microinstruction. ``number`` is of those that tell the course: where to go, or how often."""

    kind: Kind
    flag: FlagRule
    d: OPERAND
    a: OPERAND
    rest: data.UnionLayout({"with_numbers": StructLayout({"b": OPERAND, "condition": Condition}), "number": 9})
