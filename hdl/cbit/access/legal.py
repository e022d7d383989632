"""Which bursts AXI4 allows, and where they end."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.beat import BeatShape
from cbit.axi.ports import Burst, address_layout
from cbit.stream.stage import Stage

from .request import beat_mask, extent_layout

__all__ = ["BurstRules"]


class BurstRules(Component):
    """Tells a burst that AXI4 does not allow on the bus (IHI 0022, A3.4.1), and where one ends.

    Malformed are: the reserved burst type; a beat wider than the bus; WRAP of a length other than 2, 4,
    8 or 16 beats or from an address that is not aligned to the beat; FIXED of more than 16 beats; INCR
    across a boundary of 4 KiB.

    Latency: two cycles of those with ``advance`` if pipelined, otherwise none.

    Parameters
    ----------
    addr_width, id_width, user_width : :class:`int`
        Widths of the address channel.
    data_width : :class:`int`
        Bits of a beat on the bus: 128, 256 or 512.
    pipelined : :class:`bool`
        Whether registers part the steps.

    Members
    -------
    address : ``In(address_layout(...))``
        Payload of AW or AR.
    advance : ``In(1)``
    malformed : ``Out(1)``
    extent : ``Out(extent_layout())``
        Of a burst that is not malformed.
    """

    def __init__(self, *, addr_width: int, data_width: int, id_width: int, user_width: int, pipelined: bool) -> None:
        self.data_width = data_width
        self.pipelined = pipelined
        widest = self._widest = BeatShape(data_width).size
        measures = StructLayout({"burst": Burst, "is_forbidden": 1, "beat_mask": widest, "first": 12,
                                 "span": 8 + widest})
        sums = StructLayout({"burst": Burst, "is_malformed": 1, "container_mask": 4 + widest, "first_byte": 6,
                             "last_byte": 6, "lines_after": 6})
        self.measured = Stage(shape=measures, registered=pipelined)
        self.summed = Stage(shape=sums, registered=pipelined)
        super().__init__({
            "address": In(address_layout(addr_width=addr_width, id_width=id_width, user_width=user_width)),
            "advance": In(1),
            "malformed": Out(1),
            "extent": Out(extent_layout()),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.measured, m.submodules.summed = self.measured, self.summed
        m.d.comb += [self.measured.advance.eq(self.advance), self.summed.advance.eq(self.advance)]
        self._measure(m, self.measured.i)
        self._add(m, self.measured.o, self.summed.i)
        self._judge(m, self.summed.o)
        return m

    def _measure(self, m: Module, measures) -> None:
        """The burst in bytes: its first beat's place, and the distance of the last from it unless it wraps."""
        address, widest = self.address, self._widest
        size = Signal(range(widest + 1))
        misaligned = (address.addr[:widest] & measures.beat_mask).any()
        m.d.comb += [
            size.eq(Mux(address.size > widest, widest, address.size)),
            measures.burst.eq(address.burst),
            measures.beat_mask.eq(beat_mask(address.size, widest=widest)),
            measures.first.eq(Cat(address.addr[:widest] & ~measures.beat_mask, address.addr[widest:12])),
            measures.span.eq(address.len << size),
        ]
        with m.Switch(address.burst):
            with m.Case(Burst.FIXED):
                m.d.comb += measures.is_forbidden.eq(address.len > 15)
            with m.Case(Burst.INCR):
                m.d.comb += measures.is_forbidden.eq(0)
            with m.Case(Burst.WRAP):
                is_allowed = (address.len == 1) | (address.len == 3) | (address.len == 7) | (address.len == 15)
                m.d.comb += measures.is_forbidden.eq(~is_allowed | misaligned)
            with m.Default():
                m.d.comb += measures.is_forbidden.eq(1)
        with m.If(address.size > widest):
            m.d.comb += measures.is_forbidden.eq(1)

    def _add(self, m: Module, measures, sums) -> None:
        first = measures.first
        page_end = Signal(len(measures.span) + 1)
        m.d.comb += [
            page_end.eq(first + measures.span),
            Cat(sums.last_byte, sums.lines_after).eq(first[:6] + measures.span),
            sums.first_byte.eq(first),
            sums.burst.eq(measures.burst),
            sums.is_malformed.eq(measures.is_forbidden | ((measures.burst == Burst.INCR) & page_end[12:].any())),
            sums.container_mask.eq(measures.span | measures.beat_mask),
        ]

    def _judge(self, m: Module, sums) -> None:
        """A WRAP ends before its first beat: in that beat's line, unless the first beat begins its line."""
        extent, mask = self.extent, sums.container_mask
        begins_late = (sums.first_byte & mask[:6]).any()
        m.d.comb += self.malformed.eq(sums.is_malformed)
        with m.Switch(sums.burst):
            with m.Case(Burst.INCR):
                m.d.comb += [extent.last_byte.eq(sums.last_byte), extent.chunks_after.eq(sums.lines_after)]
            with m.Case(Burst.WRAP):
                m.d.comb += [
                    extent.last_byte.eq((sums.first_byte & ~mask[:6]) | (sums.last_byte & mask[:6])),
                    extent.chunks_after.eq(mask[6:] + begins_late),
                ]
            with m.Default():
                m.d.comb += extent.last_byte.eq(sums.first_byte)
