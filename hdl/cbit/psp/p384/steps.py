"""The order in which the words of numbers go through the unit for P-384."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from cbit.psp.p384.numbers import NUMBER_WORDS, QUOTIENT_PLACE

__all__ = ["FINISH_PLACE", "STEP", "Steps"]

STEP = StructLayout({"valid": 1, "place": 3, "reduces": 1, "first_row": 1})
"""What is done in a cycle.

``place`` is that of a word of B; or, where it ``reduces``, of the modulus. Two places are beyond a number's: that of
the quotient, and :data:`FINISH_PLACE`, the last step of a product. ``first_row`` is that of A's first word.
"""

FINISH_PLACE = 7

_LAST_PLACE = NUMBER_WORDS - 1
_PLACE_BEFORE_QUOTIENT = 1


class Steps(wiring.Component):
    """Goes through the words once, or for a product through all words of B for each of A.

    After ``start``, six steps in the next six cycles; for a product 79 steps: for each word of A (a row), words 0 and 1
    of B, the quotient, words 2 to 5 of B, and the six words of the modulus, and once at the end the finish. The
    quotient comes third because it depends on the first, two cycles later.

    Members
    -------
    start : ``In(1)``
        Begins. Not before the last step of what was begun before.
    is_product : ``In(1)``
        Whether numbers are multiplied. Holds still.
    row : ``Out(range(6))``
        The word of A.
    step : ``Out(STEP)``
        The step.
    """

    start: In(1)
    is_product: In(1)
    row: Out(range(NUMBER_WORDS))
    step: Out(STEP)

    def elaborate(self, _platform) -> Module:
        m = Module()
        step, is_last_row = self.step, self.row == NUMBER_WORDS - 1
        place_after = Signal.like(step.place)
        m.d.comb += [
            place_after.eq(step.place + 1),
            step.first_row.eq(self.row == 0),
        ]
        with m.If(step.valid):
            m.d.sync += step.place.eq(place_after)
            with m.If(self.is_product & ~step.reduces & (step.place == _PLACE_BEFORE_QUOTIENT)):
                m.d.sync += step.place.eq(QUOTIENT_PLACE)
            with m.Elif(step.place == QUOTIENT_PLACE):
                m.d.sync += step.place.eq(_PLACE_BEFORE_QUOTIENT + 1)
            with m.Elif(step.place == _LAST_PLACE):
                ends = step.reduces & is_last_row
                m.d.sync += [
                    step.place.eq(Mux(ends, FINISH_PLACE, 0)),
                    step.reduces.eq(self.is_product & (~step.reduces | is_last_row)),
                    step.valid.eq(self.is_product),
                ]
                with m.If(step.reduces & ~is_last_row):
                    m.d.sync += self.row.eq(self.row + 1)
            with m.Elif(step.place == FINISH_PLACE):
                m.d.sync += [step.valid.eq(0), step.reduces.eq(0), self.row.eq(0)]
        with m.If(self.start):
            m.d.sync += [step.valid.eq(1), step.place.eq(0)]
        return m
