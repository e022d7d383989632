"""The data of writes, and what of them is in memory."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import write_data_layout

from .burst import BEAT_BYTES, BYTE_BITS, BeatPlace, burst_layout

__all__ = ["WriteBeats", "shadow_write_layout", "write_layout"]

WORD_BITS = 32
WORDS = 8 * BEAT_BYTES // WORD_BITS
_FILL_WORDS = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
"""Digits of pi."""


def write_layout(*, region_width: int, offset_width: int) -> StructLayout:
    """A write whose data are to be made."""
    return StructLayout({"burst": burst_layout(region_width=region_width, offset_width=offset_width),
                         "is_fill": unsigned(1), "is_sparse": unsigned(1), "is_denied": unsigned(1)})


def shadow_write_layout(*, block_width: int) -> StructLayout:
    """Bytes of a block that a write leaves in memory."""
    return StructLayout({"block": unsigned(block_width), "data": unsigned(8 * BEAT_BYTES),
                         "strb": unsigned(BEAT_BYTES)})


class WriteBeats(Component):
    """Makes the beats of each write, and tells what will be in memory for them.

    Data are random; those of a fill are always the same for the same block. Strobes are those of the burst's halves,
    and if sparse each of these by chance.

    Latency: none. Throughput: a beat a cycle.

    Parameters
    ----------
    region_width, offset_width : :class:`int`
        Bits of a region's number, and of an address in it.

    Members
    -------
    i : ``In(stream.Signature(write_layout(...)))``
    o : ``Out(stream.Signature(write_data_layout(128)))``
    bits : ``In(144)``
        Random bits, which change only with ``moves``.
    moves : ``Out(1)``
        High in the cycle in which a beat is taken.
    written : ``Out(stream.Signature(shadow_write_layout(...), always_ready=True))``
        With each beat.
    """

    def __init__(self, *, region_width: int, offset_width: int) -> None:
        self.offset_width = offset_width
        self.place = BeatPlace(region_width=region_width, offset_width=offset_width)
        self.block_width = region_width + offset_width - BYTE_BITS
        super().__init__({
            "i": In(stream.Signature(write_layout(region_width=region_width, offset_width=offset_width))),
            "o": Out(stream.Signature(write_data_layout(8 * BEAT_BYTES))),
            "bits": In(9 * BEAT_BYTES),
            "moves": Out(1),
            "written": Out(stream.Signature(shadow_write_layout(block_width=self.block_width), always_ready=True)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.place = place = self.place
        write, beat, written = self.i.payload, self.o.payload, self.written.payload
        index, chance = Signal(8), self.bits[8 * BEAT_BYTES:]
        m.d.comb += [
            place.burst.eq(write.burst),
            place.index.eq(index),
            self.o.valid.eq(self.i.valid),
            beat.data.eq(Mux(write.is_fill, self._fill(), self.bits[:8 * BEAT_BYTES])),
            beat.strb.eq(place.half_lanes & Mux(write.is_sparse & ~write.is_fill, chance, (1 << BEAT_BYTES) - 1)),
            beat.last.eq(index == write.burst.len),
            self.moves.eq(self.i.valid & self.o.ready),
            self.i.ready.eq(self.o.ready & beat.last),
            self.written.valid.eq(self.moves & ~write.is_denied),
            written.block.eq(place.block),
            written.data.eq(beat.data),
            written.strb.eq(beat.strb),
        ]
        with m.If(self.moves):
            m.d.sync += index.eq(Mux(beat.last, 0, index + 1))
        return m

    def _fill(self):
        """Each block its own data, whatever the region's place and key."""
        block = self.place.block
        return Cat((Const(word, WORD_BITS) ^ (block << 5 * number))[:WORD_BITS]
                   for number, word in enumerate(_FILL_WORDS))
