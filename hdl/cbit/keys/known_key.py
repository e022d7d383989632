"""The keys of the self-test, word by word."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Out

from cbit.aes.known_answer import known_answer

__all__ = ["KnownKey"]


class KnownKey(wiring.Component):
    """Hands out the words of :func:`~cbit.aes.known_answer.known_answer` once after reset, one a cycle.

    Parameters
    ----------
    key_bits : :class:`int`
        Bits of each of the two keys. 128 or 256.

    Members
    -------
    o : ``Out(stream.Signature(32))``
        The words of K1, then those of K2; byte 0 of each is bits 7..0.
    """

    def __init__(self, *, key_bits: int):
        self.known = known_answer(key_bits)
        super().__init__({"o": Out(stream.Signature(32))})

    def elaborate(self, _platform) -> Module:
        m = Module()
        words = Cat(Const(word, 32) for word in self.known.words)
        place, is_out = Signal(range(len(self.known.words))), Signal()
        m.d.comb += [self.o.valid.eq(~is_out), self.o.payload.eq(words.word_select(place, 32))]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [place.eq(place + 1), is_out.eq(place == len(self.known.words) - 1)]
        return m
