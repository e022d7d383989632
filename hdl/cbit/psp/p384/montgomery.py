"""Montgomery's product, a product of words a cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.psp.p384.numbers import NUMBER_WORDS, QUOTIENT_PLACE, WORD_BITS
from cbit.psp.p384.product import WordProduct
from cbit.psp.p384.reduction import PLACED_WORD
from cbit.psp.p384.steps import FINISH_PLACE, STEP

__all__ = ["MontgomerySum"]

_LAST_PLACE = NUMBER_WORDS - 1


class MontgomerySum(wiring.Component):
    """Adds up the products of a row, and of the quotient and the modulus, a word lower.

    A row adds a word of A times B to the sum, and then the multiple of the modulus that makes its lowest word zero,
    which is dropped: Koc, Acar, Kaliski 1996, CIOS. After six rows the sum is A * B / 2^384 modulo m, and below 2 m
    where one of both is below m.

    Latency: a cycle from ``step`` to ``low`` and ``o``, none to ``kept_place``.

    Members
    -------
    step : ``In(STEP)``
        What is done with ``x`` and ``y``.
    x : ``In(64)``
        The word of A. With the quotient's step what ``low`` was of the first; where it ``reduces``, ``quotient``.
    y : ``In(64)``
        The word of B, or of the modulus, or -1/m for the quotient.
    low : ``Out(64)``
        Of the step before, the lower word of the sum.
    quotient : ``Out(64)``
        By what the modulus is multiplied; three cycles after its step.
    kept_place, kept
        The word of the sum at a place, as it was last given by ``o``.
    o : ``Out(PLACED_WORD)``
        A word of the sum.
    is_last : ``Out(1)``
        It is the last of the product.
    overflow : ``Out(1)``
        From then on, the bit above.
    """

    step: In(STEP)
    x: In(WORD_BITS)
    y: In(WORD_BITS)
    low: Out(WORD_BITS)
    quotient: Out(WORD_BITS)
    kept_place: Out(range(NUMBER_WORDS))
    kept: In(WORD_BITS)
    o: Out(PLACED_WORD)
    is_last: Out(1)
    overflow: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.product = product = WordProduct()
        step = Signal(STEP)
        is_first, is_last_place = step.place == 0, step.place == _LAST_PLACE
        is_quotient, is_finish = step.place == QUOTIENT_PLACE, step.place == FINISH_PLACE
        carry, top = Signal(WORD_BITS + 1), Signal(WORD_BITS + 1)
        m.d.comb += [
            product.x.eq(self.x),
            product.y.eq(self.y),
            product.carry.eq(Mux(is_first | is_quotient, 0, carry)),
            self.low.eq(product.total[:WORD_BITS]),
            self.o.word.eq(Mux(is_finish, top[:WORD_BITS], self.low)),
            self.o.place.eq(Mux(is_finish, _LAST_PLACE, Mux(step.reduces, step.place - 1, step.place))),
            self.o.valid.eq(step.valid & ~is_quotient & ~(step.reduces & is_first)),
            self.is_last.eq(step.valid & is_finish),
            self.overflow.eq(top[-1]),
        ]
        m.d.sync += [step.eq(self.step), product.addend.eq(self._kept(m, top))]
        with m.If(step.valid & is_quotient):
            m.d.sync += self.quotient.eq(self.low)
        with m.Elif(step.valid & ~is_finish):
            m.d.sync += carry.eq(product.total[WORD_BITS:])
            with m.If(is_last_place):
                m.d.sync += top.eq(product.total[WORD_BITS:])
        return m

    def _kept(self, m: Module, top: Signal) -> Value:
        """What the product of the step is added to.

        The sum's highest word is in ``top`` between two rows, and above the word that is kept within a row.
        """
        step, is_last_place = self.step, self.step.place == _LAST_PLACE
        is_alone = (step.first_row & ~step.reduces) | (step.place == QUOTIENT_PLACE)
        within = Cat(self.kept, Mux(is_last_place, top, 0))
        m.d.comb += self.kept_place.eq(step.place)
        return Mux(is_alone, 0, Mux(is_last_place & ~step.reduces, top, within))
