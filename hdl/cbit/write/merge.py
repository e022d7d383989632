"""Reads from DRAM what is missing of the blocks of which a write gives only some bytes, a beat at a time."""

from amaranth import Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import ATTRIBUTES
from cbit.axi.beat import BLOCKS_PER_LINE, BeatShape
from cbit.read.decrypt import merged_layout
from cbit.read.entry import merge_request_layout
from cbit.stream.hop import Hop
from cbit.stream.slice import RegisterSlice
from cbit.stream.stage import Stage
from cbit.stream.tally import Tally

from .entry import MERGES, PAGE_CLASS_BITS, fold, merge_places, near_bits
from .hazards import record_layout

__all__ = ["WriteMerge", "merge_line_layout", "ready_line_layout"]


def merge_line_layout(*, entries: int, c_bit: int, id_width: int, slot_width: int) -> StructLayout:
    """What of a line its reads need."""
    return StructLayout({
        "line": unsigned(c_bit - 6),
        "slot": unsigned(slot_width),
        "id": unsigned(id_width),
        "plains": unsigned(near_bits(entries)),
        "attributes": ATTRIBUTES,
    })


def ready_line_layout(*, data_width: int) -> StructLayout:
    """A line whose reads, if any, have been sent or come before those of later lines."""
    return StructLayout({"written": unsigned(BLOCKS_PER_LINE), "partial": unsigned(BeatShape(data_width).per_line),
                         "is_held": unsigned(1)})


