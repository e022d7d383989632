"""From a beat of ciphertext to the plaintext that managers and partial writes wait for."""

from functools import partial

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value, unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.axi.beat import BeatShape
from cbit.axi.ports import Response, read_data_layout
from cbit.stream.hop import Hop
from cbit.stream.queue import ReservedQueue
from cbit.stream.slice import RegisterSlice
from cbit.stream.stage import Stage
from cbit.xts.ports import lane_input_layout, lane_output_layout, tweak_result_layout
from cbit.xts.tweak_store import TweakStore

from .entry import GENERATIONS, TICKET_BITS, plan_layout
from .gate import Gate
from .sort import WAITING_BEATS, cipher_beat_layout

__all__ = ["ReadDecrypt", "decrypted_layout", "merged_layout", "read_tag_layout"]


def read_tag_layout(*, data_width: int, id_width: int, slot_width: int, places: int) -> StructLayout:
    """What goes beside a beat through the decrypting lane: what is to become of it."""
    return StructLayout({
        "is_merge": unsigned(1),
        "id": unsigned(id_width),
        "slot": unsigned(slot_width),
        "resp": Response,
        "repeat": unsigned(BeatShape(data_width).size),
        "is_end": unsigned(1),
        "is_final": unsigned(1),
        "place": range(places),
        "mark": unsigned(TICKET_BITS),
        "generations": GENERATIONS,
    })


def merged_layout(*, data_width: int, places: int) -> StructLayout:
    """The plaintext that a partial write at ``place`` has asked for; not to be used if ``failed``."""
    return StructLayout({"place": range(places), "data": unsigned(data_width), "failed": unsigned(1)})


def decrypted_layout(*, data_width: int, id_width: int) -> StructLayout:
    """A beat of DRAM for the manager: ``repeat`` + 1 beats, of which the last is ``beat``.

    ``is_end`` marks the last one of a burst of ``generation``. It leaves only after ``mark`` plain beats.
    """
    return StructLayout({"beat": read_data_layout(id_width, data_width),
                         "repeat": unsigned(BeatShape(data_width).size), "is_end": unsigned(1),
                         "mark": unsigned(TICKET_BITS), "generation": unsigned(1)})


