"""The keys of all slots as they came, in block RAM."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

__all__ = ["RawKeys"]

_SHOWN_WORD = StructLayout({"word": 32, "present": 1})

_KEPT_WORD = StructLayout({"word": 32, "present": 1, "parity": 1})


class RawKeys(Component):
    """Keeps both keys of each slot, and knows of each word whether it is one of a key or was erased.

    A word is written, erased or read each cycle. Only one of these at a time. An erase leaves zeros at the port
    that reads, too.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots.
    key_bits : :class:`int`
        Bits of each of the two keys of a slot. 128 or 256.

    Members
    -------
    slot : ``In(range(asid_count))``
        The slot that is written or erased. Holds still meanwhile.
    words : ``In(stream.Signature(32, always_ready=True))``
        The words of K1, then those of K2.
    loaded : ``Out(1)``
        High in the cycle after the last.
    erase : ``In(1)``
        High until ``erased``, then low, or high at once for another slot.
    erased : ``Out(1)``
        High in the cycle in which the last word is overwritten.
    read : ``In(1)``
        Starts to hand out the words of ``read_slot``, which holds still until they are gone.
    read_slot : ``In(range(asid_count))``
    o : ``Out(stream.Signature(StructLayout({"word": 32, "present": 1})))``
        The words in order; zeros that are not ``present`` where they were erased. Nor is a word ``present`` that has
        lost its parity.
    is_reading : ``Out(1)``
        Words are still to be handed out.
    """

    def __init__(self, *, asid_count: int, key_bits: int) -> None:
        self.words_per_slot = 2 * key_bits // 32
        self.memory = Memory(shape=_KEPT_WORD, depth=asid_count * self.words_per_slot, init=[])
        super().__init__({
            "slot": In(range(asid_count)),
            "words": In(stream.Signature(32, always_ready=True)),
            "loaded": Out(1),
            "erase": In(1),
            "erased": Out(1),
            "read": In(1),
            "read_slot": In(range(asid_count)),
            "o": Out(stream.Signature(_SHOWN_WORD)),
            "is_reading": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.memory = memory = self.memory
        write, read = memory.write_port(), memory.read_port()
        place, read_place = Signal(range(self.words_per_slot)), Signal(range(self.words_per_slot))
        is_last = place == self.words_per_slot - 1
        to_come, fetch = Signal(), Signal()
        overwritten, overwritten_address = Signal(), Signal.like(write.addr)
        m.d.comb += [
            write.addr.eq(Cat(place, self.slot)),
            write.en.eq(self.words.valid | self.erase),
            write.data.word.eq(Mux(self.erase, 0, self.words.payload)),
            write.data.present.eq(~self.erase),
            write.data.parity.eq(write.data.word.xor()),
            self.erased.eq(self.erase & is_last),

            fetch.eq(to_come & (self.o.ready | ~self.o.valid)),
            read.en.eq(fetch | overwritten),
            read.addr.eq(Mux(overwritten, overwritten_address, Cat(read_place, self.read_slot))),
            self.o.payload.word.eq(read.data.word),
            self.o.payload.present.eq(read.data.present & self._is_intact(read.data)),
            self.is_reading.eq(to_come | self.o.valid),
        ]
        m.d.sync += [
            self.loaded.eq(self.words.valid & is_last),
            overwritten.eq(self.erase),
            overwritten_address.eq(write.addr),
        ]
        with m.If(write.en):
            m.d.sync += place.eq(place + 1)
        with m.If(self.o.ready | ~self.o.valid):
            m.d.sync += self.o.valid.eq(to_come)
        with m.If(fetch):
            m.d.sync += [read_place.eq(read_place + 1),
                         to_come.eq(read_place != self.words_per_slot - 1)]
        with m.If(self.read):
            m.d.sync += to_come.eq(1)
        return m

    @staticmethod
    def _is_intact(kept) -> Value:
        return kept.word.xor() == kept.parity
