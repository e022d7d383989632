"""Sends the beats of each line, whole and in order, through the encrypting lane."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.axi.beat import BeatShape
from cbit.stream.bounded_queue import BoundedQueue
from cbit.stream.hop import Hop
from cbit.stream.ram_queue import RamQueue
from cbit.stream.slice import RegisterSlice
from cbit.stream.tally import Tally
from cbit.xts.ports import lane_input_layout, tweak_result_layout

from .gather import whole_layout
from .merge import ready_line_layout

__all__ = ["WriteEncrypt", "key_line_layout", "write_tag_layout"]

LEAVING = 16
"""Beats that wait before the lane if pipelined, what a distributed RAM holds."""

ON_THE_WAY = 3
"""Beats that are chosen and not counted yet as waiting there."""


def write_tag_layout(*, data_width: int, slot_width: int) -> StructLayout:
    """What goes beside a beat through the encrypting lane: a bit for each block that is written, and whether it is the
    last of a line, among others."""
    return StructLayout({"slot": unsigned(slot_width), "written": unsigned(BeatShape(data_width).blocks),
                         "is_last": unsigned(1), "is_held": unsigned(1), "failed": unsigned(1)})


def key_line_layout(*, data_width: int, slot_width: int) -> StructLayout:
    """What of a line its encryption needs."""
    number = unsigned(BeatShape(data_width).number_bits)
    return StructLayout({"slot": unsigned(slot_width), "first_beat": number, "last_beat": number})


class WriteEncrypt(Component):
    """Keeps the plaintext until data and tweak are there, fills in what has been read, and encrypts.

    A beat of which nothing is written goes through the lane, too, and comes out marked.

    Latency: three cycles to ``lane_i``, or if pipelined six. Throughput: a beat a cycle, a partial one every four, or
    if pipelined five. Stalls: in order, while a line is not ready, a tweak or a read has not come, or the lane is busy.

    Parameters
    ----------
    entries, data_width, slot_width : :class:`int`
        Lines in flight, and widths of a beat and of a slot number.
    pipelined : :class:`bool`
        Whether registers part the steps before the choice, and a queue the steps behind it from the lane.

    Members
    -------
    whole : ``In(stream.Signature(whole_layout(...), always_ready=True))``
        Beats of plaintext.
    line : ``In(stream.Signature(key_line_layout(...)))``
        The lines to which they belong.
    ready_line : ``In(stream.Signature(ready_line_layout(...)))``
        The same lines when they may be encrypted.
    tweak : ``In(stream.Signature(tweak_result_layout(...), always_ready=True))``
        The tweaks of the lines, in the same order.
    is_there, data, failed, take
        As in :class:`~cbit.write.merge.WriteMerge`.
    lane_i : ``Out(stream.Signature(lane_input_layout(...)))``
    """

    def __init__(self, *, entries: int, data_width: int, slot_width: int, pipelined: bool) -> None:
        self.entries = entries
        self.beat = BeatShape(data_width)
        self.pipelined = pipelined
        widths = {"data_width": data_width, "slot_width": slot_width}
        self.tag_layout = write_tag_layout(**widths)
        self.lane_layout = lane_input_layout(tag=self.tag_layout, **widths)
        super().__init__({
            "whole": In(stream.Signature(whole_layout(data_width=data_width), always_ready=True)),
            "line": In(stream.Signature(key_line_layout(**widths))),
            "ready_line": In(stream.Signature(ready_line_layout(data_width=data_width))),
            "tweak": In(stream.Signature(tweak_result_layout(entries=entries), always_ready=True)),
            "is_there": In(1),
            "data": In(data_width),
            "failed": In(1),
            "take": Out(1),
            "lane_i": Out(stream.Signature(self.lane_layout)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.beats = beats = RamQueue(shape=self.whole.payload.shape(),
                                              depth=self.beat.per_line * self.entries)
        # Nothing is read in the cycle of its writing, so synthesis need not care what would come.
        m.submodules.tweaks = tweaks = Memory(shape=unsigned(129), depth=self.entries, init=[],
                                              attrs={"no_rw_check": 1})
        step = StructLayout({
            "valid": unsigned(1), "index": range(self.entries), "number": unsigned(self.beat.number_bits),
            "is_partial": unsigned(1), "tag": self.tag_layout})
        chosen, read, shown = (Signal(step, name=name) for name in ("chosen", "read", "shown"))
        # Counts only beside its valid bit, which is reset.
        lane, lane_valid = Signal(self.lane_layout, reset_less=True), Signal()
        advance, has_room = self._lead_out(m, lane, lane_valid)
        m.submodules.tweaks_there = tweaks_there = Tally(limit=self.entries)
        offered, goes = self._offer_beats(m)
        candidate = offered.payload
        index = Signal(range(self.entries), init=1)
        may_read = self._may_read(m, goes & candidate.is_partial, (read, shown))
        tweak_write, tweak_read = tweaks.write_port(), tweaks.read_port(domain="comb")
        # Not reset: it follows the memory, which is not either.
        tweak = Signal(129, reset_less=True)
        m.d.comb += [
            *(chosen[field].eq(candidate[field]) for field, _ in candidate.shape()),
            chosen.valid.eq(offered.valid & tweaks_there.some & (~candidate.is_partial | may_read) & has_room),
            chosen.index.eq(index),
            goes.eq(chosen.valid & advance),
            tweaks_there.comes.eq(self.tweak.valid),
            tweaks_there.goes.eq(goes & candidate.tag.is_last),
            beats.i.payload.eq(self.whole.payload),
            beats.i.valid.eq(self.whole.valid),
            beats.take.eq(chosen.valid),
            beats.advance.eq(advance),
            tweak_write.addr.eq(self.tweak.payload.index),
            tweak_write.data.eq(Cat(self.tweak.payload.tweak, self.tweak.payload.fault)),
            tweak_write.en.eq(self.tweak.valid),
            tweak_read.addr.eq(read.index),
            self.take.eq(shown.valid & shown.is_partial & advance),
        ]
        with m.If(tweaks_there.goes):
            m.d.sync += index.eq(index + 1)
        with m.If(advance):
            m.d.sync += [read.eq(chosen), shown.eq(read), lane_valid.eq(shown.valid), tweak.eq(tweak_read.data),
                         Cat(lane.tweak, lane.fault).eq(tweak)]
            self._fill(m, lane, shown, beats.o)
        return m

    def _fill(self, m: Module, lane, shown, beat) -> None:
        """What goes to the lane but for its tweak: bytes that are not written are those that have been read."""
        m.d.sync += [
            lane.slot.eq(shown.tag.slot),
            lane.number.eq(shown.number),
            lane.tag.eq(shown.tag),
            lane.tag.failed.eq(shown.is_partial & self.failed),
            *(lane.data.word_select(byte, 8).eq(
                Mux(beat.strb[byte], beat.data.word_select(byte, 8), self.data.word_select(byte, 8)))
              for byte in range(self.beat.bytes)),
        ]

    def _lead_out(self, m: Module, lane, lane_valid: Signal):
        """Leads beats to the lane; returns whether the steps before go on, and whether there is room behind."""
        if not self.pipelined:
            m.d.comb += [self.lane_i.payload.eq(lane), self.lane_i.valid.eq(lane_valid)]
            return ~lane_valid | self.lane_i.ready, Const(1)
        m.submodules.leaving = leaving = BoundedQueue(shape=self.lane_layout, depth=LEAVING, spare=ON_THE_WAY,
                                                      registered=True)
        connect(m, leaving.o, flipped(self.lane_i))
        m.d.comb += [leaving.i.payload.eq(lane), leaving.i.valid.eq(lane_valid)]
        return Const(1), leaving.i.ready

    def _may_read(self, m: Module, goes, later) -> Signal:
        """Whether a partial beat may go: only when what it lacks is there, and no other is on its way to the lane."""
        is_near, may_read = Signal(), Signal()
        for step in later:
            with m.If(step.valid & step.is_partial):
                m.d.comb += is_near.eq(1)
        if self.pipelined:
            m.d.sync += may_read.eq(self.is_there & ~is_near & ~goes)
        else:
            m.d.comb += may_read.eq(self.is_there & ~is_near)
        return may_read

    def _offer_beats(self, m: Module):
        """The beats of the lines, one after the other; returns the next, and the signal that takes it."""
        layout = StructLayout({"line": self.line.payload.shape(), "ready_line": self.ready_line.payload.shape()})
        lines = RegisterSlice(shape=layout) if self.pipelined else Hop(shape=layout, registered=False)
        m.submodules.lines = lines
        m.submodules.offered = offered = Hop(
            shape=StructLayout({"number": self.line.payload.last_beat.shape(), "is_partial": unsigned(1),
                                "tag": self.tag_layout}), registered=self.pipelined)
        line, ready_line, beat = lines.o.payload.line, lines.o.payload.ready_line, offered.i.payload
        is_begun, next_beat, goes, ends = Signal(), Signal.like(line.last_beat), Signal(), Signal()
        m.d.comb += [
            lines.i.payload.line.eq(self.line.payload),
            lines.i.payload.ready_line.eq(self.ready_line.payload),
            lines.i.valid.eq(self.line.valid & self.ready_line.valid),
            self.line.ready.eq(lines.i.valid & lines.i.ready),
            self.ready_line.ready.eq(lines.i.valid & lines.i.ready),
            beat.number.eq(Mux(is_begun, next_beat, line.first_beat)),
            beat.is_partial.eq(ready_line.partial.bit_select(beat.number, 1)),
            beat.tag.slot.eq(line.slot),
            beat.tag.written.eq(ready_line.written.word_select(beat.number, self.beat.blocks)),
            beat.tag.is_last.eq(beat.number == line.last_beat),
            beat.tag.is_held.eq(ready_line.is_held),
            offered.i.valid.eq(lines.o.valid),
            ends.eq(offered.i.valid & offered.i.ready & beat.tag.is_last),
            lines.o.ready.eq(ends),
            offered.o.ready.eq(goes),
        ]
        with m.If(offered.i.valid & offered.i.ready):
            m.d.sync += [is_begun.eq(~beat.tag.is_last), next_beat.eq(beat.number + 1)]
        return offered.o, goes
