"""Where the two keys of a slot gather word by word until a command takes them."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import In, Out

from cbit.keys.types import KeyWordSignature

__all__ = ["KeyStaging"]


class KeyStaging(wiring.Component):
    """Gathers K1 and K2, and knows whether they are whole and different.

    ``keys`` follows a word, or an erase, one cycle later; ``complete`` and ``equal`` follow one cycle after that.

    Parameters
    ----------
    key_bits : :class:`int`
        Bits of each key. 128 or 256.

    Members
    -------
    word : ``In(KeyWordSignature())``
        Words in. Those past the end of a key have no effect.
    enable : ``In(1)``
        Whether words are taken.
    erase : ``In(1)``
        Overwrites both keys with zeros and forgets that anything was written.
    keys : ``Out(ArrayLayout(key_bits, 2))``
        K1 and K2; byte ``i`` of a key is bits ``8i+7..8i``.
    complete : ``Out(1)``
        Every word of both was written.
    equal : ``Out(1)``
        The two are the same, which XTS must not be given (FIPS 140-3 IG, C.I).
    """

    def __init__(self, *, key_bits: int):
        self.key_bits = key_bits
        super().__init__({
            "word": In(KeyWordSignature()),
            "enable": In(1),
            "erase": In(1),
            "keys": Out(ArrayLayout(key_bits, 2)),
            "complete": Out(1),
            "equal": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        words_per_key = self.key_bits // 32
        words = Signal(ArrayLayout(ArrayLayout(32, words_per_key), 2))
        written = Signal(ArrayLayout(words_per_key, 2))
        m.d.comb += [
            self.word.ready.eq(self.enable),
            self.keys.eq(words),
        ]
        m.d.sync += [
            self.complete.eq(written.as_value().all() & ~self.erase),
            self.equal.eq(self.keys[0] == self.keys[1]),
        ]
        with m.If(self.erase):
            m.d.sync += [words.eq(0), written.eq(0)]
        with m.Elif(self.word.valid & self.word.ready & (self.word.index < words_per_key)):
            m.d.sync += [
                words[self.word.tweak_key][self.word.index].eq(self.word.data),
                written[self.word.tweak_key].bit_select(self.word.index, 1).eq(1),
            ]
        return m
