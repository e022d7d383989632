"""From complete blocks of plaintext to ciphertext that is ready for DRAM."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.stream.queue import ReservedQueue
from cbit.xts.ports import lane_input_layout, lane_output_layout, tweak_result_layout
from cbit.xts.tweak_store import TweakStore

from .entry import BLOCKS_PER_ENTRY, line_job_layout, place_of

__all__ = ["WriteEncrypt", "write_tag_layout"]


def write_tag_layout(*, entries: int, slot_width: int) -> StructLayout:
    """What goes beside a block through the encrypting lane."""
    return StructLayout({"place": range(BLOCKS_PER_ENTRY * entries), "slot": unsigned(slot_width)})


class WriteEncrypt(Component):
    """Encrypts the blocks of each write in order, as soon as block and tweak are there.

    Latency: that of the lane. Throughput: one block a cycle. Stalls: while a block is not complete, its
    tweak has not come, or the lane is busy.

    Parameters
    ----------
    entries, c_bit, id_width, slot_width, slots : :class:`int`
        Size of the table, widths, and number of slots.

    Members
    -------
    job : ``In(stream.Signature(line_job_layout(...), always_ready=True))``
        A new write.
    tweak : ``In(stream.Signature(tweak_result_layout(...), always_ready=True))``
    place : ``Out(range(4 * entries))``
        The place of the block whose turn it is.
    block : ``In(128)``
        Its plaintext.
    is_complete, is_written : ``In(4 * entries)``
        For each place: whether the block is complete; whether it is to be written at all.
    lane_i, lane_o : ``Out``, ``In``
        The two ends of an :class:`~cbit.xts.lane.XtsLane`.
    serving : ``In(slots)``
        Slots whose keys are there.
    read_place : ``In(range(4 * entries))``
    ciphertext : ``Out(128)``
        The ciphertext at ``read_place``.
    is_ready : ``Out(4 * entries)``
        Places whose block may go to DRAM.
    lost : ``Out(entries)``
        Writes of which a block was encrypted while its key was being erased.
    """

    def __init__(self, *, entries: int, c_bit: int, id_width: int, slot_width: int, slots: int) -> None:
        self.entries = entries
        self.blocks = BLOCKS_PER_ENTRY * entries
        self.job_layout = line_job_layout(entries=entries, c_bit=c_bit, id_width=id_width, slot_width=slot_width)
        tag = write_tag_layout(entries=entries, slot_width=slot_width)
        super().__init__({
            "job": In(stream.Signature(self.job_layout, always_ready=True)),
            "tweak": In(stream.Signature(tweak_result_layout(entries=entries), always_ready=True)),
            "place": Out(range(self.blocks)),
            "block": In(128),
            "is_complete": In(self.blocks),
            "is_written": In(self.blocks),
            "lane_i": Out(stream.Signature(lane_input_layout(slot_width=slot_width, tag=tag))),
            "lane_o": In(stream.Signature(lane_output_layout(tag=tag), always_ready=True)),
            "serving": In(slots),
            "read_place": In(range(self.blocks)),
            "ciphertext": Out(128),
            "is_ready": Out(self.blocks),
            "lost": Out(entries),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.jobs = jobs = ReservedQueue(shape=self.job_layout, depth=self.entries, bypass=False)
        m.d.comb += [
            jobs.i.payload.eq(self.job.payload),
            jobs.i.valid.eq(self.job.valid),
        ]
        skipped = Signal()
        self._feed_lane(m, jobs.o, skipped)
        self._store(m, skipped)
        return m

    def _feed_lane(self, m: Module, jobs, skipped: Signal) -> None:
        m.submodules.tweaks = tweaks = TweakStore(entries=self.entries)
        job, lane = jobs.payload, self.lane_i
        is_begun = Signal()
        next_block = Signal(2)
        block = Signal(2)
        is_complete = self.is_complete.bit_select(self.place, 1)
        is_written = self.is_written.bit_select(self.place, 1)
        may_go = Signal()
        gone = Signal()
        m.d.comb += [
            block.eq(Mux(is_begun, next_block, job.first_block)),
            self.place.eq(place_of(job.index, block)),
            tweaks.i.payload.eq(self.tweak.payload),
            tweaks.i.valid.eq(self.tweak.valid),
            tweaks.forget.eq(self.job.valid),
            tweaks.forget_index.eq(self.job.payload.index),
            tweaks.index.eq(job.index),
            # A block that is not written waits for its tweak too, lest that come in the entry's next use.
            may_go.eq(jobs.valid & is_complete & tweaks.is_ready),
            lane.valid.eq(may_go & is_written),
            lane.payload.block.eq(self.block),
            lane.payload.slot.eq(job.slot),
            lane.payload.tweak.eq(tweaks.tweak),
            lane.payload.power.eq(block),
            lane.payload.tag.place.eq(self.place),
            lane.payload.tag.slot.eq(job.slot),
            skipped.eq(may_go & ~is_written),
            gone.eq((lane.valid & lane.ready) | skipped),
            jobs.ready.eq(gone & (block == job.last_block)),
        ]
        with m.If(gone):
            m.d.sync += [is_begun.eq(~jobs.ready), next_block.eq(block + 1)]

    def _store(self, m: Module, skipped: Signal) -> None:
        m.submodules.memory = memory = Memory(shape=unsigned(128), depth=self.blocks, init=[])
        write = memory.write_port()
        read = memory.read_port(domain="comb")
        done, tag = self.lane_o, self.lane_o.payload.tag
        m.d.comb += [
            write.addr.eq(tag.place),
            write.data.eq(done.payload.block),
            write.en.eq(done.valid),
            read.addr.eq(self.read_place),
            self.ciphertext.eq(read.data),
        ]
        with m.If(self.job.valid):
            index = self.job.payload.index
            m.d.sync += [
                self.is_ready.word_select(index, BLOCKS_PER_ENTRY).eq(0),
                self.lost.bit_select(index, 1).eq(0),
            ]
        with m.If(skipped):
            m.d.sync += self.is_ready.bit_select(self.place, 1).eq(1)
        with m.If(done.valid):
            m.d.sync += self.is_ready.bit_select(tag.place, 1).eq(1)
            with m.If(~self.serving.bit_select(tag.slot, 1)):
                m.d.sync += self.lost.bit_select(tag.place[2:], 1).eq(1)
