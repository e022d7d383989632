"""Pseudo-random bits, many in each cycle."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib.wiring import Component, In, Out

__all__ = ["RandomBits"]

WORD_BITS = 32
_GOLDEN = 0x9E3779B9
"""2^32 over the golden ratio: its multiples lie far from each other."""


def _next(word: Value) -> Value:
    """The step of Marsaglia's xorshift with 13, 17 and 5, whose period is all words but zero."""
    for shift in (13, -17, 5):
        moved = word << shift if shift > 0 else word >> -shift
        word = (word ^ moved)[:WORD_BITS]
    return word


class RandomBits(Component):
    """As many new bits as are asked for in each cycle with ``advance``, the same ones for the same seed.

    Each 32 bits are a generator of their own (G. Marsaglia, "Xorshift RNGs", 2003), with a seed made of ``seed``
    and of its number. They are no secret and no key.

    Parameters
    ----------
    width : :class:`int`
        Bits.
    first : :class:`int`
        Number of the first generator, so that several components do not draw the same.

    Members
    -------
    seed : ``In(32)``
    load : ``In(1)``
        Begins anew with ``seed``.
    advance : ``In(1)``
        Other bits in the next cycle.
    o : ``Out(width)``
        From registers.
    """

    def __init__(self, *, width: int, first: int) -> None:
        self.width = width
        self.first = first
        self.words = -(-width // WORD_BITS)
        super().__init__({"seed": In(WORD_BITS), "load": In(1), "advance": In(1), "o": Out(width)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        words = []
        for number in range(self.first, self.first + self.words):
            start = (number + 1) * _GOLDEN % (1 << WORD_BITS)
            word, mixed = Signal(WORD_BITS, init=start, name=f"word{number}"), Signal(WORD_BITS, name=f"mixed{number}")
            m.d.comb += mixed.eq(self.seed ^ start)
            with m.If(self.load):
                m.d.sync += word.eq(Mux(mixed == 0, start, mixed))
            with m.Elif(self.advance):
                m.d.sync += word.eq(_next(word))
            words.append(word)
        m.d.comb += self.o.eq(Cat(words))
        return m
