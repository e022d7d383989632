"""Remembers which accesses were denied, for the security processor and the host."""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cbit.access.counts import RotatingCounts, count_layout
from cbit.access.front import violation_event_layout
from cbit.access.request import Violation

__all__ = ["ViolationLog", "violation_layout"]


def violation_layout(*, asid_width: int, addr_width: int, id_width: int) -> data.StructLayout:
    """The record of a denied access. ``valid`` is zero when there is none; ``write`` tells writes from reads."""
    event = violation_event_layout(asid_width=asid_width, addr_width=addr_width, id_width=id_width)
    return data.StructLayout({"valid": unsigned(1), "write": unsigned(1), "event": event})


class ViolationLog(wiring.Component):
    """Keeps the first denied access and counts all of them by kind.

    Takes an event of each direction every cycle; ``first`` tells of it in the second cycle after. Of two events in
    one cycle both are counted, and the read is the first. An event in the cycle of a clear is kept and counted,
    never lost. Counts stay at their greatest value once they are there.

    Parameters
    ----------
    asid_width : :class:`int`
        Bits of an ASID.
    addr_width : :class:`int`
        Bits of an address.
    id_width : :class:`int`
        Bits of an AXI ID.
    narrow : :class:`bool`
        Whether events come in time to be looked at as they come: ``first`` tells of one in the next cycle then. Counts
        are in block RAM.

    Members
    -------
    read, write : ``In(stream.Signature(violation_event_layout(...), always_ready=True))``
        Denied accesses.
    clear_record : ``In(1)``
        Forgets the first one; the next is recorded.
    clear_counts : ``In(1)``
        Sets every count to zero.
    irq_enable : ``In(1)``
        Lets ``irq`` rise.
    first : ``Out(violation_layout(...))``
        The first one since reset or since ``clear_record``; zero when there is none.
    count : ``Out(count_layout())``
        Number of one kind after the other since reset or since ``clear_counts``, as
        :class:`~cbit.access.counts.RotatingCounts` shows it; that of ``Violation.NONE`` stays zero.
    irq : ``Out(1)``
        High while ``first`` is valid and ``irq_enable`` is high, but not in the cycle of ``clear_record``.
    """

    unguarded = True
    """It only tells."""

    def __init__(self, *, asid_width: int, addr_width: int, id_width: int, narrow: bool = False):
        self.narrow = narrow
        self.asid_width = asid_width
        self.addr_width = addr_width
        self.id_width = id_width
        widths = {"asid_width": asid_width, "addr_width": addr_width, "id_width": id_width}
        events = stream.Signature(violation_event_layout(**widths), always_ready=True)
        super().__init__({
            "read": In(events),
            "write": In(events),
            "clear_record": In(1),
            "clear_counts": In(1),
            "irq_enable": In(1),
            "first": Out(violation_layout(**widths)),
            "count": Out(count_layout()),
            "irq": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.counts = counts = RotatingCounts(in_block_ram=self.narrow)
        read, write = Signal(self.read.p.shape()), Signal(self.write.p.shape())
        read_valid, write_valid, valid, is_fresh, begins = Signal(), Signal(), Signal(), Signal(), Signal()
        # Count only while valid, which is reset.
        record = data.StructLayout({"write": unsigned(1), "event": self.read.p.shape()})
        latest, kept = Signal(record, reset_less=True), Signal(record, reset_less=True)
        m.d["comb" if self.narrow else "sync"] += [
            read.eq(self.read.p), read_valid.eq(self.read.valid),
            write.eq(self.write.p), write_valid.eq(self.write.valid),
        ]
        m.d.comb += [
            begins.eq((read_valid | write_valid) & (~valid | self.clear_record)),
            self.first.valid.eq(valid),
            self.irq.eq(valid & ~self.clear_record & self.irq_enable),
            counts.kinds[0].eq(Mux(read_valid, read.kind, Violation.NONE)),
            counts.kinds[1].eq(Mux(write_valid, write.kind, Violation.NONE)),
            counts.clear.eq(self.clear_counts),
            self.count.eq(counts.shown),
        ]
        # Whether an event is the first one is known to a register before anything of it is kept: so a clear drives two
        # bits, not the whole record.
        m.d.sync += [
            valid.eq(begins | (valid & ~self.clear_record)),
            is_fresh.eq(begins),
            latest.write.eq(~read_valid),
            latest.event.eq(Mux(read_valid, read, write)),
        ]
        with m.If(is_fresh):
            m.d.sync += kept.eq(latest)
        with m.If(valid):
            shown = Mux(is_fresh, latest.as_value(), kept.as_value())
            m.d.comb += Cat(self.first.write, self.first.event).eq(shown)
        return m
