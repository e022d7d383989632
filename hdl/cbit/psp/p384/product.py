"""Products of words, added up."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.psp.p384.numbers import WORD_BITS

__all__ = ["ADDEND_BITS", "WordProduct"]

_DIGIT_BITS = 16
"""Bits that are multiplied at once: 16 products of 16 x 16 bits, which a multiplier of ECP5 does each."""

_DIGITS = WORD_BITS // _DIGIT_BITS

ADDEND_BITS = 2 * WORD_BITS + 1
"""Bits of a product of words and of what is added to it."""


class WordProduct(wiring.Component):
    """``total`` = x * y + addend + carry, of the x and y in the cycle before.

    Latency: one cycle from ``x`` and ``y``, none from ``addend`` and ``carry``. Throughput: one a cycle.

    Members
    -------
    x, y : ``In(64)``
        Factors.
    addend : ``In(129)``
    carry : ``In(65)``
    total : ``Out(129)``
        Modulo 2^129.
    """

    x: In(WORD_BITS)
    y: In(WORD_BITS)
    addend: In(ADDEND_BITS)
    carry: In(WORD_BITS + 1)
    total: Out(ADDEND_BITS)

    def elaborate(self, _platform) -> Module:
        m = Module()
        rows = [Signal(WORD_BITS + _DIGIT_BITS, name=f"row{number}") for number in range(_DIGITS)]
        for number, row in enumerate(rows):
            digit = self.y.word_select(number, _DIGIT_BITS)
            products = []
            for place in range(_DIGITS):
                product = Signal(2 * _DIGIT_BITS, name=f"product{number}_{place}")
                m.d.comb += product.eq(self.x.word_select(place, _DIGIT_BITS) * digit)
                products.append(product)
            # Every second product lies beside the one before it.
            m.d.sync += row.eq(Cat(products[0::2]) + (Cat(products[1::2]) << _DIGIT_BITS))
        low = Signal(WORD_BITS + 2 * _DIGIT_BITS + 1)
        high = Signal.like(low)
        others = Signal(ADDEND_BITS)
        m.d.comb += [
            low.eq(rows[0] + (rows[1] << _DIGIT_BITS)),
            high.eq(rows[2] + (rows[3] << _DIGIT_BITS)),
            others.eq(self.addend + self.carry),
            self.total.eq((low + (high << 2 * _DIGIT_BITS)) + others),
        ]
        return m