class ReadDecrypt(Component):
    """Decrypts beats in the order in which they come.

    A beat whose tweak has not come, or which finds the lane busy, waits with all behind it. A beat goes
    to the manager as all ones with an error if DRAM gave an error, if its key is no longer there or if a round key was
    faulty.

    Latency: that of the lane, if the tweak is there, or if pipelined four cycles more. Throughput: one
    beat a cycle. Stalls: ``i``, ``o`` and ``merged`` never wait; ``i`` must not come while
    :data:`~cbit.read.sort.WAITING_BEATS` beats wait.

    Parameters
    ----------
    entries, data_width, id_width, slot_width, slots, places : :class:`int`
        Number of bursts, widths of a beat, of an ID and of a slot number, and numbers of slots and of the write path's
        places of beats.
    pipelined : :class:`bool`
        Whether there are registers between the steps.

    Members
    -------
    i : ``In(stream.Signature(cipher_beat_layout(...), always_ready=True))``
    lane_i, lane_o : ``Out``, ``In``
        The two ends of an :class:`~cbit.xts.lane.XtsLane`.
    tweak : ``In(stream.Signature(tweak_result_layout(...), always_ready=True))``
    begin : ``In(1)``
        The burst of entry ``index`` begins, and ``plan`` says what becomes of it.
    index, plan, generations : ``In``
    free : ``Out(stream.Signature(range(entries), always_ready=True))``
        An entry whose last beat has left for the lane.
    left : ``Out(1)``
        High in a cycle in which a beat leaves for the lane, or if pipelined after it.
    serving : ``In(slots)``
        Slots whose keys are there.
    merged : ``Out(stream.Signature(merged_layout(...), always_ready=True))``
    o : ``Out(stream.Signature(decrypted_layout(...), always_ready=True))``
    key_fault : ``Out(1)``
        A beat has met a faulty round key of a slot that serves.
    end, ended : ``Out(1)``
        The last beat of a burst of key generation ``ended`` is decrypted.
    """

    def __init__(self, *, entries: int, data_width: int, id_width: int, slot_width: int, slots: int, places: int,
                 pipelined: bool) -> None:
        self.data_width = data_width
        self.entries = entries
        self.pipelined = pipelined
        widths = {"data_width": data_width, "id_width": id_width, "slot_width": slot_width, "places": places}
        lane = {"data_width": data_width, "tag": read_tag_layout(**widths)}
        self.tag_layout = lane["tag"]
        super().__init__({
            "i": In(stream.Signature(cipher_beat_layout(data_width=data_width, entries=entries), always_ready=True)),
            "lane_i": Out(stream.Signature(lane_input_layout(slot_width=slot_width, **lane))),
            "lane_o": In(stream.Signature(lane_output_layout(**lane), always_ready=True)),
            "tweak": In(stream.Signature(tweak_result_layout(entries=entries), always_ready=True)),
            "begin": In(1),
            "index": In(range(entries)),
            "plan": In(plan_layout(**widths)),
            "generations": In(GENERATIONS),
            "free": Out(stream.Signature(range(entries), always_ready=True)),
            "left": Out(1),
            "serving": In(slots),
            "merged": Out(stream.Signature(merged_layout(data_width=data_width, places=places), always_ready=True)),
            "o": Out(stream.Signature(decrypted_layout(data_width=data_width, id_width=id_width), always_ready=True)),
            "key_fault": Out(1),
            "end": Out(1),
            "ended": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        self._feed_lane(m)
        self._sort_out(m)
        return m

    def _feed_lane(self, m: Module) -> None:
        m.submodules.tweaks = tweaks = TweakStore(entries=self.entries, pipelined=self.pipelined)
        m.submodules.entering = entering = (
            RegisterSlice if self.pipelined else partial(Hop, registered=False))(shape=self.lane_i.payload.shape())
        gate = self._await_tweak(m, tweaks)
        planned = gate.o.payload
        beat, plan, lane = planned.beat, planned.plan, entering.i.payload
        connect(m, entering.o, flipped(self.lane_i))
        m.d.comb += [
            tweaks.i.payload.eq(self.tweak.payload),
            tweaks.i.valid.eq(self.tweak.valid),
            tweaks.forget.eq(self.begin),
            tweaks.forget_index.eq(self.index),
            tweaks.index.eq(gate.coming.beat.index if self.pipelined else beat.index),
            entering.i.valid.eq(gate.o.valid),
            gate.o.ready.eq(entering.i.ready),

            lane.data.eq(beat.data),
            lane.slot.eq(plan.slot),
            lane.tweak.eq(tweaks.tweak),
            lane.fault.eq(tweaks.fault),
            lane.number.eq(plan.first_beat + beat.number),
            *(lane.tag[field].eq(plan[field]) for field in (
                "is_merge", "id", "slot", "is_final", "place")),
            lane.tag.generations.eq(planned.generations),
            lane.tag.resp.eq(beat.resp),
            lane.tag.is_end.eq(beat.last),
            lane.tag.mark.eq(beat.mark),
            lane.tag.repeat.eq(Mux(beat.last, plan.last_repeat, plan.inner_repeat)),
        ]
        with m.If(beat.number == 0):
            m.d.comb += lane.tag.repeat.eq(plan.first_repeat)
        self._tell_left(m, gate.o.valid & gate.o.ready, beat)

    def _await_tweak(self, m: Module, tweaks: TweakStore) -> Gate:
        """Gives out each beat, with what becomes of it, when its tweak is there."""
        m.submodules.waiting = waiting = ReservedQueue(shape=self.i.payload.shape(), depth=WAITING_BEATS,
                                                       bypass=not self.pipelined, registered=self.pipelined)
        layout = StructLayout({"beat": self.i.payload.shape(), "plan": self.plan.shape(), "generations": GENERATIONS})
        m.submodules.gate = gate = Gate(
            shape=layout, state=self.entries, pipelined=self.pipelined,
            may_leave=lambda planned, there: there.bit_select(planned.beat.index, 1))
        planned = self._plans(m, waiting.o.payload.index)
        m.d.comb += [
            waiting.i.payload.eq(self.i.payload),
            waiting.i.valid.eq(self.i.valid),
            gate.i.valid.eq(waiting.o.valid),
            waiting.o.ready.eq(gate.i.ready),
            gate.i.payload.beat.eq(waiting.o.payload),
            gate.i.payload.plan.eq(planned.plan),
            gate.i.payload.generations.eq(planned.generations),
            gate.state.eq(tweaks.there),
        ]
        return gate

    def _plans(self, m: Module, index: Signal):
        """What becomes of the beats of entry ``index``."""
        shape = StructLayout({"plan": self.plan.shape(), "generations": GENERATIONS})
        m.submodules.plans = plans = Memory(shape=shape, depth=self.entries, init=[])
        write, read = plans.write_port(), plans.read_port(domain="comb")
        m.d.comb += [
            write.addr.eq(self.index),
            write.data.plan.eq(self.plan),
            write.data.generations.eq(self.generations),
            write.en.eq(self.begin),
            read.addr.eq(index),
        ]
        return read.data

    def _tell_left(self, m: Module, left: Value, beat) -> None:
        m.submodules.gone = gone = Stage(shape=StructLayout({"left": 1, "is_end": 1, "index": beat.index.shape()}),
                                         registered=self.pipelined)
        m.d.comb += [
            gone.advance.eq(1),
            gone.i.left.eq(left),
            gone.i.is_end.eq(left & beat.last),
            gone.i.index.eq(beat.index),
            self.left.eq(gone.o.left),
            self.free.valid.eq(gone.o.is_end),
            self.free.payload.eq(gone.o.index),
        ]

    def _sort_out(self, m: Module) -> None:
        """Sends a decrypted beat to the partial write that asked for it or towards the manager."""
        layout = StructLayout({"valid": 1, "data": self.data_width, "tag": self.tag_layout, "dram_failed": 1,
                               "failed": 1, "key_fault": 1})
        m.submodules.done = done = Stage(shape=layout, registered=self.pipelined)
        came, tag, delivery = self.lane_o.payload.tag, done.o.tag, self.o.payload
        is_served = self.serving.bit_select(came.slot, 1)
        m.d.comb += [
            done.advance.eq(1),
            done.i.valid.eq(self.lane_o.valid),
            done.i.data.eq(self.lane_o.payload.data),
            done.i.tag.eq(came),
            done.i.dram_failed.eq((came.resp == Response.SLVERR) | (came.resp == Response.DECERR)),
            done.i.failed.eq(done.i.dram_failed | ~is_served | self.lane_o.payload.fault),
            done.i.key_fault.eq(self.lane_o.payload.fault & is_served),
            self.key_fault.eq(done.o.valid & done.o.key_fault),
            self.merged.valid.eq(done.o.valid & tag.is_merge),
            self.merged.payload.place.eq(tag.place),
            self.merged.payload.data.eq(done.o.data),
            self.merged.payload.failed.eq(done.o.failed),
            self.end.eq(done.o.valid & tag.is_end),
            self.ended.eq(tag.generations.key),

            self.o.valid.eq(done.o.valid & ~tag.is_merge),
            delivery.beat.id.eq(tag.id),
            delivery.beat.data.eq(done.o.data | done.o.failed.replicate(self.data_width)),
            delivery.beat.last.eq(tag.is_end & tag.is_final),
            *(delivery[field].eq(tag[field]) for field in ("repeat", "is_end", "mark")),
            delivery.generation.eq(tag.generations.manager),
        ]
        with m.If(done.o.dram_failed):
            m.d.comb += delivery.beat.resp.eq(tag.resp)
        with m.Elif(done.o.failed):
            m.d.comb += delivery.beat.resp.eq(Response.SLVERR)
