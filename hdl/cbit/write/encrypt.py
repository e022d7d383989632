"""Sends the blocks of each line, whole and in order, through the encrypting lane."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.stream.bounded_queue import BoundedQueue
from cbit.stream.hop import Hop
from cbit.stream.ram_queue import RamQueue
from cbit.stream.slice import RegisterSlice
from cbit.stream.tally import Tally
from cbit.xts.ports import lane_input_layout, tweak_result_layout

from .entry import BLOCKS_PER_ENTRY
from .gather import block_layout
from .merge import ready_line_layout

__all__ = ["WriteEncrypt", "key_line_layout", "write_tag_layout"]

LEAVING = 16
"""Blocks that wait before the lane if pipelined, what a distributed RAM holds."""

ON_THE_WAY = 3
"""Blocks that are chosen and not counted yet as waiting there."""


def write_tag_layout(*, slot_width: int) -> StructLayout:
    """What goes beside a block through the encrypting lane; ``is_last`` marks the last of a line."""
    return StructLayout({"slot": unsigned(slot_width), "is_written": unsigned(1), "is_last": unsigned(1),
                         "is_held": unsigned(1), "failed": unsigned(1)})


def key_line_layout(*, slot_width: int) -> StructLayout:
    """What of a line its encryption needs."""
    return StructLayout({"slot": unsigned(slot_width), "first_block": unsigned(2), "last_block": unsigned(2)})


class WriteEncrypt(Component):
    """Keeps the plaintext until data and tweak are there, fills in what has been read, and encrypts.

    A block of which nothing is written goes through the lane, too, and comes out marked.

    Latency: three cycles to ``lane_i``, or if pipelined six. Throughput: a block a cycle, a partial one every four, or
    if pipelined five. Stalls: in order, while a line is not ready, a tweak or a read has not come, or the lane is busy.

    Parameters
    ----------
    entries, slot_width : :class:`int`
        Lines in flight, and width of a slot number.
    pipelined : :class:`bool`
        Whether registers part the steps before the choice, and a queue the steps behind it from the lane.

    Members
    -------
    block : ``In(stream.Signature(block_layout(), always_ready=True))``
        Blocks of plaintext.
    line : ``In(stream.Signature(key_line_layout(...)))``
        The lines to which they belong.
    ready_line : ``In(stream.Signature(ready_line_layout()))``
        The same lines when they may be encrypted.
    tweak : ``In(stream.Signature(tweak_result_layout(...), always_ready=True))``
        The tweaks of the lines, in the same order.
    is_there, data, failed, take
        As in :class:`~cbit.write.merge.WriteMerge`.
    lane_i : ``Out(stream.Signature(lane_input_layout(...)))``
    """

    def __init__(self, *, entries: int, slot_width: int, pipelined: bool) -> None:
        self.entries = entries
        self.pipelined = pipelined
        self.tag_layout = write_tag_layout(slot_width=slot_width)
        self.lane_layout = lane_input_layout(slot_width=slot_width, tag=self.tag_layout)
        super().__init__({
            "block": In(stream.Signature(block_layout(), always_ready=True)),
            "line": In(stream.Signature(key_line_layout(slot_width=slot_width))),
            "ready_line": In(stream.Signature(ready_line_layout())),
            "tweak": In(stream.Signature(tweak_result_layout(entries=entries), always_ready=True)),
            "is_there": In(1),
            "data": In(128),
            "failed": In(1),
            "take": Out(1),
            "lane_i": Out(stream.Signature(self.lane_layout)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.blocks = blocks = RamQueue(shape=block_layout(), depth=BLOCKS_PER_ENTRY * self.entries)
        # Nothing is read in the cycle of its writing, so synthesis need not care what would come.
        m.submodules.tweaks = tweaks = Memory(shape=unsigned(129), depth=self.entries, init=[],
                                              attrs={"no_rw_check": 1})
        step = StructLayout({
            "valid": unsigned(1), "index": range(self.entries), "block": unsigned(2), "is_partial": unsigned(1),
            "tag": self.tag_layout})
        chosen, read, shown = (Signal(step, name=name) for name in ("chosen", "read", "shown"))
        # Counts only beside its valid bit, which is reset.
        lane, lane_valid = Signal(self.lane_layout, reset_less=True), Signal()
        advance, has_room = self._lead_out(m, lane, lane_valid)
        m.submodules.tweaks_there = tweaks_there = Tally(limit=self.entries)
        offered, goes = self._offer_blocks(m)
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
            blocks.i.payload.eq(self.block.payload),
            blocks.i.valid.eq(self.block.valid),
            blocks.take.eq(chosen.valid),
            blocks.advance.eq(advance),
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
            self._fill(m, lane, shown, blocks.o)
        return m

    def _fill(self, m: Module, lane, shown, block) -> None:
        """What goes to the lane but for its tweak: bytes that are not written are those that have been read."""
        m.d.sync += [
            lane.slot.eq(shown.tag.slot),
            lane.power.eq(shown.block),
            lane.tag.eq(shown.tag),
            lane.tag.failed.eq(shown.is_partial & self.failed),
            *(lane.block.word_select(byte, 8).eq(
                Mux(block.strb[byte], block.data.word_select(byte, 8), self.data.word_select(byte, 8)))
              for byte in range(16)),
        ]

    def _lead_out(self, m: Module, lane, lane_valid: Signal):
        """Leads blocks to the lane; returns whether the steps before go on, and whether there is room behind."""
        if not self.pipelined:
            m.d.comb += [self.lane_i.payload.eq(lane), self.lane_i.valid.eq(lane_valid)]
            return ~lane_valid | self.lane_i.ready, Const(1)
        m.submodules.leaving = leaving = BoundedQueue(shape=self.lane_layout, depth=LEAVING, spare=ON_THE_WAY,
                                                      registered=True)
        connect(m, leaving.o, flipped(self.lane_i))
        m.d.comb += [leaving.i.payload.eq(lane), leaving.i.valid.eq(lane_valid)]
        return Const(1), leaving.i.ready

    def _may_read(self, m: Module, goes, later) -> Signal:
        """Whether a partial block may go: only when what it lacks is there, and no other is on its way to the lane."""
        is_near, may_read = Signal(), Signal()
        for step in later:
            with m.If(step.valid & step.is_partial):
                m.d.comb += is_near.eq(1)
        if self.pipelined:
            m.d.sync += may_read.eq(self.is_there & ~is_near & ~goes)
        else:
            m.d.comb += may_read.eq(self.is_there & ~is_near)
        return may_read

    def _offer_blocks(self, m: Module):
        """The blocks of the lines, one after the other; returns the next, and the signal that takes it."""
        layout = StructLayout({"line": self.line.payload.shape(), "ready_line": self.ready_line.payload.shape()})
        lines = RegisterSlice(shape=layout) if self.pipelined else Hop(shape=layout, registered=False)
        m.submodules.lines = lines
        m.submodules.offered = offered = Hop(
            shape=StructLayout({"block": unsigned(2), "is_partial": unsigned(1), "tag": self.tag_layout}),
            registered=self.pipelined)
        line, ready_line, block = lines.o.payload.line, lines.o.payload.ready_line, offered.i.payload
        is_begun, next_block, goes, ends = Signal(), Signal(2), Signal(), Signal()
        m.d.comb += [
            lines.i.payload.line.eq(self.line.payload),
            lines.i.payload.ready_line.eq(self.ready_line.payload),
            lines.i.valid.eq(self.line.valid & self.ready_line.valid),
            self.line.ready.eq(lines.i.valid & lines.i.ready),
            self.ready_line.ready.eq(lines.i.valid & lines.i.ready),
            block.block.eq(Mux(is_begun, next_block, line.first_block)),
            block.is_partial.eq(ready_line.partial.bit_select(block.block, 1)),
            block.tag.slot.eq(line.slot),
            block.tag.is_written.eq(ready_line.written.bit_select(block.block, 1)),
            block.tag.is_last.eq(block.block == line.last_block),
            block.tag.is_held.eq(ready_line.is_held),
            offered.i.valid.eq(lines.o.valid),
            ends.eq(offered.i.valid & offered.i.ready & block.tag.is_last),
            lines.o.ready.eq(ends),
            offered.o.ready.eq(goes),
        ]
        with m.If(offered.i.valid & offered.i.ready):
            m.d.sync += [is_begun.eq(~block.tag.is_last), next_block.eq(block.block + 1)]
        return offered.o, goes
