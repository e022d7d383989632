"""The way of a write, from the decided access and its data to DRAM, and of the answer back."""

from amaranth import Module
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import request_layout
from cbit.axi.ports import address_layout, response_layout, write_data_layout
from cbit.read.decrypt import merged_layout
from cbit.read.entry import merge_request_layout
from cbit.stream.bounded_queue import BoundedQueue
from cbit.stream.queue import ReservedQueue
from cbit.stream.stage import Stage
from cbit.xts.ports import lane_input_layout, lane_output_layout, tweak_request_layout, tweak_result_layout

from .collect import WriteCollect
from .drain import WriteDrain
from .encrypt import WriteEncrypt, key_line_layout, write_tag_layout
from .entry import PLAIN_DEPTH, merge_places
from .gather import WriteGather
from .hazards import WriteHazards
from .issue import WriteIssue, sent_line_layout
from .merge import WriteMerge, merge_line_layout
from .progress import WriteProgress
from .respond import WriteRespond
from .route import Way, WriteRoute
from .steer import WriteSteer

__all__ = ["WritePath"]


class WritePath(Component):
    """Writes of managers.

    Plain writes pass with their data one cycle after both have come. Encrypted ones are gathered into
    lines, completed from DRAM where bytes are missing, encrypted, and sent in order.

    Latency: plain address and data one cycle, counted from the later of the two, answers one cycle; if pipelined
    twelve to ``aw``, fourteen to ``w``, and four. Encrypted: tweak, lane, and the sending. Throughput: one beat a
    cycle. Stalls: nothing here waits for read data that a manager does not take, nor DRAM's answers for a manager.

    Parameters
    ----------
    addr_width, data_width, c_bit, id_width, slot_width, slots : :class:`int`
        Widths, and the number of key slots.
    entries : :class:`int`
        Writes in flight. A power of two, 4 or more.
    patience : :class:`int`
        How often in a row a plain write may pass encrypted ones that wait. Of no account if pipelined.
    pipelined : :class:`bool`
        Whether registers part the steps, and plain writes and lines take turns.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
        Decided writes.
    s_w : ``In(stream.Signature(write_data_layout(data_width)))``
    b : ``Out(stream.Signature(response_layout(...)))``
    aw, w : ``Out``
        To DRAM.
    dram_b : ``In(stream.Signature(response_layout(...), always_ready=True))``
    merge, merged : ``Out``, ``In``
        Reads for partial writes, of :class:`~cbit.read.path.ReadPath`.
    lane_i, lane_o : ``Out``, ``In``
        The two ends of an encrypting :class:`~cbit.xts.lane.XtsLane`.
    tweak_request : ``Out(stream.Signature(tweak_request_layout(...), always_ready=True))``
    tweak : ``In(stream.Signature(tweak_result_layout(...), always_ready=True))``
        Tweaks in the order of the requests.
    serving : ``In(slots)``
        Slots whose keys are there.
    key_fault : ``Out(1)``
        A beat has met a faulty round key of a slot that serves.
    drain_slot : ``In(slot_width)``
    drain_busy : ``Out(1)``
        High while a write under ``drain_slot`` is still to be encrypted.
    """

    def __init__(self, *, addr_width: int, data_width: int, c_bit: int, id_width: int, slot_width: int, slots: int,
                 entries: int, patience: int, pipelined: bool = False) -> None:
        self.entries = entries
        self.data_width = data_width
        self.pipelined = pipelined
        self.widths = {"c_bit": c_bit, "id_width": id_width, "slot_width": slot_width}
        widths = self.widths
        asked = {"data_width": data_width, "places": merge_places(entries=entries, data_width=data_width)}
        both = {"entries": entries, "data_width": data_width}
        self.route = WriteRoute(pipelined=pipelined, **both, **widths)
        self.steer = WriteSteer(data_width=data_width, id_width=id_width, pipelined=pipelined)
        self.gather = WriteGather(data_width=data_width, id_width=id_width)
        self.hazards = WriteHazards(id_width=id_width, pipelined=pipelined, **both)
        self.progress = WriteProgress(entries=entries, pipelined=pipelined)
        self.merge_beats = WriteMerge(pipelined=pipelined, **both, **widths)
        self.encrypt = WriteEncrypt(slot_width=slot_width, pipelined=pipelined, **both)
        self.collect = WriteCollect(slot_width=slot_width, slots=slots, pipelined=pipelined, **both)
        self.issue = WriteIssue(addr_width=addr_width, c_bit=c_bit, id_width=id_width, patience=patience,
                                pipelined=pipelined, **both)
        self.respond = WriteRespond(entries=entries, id_width=id_width, pipelined=pipelined)
        self.drain = WriteDrain(entries=entries, slot_width=slot_width)
        lane = {"data_width": data_width,
                "tag": write_tag_layout(data_width=data_width, slot_width=slot_width)}
        super().__init__({
            "i": In(stream.Signature(request_layout(**widths))),
            "s_w": In(stream.Signature(write_data_layout(data_width))),
            "b": Out(stream.Signature(response_layout(id_width))),
            "aw": Out(stream.Signature(address_layout(addr_width=addr_width, id_width=id_width))),
            "w": Out(stream.Signature(write_data_layout(data_width))),
            "dram_b": In(stream.Signature(response_layout(id_width), always_ready=True)),
            "merge": Out(stream.Signature(merge_request_layout(**asked, **widths))),
            "merged": In(stream.Signature(merged_layout(**asked), always_ready=True)),
            "lane_i": Out(stream.Signature(lane_input_layout(slot_width=slot_width, **lane))),
            "lane_o": In(stream.Signature(lane_output_layout(**lane), always_ready=True)),
            "tweak_request": Out(stream.Signature(
                tweak_request_layout(c_bit=c_bit, slot_width=slot_width, entries=entries), always_ready=True)),
            "tweak": In(stream.Signature(tweak_result_layout(entries=entries), always_ready=True)),
            "serving": In(slots),
            "key_fault": Out(1),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        for name in ("route", "steer", "gather", "hazards", "progress", "merge_beats", "encrypt", "collect", "issue",
                     "respond", "drain"):
            m.submodules[name] = getattr(self, name)
        connect(m, flipped(self.i), self.route.i)
        connect(m, self.merge_beats.request, flipped(self.merge))
        connect(m, flipped(self.merged), self.merge_beats.merged)
        connect(m, self.encrypt.lane_i, flipped(self.lane_i))
        connect(m, flipped(self.lane_o), self.collect.lane_o)
        connect(m, flipped(self.tweak), self.encrypt.tweak)
        connect(m, self.collect.done, self.issue.done)
        connect(m, self.collect.o, self.issue.cipher)
        connect(m, self.issue.aw, flipped(self.aw))
        connect(m, self.issue.w, flipped(self.w))
        connect(m, flipped(self.dram_b), self.respond.dram_b)
        connect(m, self.route.refused, self.respond.refused)
        connect(m, self.respond.b, flipped(self.b))
        self._lead_data(m)
        self._lead_plain(m)
        self._lead_lines(m)
        self._count(m)
        self._watch_keys(m)
        return m

    def _queue(self, m: Module, name: str, source, sink, *, depth: int, bypass: bool = False,
               registered: bool = False) -> None:
        """A queue from a source whose room is reserved."""
        m.submodules[name] = queue = ReservedQueue(shape=source.payload.shape(), depth=depth, bypass=bypass,
                                                   registered=registered)
        connect(m, source, queue.i)
        connect(m, queue.o, sink)

    def _lead_data(self, m: Module) -> None:
        """From the port to whole beats; if pipelined, by a register on either side of the gathering."""
        steer, gather = self.steer, self.gather
        m.submodules.data = data = BoundedQueue(shape=self.s_w.payload.shape(), depth=PLAIN_DEPTH,
                                                entry=self.pipelined)
        m.submodules.turns = turns = BoundedQueue(shape=steer.turn.payload.shape(), depth=PLAIN_DEPTH,
                                                  bypass=not self.pipelined, spare=int(self.pipelined),
                                                  entry=self.pipelined, registered=self.pipelined)
        connect(m, flipped(self.s_w), data.i)
        connect(m, data.o, steer.w)
        connect(m, self.route.turn, turns.i)
        connect(m, turns.o, steer.turn)
        m.d.comb += steer.next_is_single.eq(turns.next.is_single)
        m.submodules.steered = steered = Stage(
            shape=StructLayout({"valid": 1, "beat": steer.beat.payload.shape()}), registered=self.pipelined)
        m.submodules.gathered = gathered = Stage(
            shape=StructLayout({"event": gather.event.shape(), "whole": gather.whole.shape()}),
            registered=self.pipelined)
        m.submodules.emptied = emptied = Stage(shape=1, registered=self.pipelined)
        m.d.comb += [
            steered.advance.eq(1),
            steered.i.valid.eq(steer.beat.valid),
            steered.i.beat.eq(steer.beat.payload),
            gather.beat.valid.eq(steered.o.valid),
            gather.beat.payload.eq(steered.o.beat),
            gathered.advance.eq(1),
            gathered.i.event.eq(gather.event),
            gathered.i.whole.eq(gather.whole),
            self.hazards.event.eq(gathered.o.event),
            self.encrypt.whole.valid.eq(gathered.o.event.is_whole),
            self.encrypt.whole.payload.eq(gathered.o.whole),
            emptied.advance.eq(1),
            emptied.i.eq(steer.emptied),
            self.route.emptied.eq(emptied.o),
        ]

    def _lead_plain(self, m: Module) -> None:
        """Plain writes: the address, its mark and its data each in a queue."""
        route, issue, beat = self.route, self.issue, self.gather.beat
        bypass = not self.pipelined
        m.submodules.plain = plain = BoundedQueue(shape=route.plain.payload.shape(), depth=PLAIN_DEPTH, bypass=bypass,
                                                  spare=int(self.pipelined), entry=self.pipelined)
        m.submodules.plain_w = plain_w = BoundedQueue(shape=issue.plain_w.payload.shape(), depth=PLAIN_DEPTH,
                                                      bypass=bypass, spare=int(self.pipelined), entry=self.pipelined)
        self._queue(m, "marks", self.hazards.mark, issue.mark, depth=PLAIN_DEPTH, bypass=bypass)
        connect(m, plain.o, issue.plain)
        connect(m, plain_w.o, issue.plain_w)
        m.d.comb += [
            plain.i.valid.eq(route.plain.valid),
            plain.i.payload.eq(route.plain.payload),
            route.plain_has_room.eq(plain.i.ready),
            plain_w.i.valid.eq(beat.valid & (beat.payload.way == Way.PLAIN)),
            plain_w.i.payload.data.eq(beat.payload.data),
            plain_w.i.payload.strb.eq(beat.payload.strb),
            plain_w.i.payload.last.eq(beat.payload.is_last),
            self.steer.plain_has_room.eq(plain_w.i.ready),
        ]

    def _lead_lines(self, m: Module) -> None:
        """Lines: to each step a queue of what it needs of them; their count reserves the room in all."""
        line, request = self.route.line, self.tweak_request
        m.submodules.entered = stage = Stage(shape=StructLayout({"valid": 1, "payload": line.payload.shape()}),
                                             registered=self.pipelined)
        entered = stage.o
        m.d.comb += [stage.advance.eq(1), stage.i.valid.eq(line.valid), stage.i.payload.eq(line.payload)]
        width = {"data_width": self.data_width}
        narrow = {field: self.widths[field] for field in ("c_bit", "id_width")}
        for name, layout, sink in (
                ("sent_lines", sent_line_layout(entries=self.entries, **width, **narrow), self.issue.line),
                ("merge_lines", merge_line_layout(entries=self.entries, **self.widths), self.merge_beats.line),
                ("key_lines", key_line_layout(slot_width=self.widths["slot_width"], **width), self.encrypt.line)):
            m.submodules[name] = queue = ReservedQueue(shape=layout, depth=self.entries, bypass=False,
                                                       registered=self.pipelined and name != "key_lines")
            connect(m, queue.o, sink)
            m.d.comb += [
                queue.i.valid.eq(entered.valid),
                *(queue.i.payload[field].eq(entered.payload[field]) for field, _ in layout),
            ]
        self._queue(m, "records", self.hazards.record, self.merge_beats.record, depth=self.entries,
                    registered=self.pipelined)
        self._queue(m, "ready_lines", self.merge_beats.ready_line, self.encrypt.ready_line, depth=self.entries)
        merge, encrypt = self.merge_beats, self.encrypt
        m.d.comb += [
            encrypt.is_there.eq(merge.is_there),
            encrypt.data.eq(merge.data),
            encrypt.failed.eq(merge.failed),
            merge.take.eq(encrypt.take),
            request.valid.eq(entered.valid),
            request.payload.line.eq(entered.payload.line),
            request.payload.slot.eq(entered.payload.slot),
            request.payload.index.eq(entered.payload.number),
        ]

    def _count(self, m: Module) -> None:
        """Who has come how far."""
        route, progress, respond, issue = self.route, self.progress, self.respond, self.issue
        m.d.comb += [
            route.has_room.eq(respond.has_room),
            route.number_has_room.eq(progress.has_room),
            route.number.eq(progress.number),
            route.place.eq(respond.place),
            route.id_has_room.eq(respond.id_has_room),
            route.id_is_idle.eq(respond.id_is_idle),
            respond.id.eq(route.id),
            respond.enter.eq(route.enter),
            respond.send.eq(issue.send),
            respond.sent.eq(issue.sent),
            respond.epoch.eq(progress.epoch),
            progress.enter.eq(route.line.valid),
            progress.send.eq(issue.send),
            progress.send_is_line.eq(issue.sent.is_line),
            progress.send_page_class.eq(issue.sent_page_class),
            progress.answer.eq(respond.answer),
            progress.answer_epoch.eq(respond.answer_epoch),
            progress.page_class.eq(self.merge_beats.page_class),
            self.merge_beats.page_is_busy.eq(progress.page_is_busy),
            self.merge_beats.plains_sent.eq(issue.plains_sent),
            self.hazards.sent.eq(progress.sent),
            *(user.settled.eq(progress.settled) for user in (self.hazards, self.merge_beats, issue)),
        ]

    def _watch_keys(self, m: Module) -> None:
        drain, line = self.drain, self.route.line
        m.d.comb += [
            self.collect.serving.eq(self.serving),
            self.key_fault.eq(self.collect.key_fault),
            self.route.drain_slot.eq(self.drain_slot),
            drain.drain_slot.eq(self.drain_slot),
            drain.enter.eq(line.valid),
            drain.slot.eq(line.payload.slot),
            drain.number.eq(self.progress.number),
            drain.sent.eq(self.progress.sent),
            self.drain_busy.eq(self.route.drain_busy | drain.drain_busy),
        ]
