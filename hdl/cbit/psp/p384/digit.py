"""A digit of a number, from its bits."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.psp.p384.instruction import Condition

__all__ = ["Digit"]

_BITS = 4


class Digit(wiring.Component):
    """The last four bits of a number as a digit -4 to 4: -4, 2, 1 and 1 times them (Booth 1951, of radix 8).

    With three more bits of a number at a time, and a zero behind its last, each digit is worth 8 of the next.

    Members
    -------
    clear : ``In(1)``
        Forgets all bits.
    shift : ``In(1)``
        Takes one more.
    bit : ``In(1)``
        The bit.
    condition : ``In(Condition)``
        What is asked.
    flag : ``In(1)``
        The flag, which may be asked for, too.
    holds : ``Out(1)``
        Whether it is so. Latency: none.
    """

    clear: In(1)
    shift: In(1)
    bit: In(1)
    condition: In(Condition)
    flag: In(1)
    holds: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        bits, size = Signal(_BITS), Signal(range(5))
        negative = bits[-1]
        m.d.comb += size.eq(((bits[:-1] ^ negative.replicate(_BITS - 1)) + 1) >> 1)
        with m.Switch(self.condition):
            with m.Case(Condition.FLAG):
                m.d.comb += self.holds.eq(self.flag)
            with m.Case(Condition.NOT_FLAG):
                m.d.comb += self.holds.eq(~self.flag)
            with m.Case(Condition.NEGATIVE):
                m.d.comb += self.holds.eq(negative)
            with m.Case(Condition.BIT):
                m.d.comb += self.holds.eq(bits[0])
            for value, condition in enumerate((Condition.DIGIT_1, Condition.DIGIT_2, Condition.DIGIT_3,
                                               Condition.DIGIT_4), 1):
                with m.Case(condition):
                    m.d.comb += self.holds.eq(size == value)
        with m.If(self.shift):
            m.d.sync += bits.eq(Cat(self.bit, bits))
        with m.If(self.clear):
            m.d.sync += bits.eq(0)
        return m
