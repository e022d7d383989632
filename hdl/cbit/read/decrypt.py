"""From a block of ciphertext to the beats that it serves."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Response
from cbit.stream.queue import ReservedQueue
from cbit.xts.ports import lane_input_layout, lane_output_layout, tweak_result_layout
from cbit.xts.tweak_store import TweakStore

from .entry import ReadKind, delivery_layout, entry_layout

__all__ = ["ReadDecrypt", "cipher_beat_layout", "merged_layout", "read_tag_layout"]


def cipher_beat_layout(*, entries: int) -> StructLayout:
    """A beat of DRAM: block number ``block`` of its line, for burst ``index``."""
    return StructLayout({"index": range(entries), "block": unsigned(2), "data": unsigned(128), "resp": Response})


def read_tag_layout(*, entries: int) -> StructLayout:
    """What goes beside a block through the decrypting lane."""
    return StructLayout({"index": range(entries), "block": unsigned(2), "resp": Response})


def merged_layout(*, blocks: int) -> StructLayout:
    """The plaintext that a partial write at ``place`` has asked for; not to be used if ``failed``."""
    return StructLayout({"place": range(blocks), "data": unsigned(128), "failed": unsigned(1)})


class ReadDecrypt(Component):
    """Decrypts beats in the order in which DRAM gives them, and repeats a block for each beat it serves.

    A beat whose tweak has not come, or which finds the lane busy, waits in a queue with room for all.
    A block goes to the manager as all ones with an error if DRAM gave an error or if its key is no
    longer there.

    Latency: that of the lane, if the tweak is there. Throughput: one beat a cycle. Stalls: ``i`` never
    waits; ``o`` stays while the manager waits; ``merged`` passes whatever ``o`` does.

    Parameters
    ----------
    entries, id_width, slot_width, slots, blocks : :class:`int`
        Sizes of the table, of an ID, of a slot number, and numbers of slots and of the write path's blocks.

    Members
    -------
    i : ``In(stream.Signature(cipher_beat_layout(...), always_ready=True))``
    lane_i, lane_o : ``Out``, ``In``
        The two ends of an :class:`~cbit.xts.lane.XtsLane`.
    tweak : ``In(stream.Signature(tweak_result_layout(...), always_ready=True))``
    allocate : ``In(1)``
        High in the cycle in which ``entry`` enters the table as ``allocated``.
    allocated, entry : ``In``
    slots : ``In(ArrayLayout(slot_width, entries))``
        Slot of each burst.
    serving : ``In(slots)``
        Slots whose keys are there.
    merged : ``Out(stream.Signature(merged_layout(...), always_ready=True))``
    decrypted : ``Out(1)``
        High in a cycle in which the last block of burst ``decrypted_index`` leaves the lane.
    decrypted_index : ``Out(range(entries))``
        The burst of the block that leaves the lane, of ``merged`` too.
    o : ``Out(stream.Signature(delivery_layout(...)))``
    """

    def __init__(self, *, entries: int, id_width: int, slot_width: int, slots: int, blocks: int) -> None:
        self.entries = entries
        self.tag_layout = read_tag_layout(entries=entries)
        super().__init__({
            "i": In(stream.Signature(cipher_beat_layout(entries=entries), always_ready=True)),
            "lane_i": Out(stream.Signature(lane_input_layout(slot_width=slot_width, tag=self.tag_layout))),
            "lane_o": In(stream.Signature(lane_output_layout(tag=self.tag_layout), always_ready=True)),
            "tweak": In(stream.Signature(tweak_result_layout(entries=entries), always_ready=True)),
            "allocate": In(1),
            "allocated": In(range(entries)),
            "entry": In(entry_layout(id_width=id_width, slot_width=slot_width, blocks=blocks)),
            "slots": In(ArrayLayout(unsigned(slot_width), entries)),
            "serving": In(slots),
            "merged": Out(stream.Signature(merged_layout(blocks=blocks), always_ready=True)),
            "decrypted": Out(1),
            "decrypted_index": Out(range(entries)),
            "o": Out(stream.Signature(delivery_layout(entries=entries, id_width=id_width, data_width=128))),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.plans = plans = Memory(shape=self.entry.shape(), depth=self.entries, init=[])
        plan_write = plans.write_port()
        plan_read = plans.read_port(domain="comb")
        m.d.comb += [
            plan_write.addr.eq(self.allocated),
            plan_write.data.eq(self.entry),
            plan_write.en.eq(self.allocate),
            plan_read.addr.eq(self.lane_o.payload.tag.index),
        ]
        self._feed_lane(m)
        self._sort_out(m, plan_read.data)
        return m

    def _feed_lane(self, m: Module) -> None:
        m.submodules.waiting = waiting = ReservedQueue(shape=self.i.payload.shape(), depth=4 * self.entries,
                                                       bypass=True)
        m.submodules.tweaks = tweaks = TweakStore(entries=self.entries)
        beat, lane = waiting.o.payload, self.lane_i
        m.d.comb += [
            waiting.i.payload.eq(self.i.payload),
            waiting.i.valid.eq(self.i.valid),
            tweaks.i.payload.eq(self.tweak.payload),
            tweaks.i.valid.eq(self.tweak.valid),
            tweaks.forget.eq(self.allocate),
            tweaks.forget_index.eq(self.allocated),
            tweaks.index.eq(beat.index),
            lane.valid.eq(waiting.o.valid & tweaks.is_ready),
            waiting.o.ready.eq(lane.ready & tweaks.is_ready),
            lane.payload.block.eq(beat.data),
            lane.payload.slot.eq(self.slots[beat.index]),
            lane.payload.tweak.eq(tweaks.tweak),
            lane.payload.power.eq(beat.block),
            *(lane.payload.tag[field].eq(beat[field]) for field, _ in self.tag_layout),
        ]

    def _sort_out(self, m: Module, plan) -> None:
        """Sends a decrypted block to the partial write that asked for it or towards the manager."""
        block_layout = StructLayout({"delivery": self.o.payload.shape(), "repeat": unsigned(4)})
        m.submodules.done = done = ReservedQueue(shape=block_layout, depth=4 * self.entries, bypass=True)
        block, tag = self.lane_o.payload.block, self.lane_o.payload.tag
        is_merge = plan.kind == ReadKind.MERGE
        dram_failed = (tag.resp == Response.SLVERR) | (tag.resp == Response.DECERR)
        failed = Signal()
        m.d.comb += [
            failed.eq(dram_failed | ~self.serving.bit_select(plan.slot, 1)),
            self.merged.valid.eq(self.lane_o.valid & is_merge),
            self.merged.payload.place.eq(plan.place),
            self.merged.payload.data.eq(block),
            self.merged.payload.failed.eq(failed),
            self.decrypted.eq(self.lane_o.valid & (tag.block == plan.last_block)),
            self.decrypted_index.eq(tag.index),
        ]

        delivery = done.i.payload.delivery
        m.d.comb += [
            done.i.valid.eq(self.lane_o.valid & ~is_merge),
            delivery.index.eq(tag.index),
            delivery.is_end.eq(tag.block == plan.last_block),
            delivery.beat.id.eq(plan.id),
            delivery.beat.data.eq(block | failed.replicate(128)),
            delivery.beat.last.eq(delivery.is_end & plan.is_final),
            done.i.payload.repeat.eq(Mux(delivery.is_end, plan.last_repeat, plan.inner_repeat)),
        ]
        with m.If(dram_failed):
            m.d.comb += delivery.beat.resp.eq(tag.resp)
        with m.Elif(failed):
            m.d.comb += delivery.beat.resp.eq(Response.SLVERR)
        with m.If(tag.block == plan.first_block):
            m.d.comb += done.i.payload.repeat.eq(plan.first_repeat)

        repeated = Signal(4)
        is_last_repeat = repeated == done.o.payload.repeat
        m.d.comb += [
            self.o.valid.eq(done.o.valid),
            self.o.payload.eq(done.o.payload.delivery),
            self.o.payload.is_end.eq(done.o.payload.delivery.is_end & is_last_repeat),
            self.o.payload.beat.last.eq(done.o.payload.delivery.beat.last & is_last_repeat),
            done.o.ready.eq(self.o.ready & is_last_repeat),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += repeated.eq(Mux(is_last_repeat, 0, repeated + 1))