class WriteMerge(Component):
    """Leads lines in order past the reads for their partial beats, and keeps what has been read.

    A line is read when no earlier write that it may meet is unsettled.

    Latency: a line without partial beats passes at once. Throughput: a line a cycle, or a read a cycle and four
    cycles, if pipelined six, for each line that reads. Stalls: ``merged`` never waits.

    Parameters
    ----------
    entries, data_width, c_bit, id_width, slot_width : :class:`int`
        Lines in flight, and widths.
    pipelined : :class:`bool`
        Whether registers part the steps of the look at earlier writes, and ``request`` comes from registers.

    Members
    -------
    record : ``In(stream.Signature(record_layout(...)))``
        Lines of which all data have come.
    line : ``In(stream.Signature(merge_line_layout(...)))``
        The same lines, each there with its record; if pipelined, taken after it.
    settled : ``In(near_bits(entries))``
        As in :class:`~cbit.write.progress.WriteProgress`.
    plains_sent : ``In(near_bits(entries))``
        How many plain writes have been sent.
    page_class, page_is_busy : ``Out``, ``In``
        Whether a plain write to this class of pages is not settled.
    request : ``Out(stream.Signature(merge_request_layout(...)))``
    merged : ``In(stream.Signature(merged_layout(...), always_ready=True))``
    ready_line : ``Out(stream.Signature(ready_line_layout(...), always_ready=True))``
        The lines again; if pipelined, a line is here as its reads begin.
    is_there : ``Out(1)``
        High if the oldest of the beats asked for has come; low for a cycle after ``take``.
    data : ``Out(data_width)``
        That beat.
    failed : ``Out(1)``
        High if it could not be read.
    take : ``In(1)``
        Takes it.
    """

    def __init__(self, *, entries: int, data_width: int, c_bit: int, id_width: int, slot_width: int,
                 pipelined: bool) -> None:
        self.pipelined = pipelined
        self.beat = BeatShape(data_width)
        widths = {"c_bit": c_bit, "id_width": id_width, "slot_width": slot_width}
        asked = {"data_width": data_width, "places": merge_places(entries=entries, data_width=data_width)}
        near = near_bits(entries)
        super().__init__({
            "record": In(stream.Signature(record_layout(entries=entries, data_width=data_width))),
            "line": In(stream.Signature(merge_line_layout(entries=entries, **widths))),
            "settled": In(near),
            "plains_sent": In(near),
            "page_class": Out(PAGE_CLASS_BITS),
            "page_is_busy": In(1),
            "request": Out(stream.Signature(merge_request_layout(**asked, **widths))),
            "merged": In(stream.Signature(merged_layout(**asked), always_ready=True)),
            "ready_line": Out(stream.Signature(ready_line_layout(data_width=data_width), always_ready=True)),
            "is_there": Out(1),
            "data": Out(data_width),
            "failed": Out(1),
            "take": In(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.tickets = tickets = Tally(limit=MERGES)
        part = {"shape": self.request.payload.shape()}
        m.submodules.reads = reads = RegisterSlice(**part) if self.pipelined else Hop(registered=False, **part)
        record, line, request = self.record.payload, self.line.payload, reads.i.payload
        # If pipelined, a line that reads may pass as it begins to: what is behind waits for what has been read.
        passes, line_goes = Signal(), Signal()
        left, left_after = Signal(self.beat.per_line), Signal(self.beat.per_line)
        ticket = Signal(range(MERGES))
        is_clear = self._look(m)
        connect(m, reads.o, flipped(self.request))
        m.submodules.passed = passed = Stage(shape=1, registered=self.pipelined)
        m.d.comb += [
            self.record.ready.eq(passes),
            passed.advance.eq(1),
            passed.i.eq(line_goes),
            self.line.ready.eq(passed.o),
            self.ready_line.valid.eq(passes),
            *(self.ready_line.payload[field].eq(record[field]) for field in ("written", "partial", "is_held")),
            *(request[field].eq(line[field]) for field in ("line", "slot", "id", "attributes")),
            request.place.eq(ticket),
            left_after.eq(left & (left - 1)),
            tickets.comes.eq(reads.i.valid & reads.i.ready),
            tickets.goes.eq(self.take),
        ]
        for beat in reversed(range(self.beat.per_line)):
            with m.If(left[beat]):
                m.d.comb += request.beat.eq(beat)
        with m.If(tickets.comes):
            m.d.sync += [left.eq(left_after), ticket.eq(ticket + 1)]

        # A line that has nothing to read passes; any other looks where it would read, waits, and reads.
        with m.FSM():
            with m.State("PASS"):
                m.d.sync += left.eq(record.partial)
                with m.If(self.record.valid):
                    with m.If(record.partial.any()):
                        m.next = "COME" if self.pipelined else "LOOK"
                    with m.Else():
                        m.d.comb += [passes.eq(1), line_goes.eq(1)]
            if self.pipelined:
                with m.State("COME"):
                    m.next = "LOOK"
                with m.State("COMPARE"):
                    m.next = "WAIT"
            with m.State("LOOK"):
                m.next = "COMPARE" if self.pipelined else "WAIT"
            with m.State("WAIT"), m.If(is_clear):
                m.d.comb += passes.eq(self.pipelined)
                m.next = "READ"
            with m.State("READ"):
                m.d.comb += reads.i.valid.eq(tickets.has_room)
                with m.If(tickets.comes & ~left_after.any()):
                    m.d.comb += [passes.eq(not self.pipelined), line_goes.eq(1)]
                    m.next = "PASS"
        self._keep(m)
        return m

    def _look(self, m: Module) -> Signal:
        """Whether all is settled that the line at the head must see, two cycles late, or if pipelined three."""
        record, line = self.record.payload, self.line.payload
        is_clear = Signal()
        m.submodules.compared = compared = Stage(
            shape=StructLayout({"settled": unsigned(1), "page_is_busy": unsigned(1), "follows": unsigned(1)}),
            registered=self.pipelined)
        m.d.comb += [
            compared.advance.eq(1),
            compared.i.settled.eq(~record.waits | (record.settled - self.settled)[len(self.settled) - 1]),
            compared.i.page_is_busy.eq(self.page_is_busy),
            compared.i.follows.eq(~(self.plains_sent - line.plains)[len(self.plains_sent) - 1]),
        ]
        m.d.sync += [
            self.page_class.eq(fold(line.line[6:], PAGE_CLASS_BITS)),
            is_clear.eq(compared.o.settled & ~compared.o.page_is_busy & compared.o.follows),
        ]
        return is_clear

    def _keep(self, m: Module) -> None:
        """What has been read waits under its ticket; tickets are taken in order."""
        m.submodules.memory = memory = Memory(shape=unsigned(self.beat.data_width), depth=MERGES, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        has_come, has_failed = Signal(MERGES), Signal(MERGES)
        oldest = Signal(range(MERGES))
        arrived, arrived_valid = Signal(self.merged.payload.shape()), Signal()
        ticket = arrived.place[:len(oldest)]
        m.d.comb += [
            write.addr.eq(ticket),
            write.data.eq(arrived.data),
            write.en.eq(arrived_valid),
            read.addr.eq(oldest),
            self.data.eq(read.data),
        ]
        m.d.sync += [
            arrived.eq(self.merged.payload),
            arrived_valid.eq(self.merged.valid),
            self.is_there.eq(has_come.bit_select(oldest, 1) & ~self.take),
            self.failed.eq(has_failed.bit_select(oldest, 1)),
        ]
        with m.If(self.take):
            m.d.sync += [oldest.eq(oldest + 1), has_come.bit_select(oldest, 1).eq(0)]
        with m.If(arrived_valid):
            m.d.sync += [has_come.bit_select(ticket, 1).eq(1), has_failed.bit_select(ticket, 1).eq(arrived.failed)]
