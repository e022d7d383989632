"""Keeps the ciphertext until DRAM takes it."""

from amaranth import Cat, Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.axi.beat import BLOCK_BITS, BeatShape
from cbit.stream.bounded_queue import BoundedQueue
from cbit.stream.queue import ReservedQueue
from cbit.stream.ram_queue import RamQueue
from cbit.stream.stage import Stage
from cbit.stream.tally import Tally
from cbit.xts.ports import lane_output_layout

from .encrypt import write_tag_layout

__all__ = ["WriteCollect", "cipher_layout", "done_line_layout"]

AHEAD = 16
"""Beats that wait before the port, what a distributed RAM holds."""


def cipher_layout(*, data_width: int) -> StructLayout:
    """A beat of ciphertext, with zeros for blocks that are not written."""
    return StructLayout({"data": unsigned(data_width), "written": unsigned(BeatShape(data_width).blocks),
                         "is_last": unsigned(1)})


def done_line_layout() -> StructLayout:
    """A line that is wholly encrypted; if it has ``failed``, nothing of it may be written."""
    return StructLayout({"failed": unsigned(1), "is_held": unsigned(1)})


class WriteCollect(Component):
    """Takes what comes from the lane, which has its room here, and says when a line is complete.

    A line fails if one of its beats was encrypted while its key was being erased, or with a faulty round key.

    Latency: five cycles, or if pipelined six. Throughput: a beat a cycle. Stalls: ``lane_o`` never waits.

    Parameters
    ----------
    entries, data_width, slot_width, slots : :class:`int`
        Lines in flight, widths of a beat and of a slot number, and number of slots.
    pipelined : :class:`bool`
        Whether registers part the steps from ``lane_o`` on.

    Members
    -------
    lane_o : ``In(stream.Signature(lane_output_layout(...), always_ready=True))``
    serving : ``In(slots)``
        Slots whose keys are there.
    key_fault : ``Out(1)``
        A beat has met a faulty round key of a slot that serves.
    done : ``Out(stream.Signature(done_line_layout()))``
        Lines of which all beats have come.
    o : ``Out(stream.Signature(cipher_layout(...)))``
        Their beats.
    """

    def __init__(self, *, entries: int, data_width: int, slot_width: int, slots: int, pipelined: bool) -> None:
        self.entries = entries
        self.beat = BeatShape(data_width)
        self.pipelined = pipelined
        self.tag_layout = write_tag_layout(data_width=data_width, slot_width=slot_width)
        lane = lane_output_layout(data_width=data_width, tag=self.tag_layout)
        super().__init__({
            "lane_o": In(stream.Signature(lane, always_ready=True)),
            "serving": In(slots),
            "key_fault": Out(1),
            "done": Out(stream.Signature(done_line_layout())),
            "o": Out(stream.Signature(cipher_layout(data_width=data_width))),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.arrival = arrival = Stage(
            shape=StructLayout({"valid": unsigned(1), "data": unsigned(self.beat.data_width), "fault": unsigned(1),
                                "tag": self.tag_layout}),
            registered=self.pipelined)
        m.d.comb += [
            arrival.advance.eq(1),
            arrival.i.valid.eq(self.lane_o.valid),
            *(arrival.i[field].eq(self.lane_o.payload[field]) for field in ("data", "fault", "tag")),
        ]
        self._store(m, arrival.o)
        self._judge(m, arrival.o)
        return m

    def _store(self, m: Module, arrived) -> None:
        depth, layout = self.beat.per_line * self.entries, self.o.payload.shape()
        m.submodules.beats = beats = RamQueue(shape=layout, depth=depth)
        m.submodules.stored = stored = Tally(limit=depth)
        m.submodules.ahead = ahead = BoundedQueue(shape=layout, depth=AHEAD, spare=2)
        takes, is_read, is_shown = Signal(), Signal(), Signal()
        connect(m, ahead.o, flipped(self.o))
        m.d.comb += [
            beats.i.valid.eq(arrived.valid),
            beats.i.payload.data.eq(arrived.data),
            beats.i.payload.written.eq(arrived.tag.written),
            beats.i.payload.is_last.eq(arrived.tag.is_last),
            takes.eq(stored.some & ahead.i.ready),
            stored.comes.eq(arrived.valid),
            stored.goes.eq(takes),
            beats.take.eq(takes),
            beats.advance.eq(1),
            ahead.i.valid.eq(is_shown),
            ahead.i.payload.eq(beats.o),
            ahead.i.payload.data.eq(beats.o.data & Cat(bit.replicate(BLOCK_BITS) for bit in beats.o.written)),
        ]
        m.d.sync += [is_read.eq(takes), is_shown.eq(is_read)]

    def _judge(self, m: Module, arrived) -> None:
        """Looks for a line's key when each beat has left the lane: it cannot have gone and come back meanwhile."""
        m.submodules.verdict = verdict = Stage(
            shape=StructLayout({"valid": unsigned(1), "failed": unsigned(1), "key_fault": unsigned(1),
                                "is_last": unsigned(1), "is_held": unsigned(1)}), registered=self.pipelined)
        m.submodules.lines = lines = ReservedQueue(shape=done_line_layout(), depth=self.entries, bypass=False)
        has_failed, is_served = Signal(), self.serving.bit_select(arrived.tag.slot, 1)
        connect(m, lines.o, flipped(self.done))
        m.d.comb += [
            verdict.advance.eq(1),
            verdict.i.valid.eq(arrived.valid),
            verdict.i.failed.eq(arrived.tag.failed | ~is_served | arrived.fault),
            verdict.i.key_fault.eq(arrived.fault & is_served),
            self.key_fault.eq(verdict.o.valid & verdict.o.key_fault),
            verdict.i.is_last.eq(arrived.tag.is_last),
            verdict.i.is_held.eq(arrived.tag.is_held),
            lines.i.valid.eq(verdict.o.valid & verdict.o.is_last),
            lines.i.payload.failed.eq(has_failed | verdict.o.failed),
            lines.i.payload.is_held.eq(verdict.o.is_held),
        ]
        with m.If(verdict.o.valid):
            m.d.sync += has_failed.eq((has_failed | verdict.o.failed) & ~verdict.o.is_last)
