"""A burst within a region of memory, and the bytes of each of its beats."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Burst

__all__ = ["BEAT_BYTES", "BYTE_BITS", "BeatPlace", "burst_layout"]

BEAT_BYTES = 16
BYTE_BITS = 4
"""Address bits within a beat of the whole bus."""

_STRIPES = 8


def burst_layout(*, region_width: int, offset_width: int) -> StructLayout:
    """A burst: its region, the byte of the region at which it starts, and AXI's fields.

    Bytes of a region belong to two halves, by bit ``stripe`` of their address: single bytes in turn, pairs, blocks,
    lines. ``halves`` are those that the burst is about.
    """
    return StructLayout({
        "region": unsigned(region_width),
        "offset": unsigned(offset_width),
        "len": unsigned(8),
        "size": unsigned(3),
        "burst": Burst,
        "halves": unsigned(2),
        "stripe": unsigned(3),
    })


class BeatPlace(Component):
    """The block and the byte lanes of a beat (IHI 0022, A3.4.1).

    Combinational. The burst must be legal and lie within its region.

    Parameters
    ----------
    region_width, offset_width : :class:`int`
        Bits of a region's number, and of an address in it. ``offset_width`` is 7 or more.

    Members
    -------
    burst : ``In(burst_layout(...))``
    index : ``In(8)``
        Number of the beat, from 0.
    byte : ``Out(offset_width)``
        The first byte that the beat is about.
    block : ``Out(region_width + offset_width - 4)``
        Number of its block, among those of all regions.
    lanes : ``Out(16)``
        Its byte lanes.
    half_lanes : ``Out(16)``
        Those of them that belong to the burst's halves.
    """

    def __init__(self, *, region_width: int, offset_width: int) -> None:
        self.offset_width = offset_width
        super().__init__({
            "burst": In(burst_layout(region_width=region_width, offset_width=offset_width)),
            "index": In(8),
            "byte": Out(offset_width),
            "block": Out(region_width + offset_width - BYTE_BITS),
            "lanes": Out(BEAT_BYTES),
            "half_lanes": Out(BEAT_BYTES),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        burst, offset = self.burst, self.burst.offset
        within = Signal(BYTE_BITS)
        wrapped, moved = Signal(self.offset_width), Signal(self.offset_width)
        with m.Switch(burst.size):
            for size in range(BYTE_BITS + 1):
                with m.Case(size):
                    m.d.comb += [
                        within.eq((1 << size) - 1),
                        moved.eq((offset >> size << size) + (self.index << size)),
                        wrapped.eq((burst.len << size) | ((1 << size) - 1)),
                    ]
        with m.Switch(burst.burst):
            with m.Case(Burst.FIXED):
                m.d.comb += self.byte.eq(offset)
            with m.Case(Burst.WRAP):
                m.d.comb += self.byte.eq((offset & ~wrapped) | (moved & wrapped))
            with m.Default():
                m.d.comb += self.byte.eq(Mux(self.index == 0, offset, moved))
        first = self.byte[:BYTE_BITS]
        last = Signal(BYTE_BITS)
        m.d.comb += [
            last.eq(first | within),
            self.block.eq(Cat(self.byte[BYTE_BITS:], burst.region)),
            self.lanes.eq(Cat((first <= lane) & (lane <= last) for lane in range(BEAT_BYTES))),
            self.half_lanes.eq(self.lanes & self._of_halves(m)),
        ]
        return m

    def _of_halves(self, m: Module) -> Signal:
        lanes = Signal(BEAT_BYTES)
        halves = self.burst.halves
        with m.Switch(self.burst.stripe):
            for stripe in range(_STRIPES):
                # A region may be smaller than the widest stripes: then they are as wide as half of it.
                bit = min(stripe, self.offset_width - 1)
                with m.Case(stripe):
                    if bit < BYTE_BITS:
                        m.d.comb += lanes.eq(Cat(halves[lane >> bit & 1] for lane in range(BEAT_BYTES)))
                    else:
                        m.d.comb += lanes.eq(Mux(halves.bit_select(self.byte[bit], 1), (1 << BEAT_BYTES) - 1, 0))
        return lanes
