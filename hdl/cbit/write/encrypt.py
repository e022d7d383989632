"""Sends the blocks of each line, whole and in order, through the encrypting lane."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.stream.ram_queue import RamQueue
from cbit.stream.tally import Tally
from cbit.xts.ports import lane_input_layout, tweak_result_layout

from .entry import BLOCKS_PER_ENTRY
from .gather import block_layout
from .merge import ready_line_layout

__all__ = ["WriteEncrypt", "key_line_layout", "write_tag_layout"]


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

    Latency: three cycles to ``lane_i``. Throughput: a block a cycle, a partial one every four. Stalls: in order, while
    a line is not ready, a tweak or a read has not come, or the lane is busy.

    Parameters
    ----------
    entries, slot_width : :class:`int`
        Lines in flight, and width of a slot number.

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

    def __init__(self, *, entries: int, slot_width: int) -> None:
        self.entries = entries
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
        m.submodules.tweaks = tweaks = Memory(shape=unsigned(128), depth=self.entries, init=[])
        step = StructLayout({
            "valid": unsigned(1), "index": range(self.entries), "block": unsigned(2), "is_partial": unsigned(1),
            "tag": self.tag_layout})
        chosen, read, shown = (Signal(step, name=name) for name in ("chosen", "read", "shown"))
        advance = Signal()
        self._choose(m, chosen, (read, shown), advance)
        tweak_write, tweak_read = tweaks.write_port(), tweaks.read_port(domain="comb")
        lane = self.lane_i.payload
        m.d.comb += [
            advance.eq(~self.lane_i.valid | self.lane_i.ready),
            blocks.i.payload.eq(self.block.payload),
            blocks.i.valid.eq(self.block.valid),
            blocks.take.eq(chosen.valid),
            blocks.advance.eq(advance),
            tweak_write.addr.eq(self.tweak.payload.index),
            tweak_write.data.eq(self.tweak.payload.tweak),
            tweak_write.en.eq(self.tweak.valid),
            tweak_read.addr.eq(shown.index),
            self.take.eq(shown.valid & shown.is_partial & advance),
        ]
        with m.If(advance):
            m.d.sync += [
                read.eq(chosen),
                shown.eq(read),
                self.lane_i.valid.eq(shown.valid),
                lane.slot.eq(shown.tag.slot),
                lane.tweak.eq(tweak_read.data),
                lane.power.eq(shown.block),
                lane.tag.eq(shown.tag),
                lane.tag.failed.eq(shown.is_partial & self.failed),
                *(lane.block.word_select(byte, 8).eq(
                    Mux(blocks.o.strb[byte], blocks.o.data.word_select(byte, 8), self.data.word_select(byte, 8)))
                  for byte in range(16)),
            ]
        return m

    def _choose(self, m: Module, chosen, later, advance: Signal) -> None:
        """The block that goes next, if it may; a partial one only when no other is on its way to the lane."""
        m.submodules.tweaks_there = tweaks_there = Tally(limit=self.entries)
        line, ready_line = self.line.payload, self.ready_line.payload
        is_begun, next_block = Signal(), Signal(2)
        index = Signal(range(self.entries), init=1)
        is_partial, is_near, may_read, ends = Signal(), Signal(), Signal(), Signal()
        for step in later:
            with m.If(step.valid & step.is_partial):
                m.d.comb += is_near.eq(1)
        m.d.comb += [
            may_read.eq(self.is_there & ~is_near),
            is_partial.eq(ready_line.partial.bit_select(chosen.block, 1)),
            chosen.valid.eq(self.line.valid & self.ready_line.valid & tweaks_there.some & (~is_partial | may_read)),
            chosen.index.eq(index),
            chosen.block.eq(Mux(is_begun, next_block, line.first_block)),
            chosen.is_partial.eq(is_partial),
            chosen.tag.slot.eq(line.slot),
            chosen.tag.is_written.eq(ready_line.written.bit_select(chosen.block, 1)),
            chosen.tag.is_last.eq(chosen.block == line.last_block),
            chosen.tag.is_held.eq(ready_line.is_held),
            ends.eq(chosen.valid & chosen.tag.is_last & advance),
            self.line.ready.eq(ends),
            self.ready_line.ready.eq(ends),
            tweaks_there.comes.eq(self.tweak.valid),
            tweaks_there.goes.eq(ends),
        ]
        with m.If(chosen.valid & advance):
            m.d.sync += [is_begun.eq(~chosen.tag.is_last), next_block.eq(chosen.block + 1)]
        with m.If(ends):
            m.d.sync += index.eq(index + 1)
