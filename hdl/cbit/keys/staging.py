"""Where the two keys of a slot gather word by word until a command takes them."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.data import ArrayLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from cbit.guard.shadows import unguarded
from cbit.keys.types import KeyWordSignature

__all__ = ["KeyStaging"]


class KeyStaging(wiring.Component):
    """Gathers K1 and K2, hands them out once, and knows whether they are whole and different.

    ``complete`` and ``equal`` follow a word four cycles later. Every word is overwritten with zeros after reset and
    after ``erase``, one a cycle, and when words are handed out, each as it is taken. Meanwhile ``busy`` is high and
    no word is taken.

    Parameters
    ----------
    key_bits : :class:`int`
        Bits of each key. 128 or 256.
    in_block_ram : :class:`bool`
        Whether the words are in block RAM: each is handed out two cycles after the one before, and no two may come in
        cycles that follow each other.

    Members
    -------
    word : ``In(KeyWordSignature())``
        Words in, while ``enable`` is high. Those past the end of a key have no effect.
    enable : ``In(1)``
        Whether words are taken.
    erase : ``In(1)``
        Starts to overwrite both keys, and forgets that anything was written. Overrides ``unload``.
    unload : ``In(1)``
        Starts to hand out the words, those of K1 first.
    o : ``Out(stream.Signature(32))``
        The words; byte 0 of each is bits 7..0. Each is overwritten as it is taken.
    busy : ``Out(1)``
        Words are being overwritten.
    complete : ``Out(1)``
        Every word of both was written.
    equal : ``Out(1)``
        If complete: the two are the same, which XTS must not be given (FIPS 140-3 IG, C.I).
    """

    def __init__(self, *, key_bits: int, in_block_ram: bool = False):
        self.words_per_key = key_bits // 32
        self.in_block_ram = in_block_ram
        self.words = Memory(shape=32, depth=2 * self.words_per_key, init=[],
                            attrs={"ram_style": "block", "no_rw_check": 1} if in_block_ram else {})
        super().__init__({
            "word": In(KeyWordSignature()),
            "enable": In(1),
            "erase": In(1),
            "unload": In(1),
            "o": Out(stream.Signature(32)),
            "busy": Out(1, init=1),
            "complete": Out(1),
            "equal": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.words = words = self.words
        read, write = words.read_port(domain="comb"), words.write_port()
        place, handing_out, overwritten = Signal.like(write.addr), Signal(), Signal()
        taken, taken_place = Signal(), Signal.like(write.addr)
        taken_word = Signal(32)
        unguarded(taken_word)
        index = self.word.index[:len(place) - 1]
        # From block RAM a word comes a cycle after its place, and its counterpart with it.
        is_there: Value = Const(1)
        wanted_place: Value = taken_place
        read_word: Value = read.data
        if self.in_block_ram:
            # Not reset: the register of a block RAM is not either.
            is_there, found = Signal(), Signal(32, reset_less=True)
            unguarded(found)
            read_word, wanted_place = found, Cat(index, self.word.tweak_key)
            m.d.sync += [is_there.eq(handing_out & ~overwritten), found.eq(read.data)]

        m.d.comb += [
            self.word.ready.eq(self.enable & ~self.busy),
            self.o.valid.eq(handing_out & is_there),
            self.o.payload.eq(read_word),
            overwritten.eq(self.busy & ((self.o.ready & is_there) | ~handing_out)),
            read.addr.eq(Mux(self.busy, place, wanted_place ^ self.words_per_key)),
            write.addr.eq(Mux(self.busy, place, taken_place)),
            write.data.eq(taken_word),
            write.en.eq(taken | overwritten),
        ]
        stays = ~(self.busy | self.erase | self.unload)
        m.d.sync += [
            taken.eq(self.word.valid & self.enable & stays & (self.word.index < self.words_per_key)),
            taken_place.eq(Cat(index, self.word.tweak_key)),
            taken_word.eq(self.word.data),
        ]
        with m.If(~(self.word.valid & stays)):  # words are overwritten with it, too
            m.d.sync += taken_word.eq(0)
        with m.If(overwritten):
            m.d.sync += place.eq(place + 1)
            with m.If(place == 2 * self.words_per_key - 1):
                m.d.sync += [self.busy.eq(0), handing_out.eq(0)]
        with m.If(self.erase | self.unload):
            m.d.sync += [self.busy.eq(1), handing_out.eq(~self.erase), place.eq(0)]
        self._judge(m, taken, taken_place, taken_word, read_word)
        return m

    def _judge(self, m: Module, taken: Signal, place: Signal, word: Signal, counterpart) -> None:
        """Compares each word with the one at its place in the other key; the later of the two decides."""
        written = Signal(2 * self.words_per_key)
        differs = Signal(self.words_per_key)
        unguarded(differs)
        m.d.comb += self.equal.eq(~differs.any())
        if self.in_block_ram:
            with m.If(taken):
                m.d.sync += differs.bit_select(place[:-1], 1).eq(word != counterpart)
        else:
            self._compare(m, taken, place, word, counterpart, differs)
        with m.If(self.busy):
            m.d.sync += [written.eq(0), self.complete.eq(0)]
        with m.Else():
            m.d.sync += self.complete.eq(written.all())
            with m.If(taken):
                m.d.sync += written.bit_select(place, 1).eq(1)

    def _compare(self, m: Module, taken: Signal, place: Signal, word: Signal, counterpart: Value,
                 differs: Signal) -> None:
        """In steps."""
        this, other, unequal_bytes = Signal(32), Signal(32), Signal(4)
        unguarded(this, other, unequal_bytes)
        to_compare, compared = Signal(2), Signal(ArrayLayout(range(self.words_per_key), 2))
        m.d.sync += [
            this.eq(word), other.eq(counterpart),
            unequal_bytes.eq(Cat(this.word_select(byte, 8) != other.word_select(byte, 8) for byte in range(4))),
            to_compare.eq(Cat(taken, to_compare)),
            compared[0].eq(place), compared[1].eq(compared[0]),
        ]
        with m.If(to_compare[1]):
            m.d.sync += differs.bit_select(compared[1], 1).eq(unequal_bytes.any())
