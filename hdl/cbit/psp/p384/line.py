"""Sums, differences and choices of two numbers, a word a cycle."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.psp.p384.instruction import Kind
from cbit.psp.p384.numbers import NUMBER_WORDS, WORD_BITS
from cbit.psp.p384.reduction import PLACED_WORD
from cbit.psp.p384.steps import STEP

__all__ = ["WordLine"]


class WordLine(wiring.Component):
    """The words of A + B, A - B or one of both.

    Latency: none to ``o``.

    Members
    -------
    kind : ``In(Kind)``
        What; all but SUB and MOVE add.
    choice : ``In(1)``
        Whether MOVE takes A.
    step : ``In(STEP)``
    x, y : ``In(64)``
        The words of A and B.
    o : ``Out(PLACED_WORD)``
        The word of the result.
    is_last : ``Out(1)``
        It is the last.
    carry : ``Out(1)``
        From the cycle after the last on, what A + B carries; of A - B, that it is not negative.
    """

    kind: In(Kind)
    choice: In(1)
    step: In(STEP)
    x: In(WORD_BITS)
    y: In(WORD_BITS)
    o: Out(PLACED_WORD)
    is_last: Out(1)
    carry: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        is_difference, is_first = self.kind == Kind.SUB, self.step.place == 0
        total = Signal(WORD_BITS + 1)
        m.d.comb += [
            total.eq(self.x + (self.y ^ is_difference.replicate(WORD_BITS)) + Mux(is_first, is_difference, self.carry)),
            self.o.valid.eq(self.step.valid),
            self.o.place.eq(self.step.place),
            self.o.word.eq(Mux(self.kind == Kind.MOVE, Mux(self.choice, self.x, self.y), total)),
            self.is_last.eq(self.step.valid & (self.step.place == NUMBER_WORDS - 1)),
        ]
        with m.If(self.step.valid):
            m.d.sync += self.carry.eq(total[-1])
        return m
