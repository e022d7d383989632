"""The way of a read, from the decided access to the manager's data."""

from amaranth import Module, Signal
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import request_layout
from cbit.axi.ports import address_layout, read_data_layout
from cbit.stream.stage import Stage
from cbit.xts.ports import lane_input_layout, lane_output_layout, tweak_request_layout, tweak_result_layout

from .decrypt import ReadDecrypt, merged_layout, read_tag_layout
from .deliver import ReadDeliver
from .deny import DeniedReads
from .drain import ReadDrain
from .entry import ReadKind, merge_request_layout
from .free_list import FreeList
from .generations import Generations
from .issue import ReadIssue
from .sort import ReadSort

__all__ = ["BEATS", "ReadPath"]

BEATS = 512
"""Beats that can be stored for managers: the depth of an ECP5's block RAM."""


class ReadPath(Component):
    """Reads for managers and for partial writes.

    Every beat for a manager has room reserved before its AR is sent. So a manager that takes no read
    data stops neither DRAM's nor any write. DRAM's read data wait only while a tweak or the lane does.

    Latency: none from ``i`` to ``ar``; plain data one cycle from ``dram_r`` to ``r``; encrypted data the
    lane's latency, if DRAM takes at least as long as the tweak. If pipelined, three cycles, eight, and the
    lane's latency and twelve. Throughput: one burst and one beat a cycle.

    Parameters
    ----------
    addr_width, data_width, c_bit, id_width, slot_width, slots : :class:`int`
        Widths, and the number of key slots.
    entries : :class:`int`
        Bursts in flight.
    places : :class:`int`
        Places of beats in the write path.
    patience : :class:`int`
        How often in a row a plain access may pass others that wait.
    pipelined : :class:`bool`
        Whether there are registers between the steps.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
        Decided reads.
    next_id : ``In(id_width)``
        As in :class:`~cbit.read.issue.ReadIssue`.
    ar : ``Out(stream.Signature(address_layout(...)))``
    dram_r : ``In(stream.Signature(read_data_layout(...)))``
    r : ``Out(stream.Signature(read_data_layout(...)))``
    merge : ``In(stream.Signature(merge_request_layout(...)))``
    merged : ``Out(stream.Signature(merged_layout(...), always_ready=True))``
    lane_i, lane_o : ``Out``, ``In``
        The two ends of a decrypting :class:`~cbit.xts.lane.XtsLane`.
    tweak_request : ``Out(stream.Signature(tweak_request_layout(...), always_ready=True))``
    tweak : ``In(stream.Signature(tweak_result_layout(...), always_ready=True))``
    serving : ``In(slots)``
        Slots whose keys are there.
    key_fault : ``Out(1)``
        A beat has met a faulty round key of a slot that serves.
    drain_slot : ``In(slot_width)``
    drain_busy : ``Out(1)``
        High while a read under ``drain_slot`` is still to be decrypted, and perhaps a while longer.
    """

    def __init__(self, *, addr_width: int, data_width: int, c_bit: int, id_width: int, slot_width: int, slots: int,
                 entries: int, places: int, patience: int, pipelined: bool = False) -> None:
        widths = {"data_width": data_width, "id_width": id_width, "slot_width": slot_width}
        self.data_width = data_width
        self.entries = entries
        self.pipelined = pipelined
        self.issue = ReadIssue(addr_width=addr_width, c_bit=c_bit, places=places, beats=BEATS, patience=patience,
                               pipelined=pipelined, **widths)
        self.deny = DeniedReads(id_width=id_width, data_width=data_width)
        self.sort = ReadSort(data_width=data_width, id_width=id_width, bursts=entries, entries=entries,
                             pipelined=pipelined)
        self.decrypt = ReadDecrypt(entries=entries, slots=slots, places=places, pipelined=pipelined, **widths)
        self.deliver = ReadDeliver(data_width=data_width, id_width=id_width, plain_beats=BEATS, decrypted_beats=BEATS,
                                   patience=patience, pipelined=pipelined)
        self.drain = ReadDrain(slot_width=slot_width, entries=BEATS)
        lane = {"data_width": data_width, "tag": read_tag_layout(places=places, **widths)}
        beat = read_data_layout(id_width, data_width)
        super().__init__({
            "i": In(stream.Signature(request_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width))),
            "next_id": In(id_width),
            "ar": Out(stream.Signature(address_layout(addr_width=addr_width, id_width=id_width))),
            "dram_r": In(stream.Signature(beat)),
            "r": Out(stream.Signature(beat)),
            "merge": In(stream.Signature(merge_request_layout(c_bit=c_bit, places=places, **widths))),
            "merged": Out(stream.Signature(merged_layout(data_width=data_width, places=places), always_ready=True)),
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
        for name in ("issue", "deny", "sort", "decrypt", "deliver", "drain"):
            m.submodules[name] = getattr(self, name)
        m.submodules.entries = entries = FreeList(first=0, count=self.entries, pipelined=self.pipelined)
        m.submodules.in_flight = in_flight = Generations(most=BEATS)
        issue, deny, sort, decrypt, deliver = self.issue, self.deny, self.sort, self.decrypt, self.deliver
        connect(m, flipped(self.i), issue.i)
        connect(m, flipped(self.merge), issue.merge)
        connect(m, issue.ar, flipped(self.ar))
        connect(m, issue.denied, deny.i)
        connect(m, deny.o, deliver.denied)
        connect(m, flipped(self.dram_r), sort.i)
        connect(m, sort.plain, deliver.plain)
        connect(m, sort.cipher, decrypt.i)
        connect(m, decrypt.lane_i, flipped(self.lane_i))
        connect(m, flipped(self.lane_o), decrypt.lane_o)
        connect(m, flipped(self.tweak), decrypt.tweak)
        connect(m, decrypt.merged, flipped(self.merged))
        connect(m, decrypt.free, entries.i)
        connect(m, decrypt.o, deliver.decrypted)
        connect(m, deliver.r, flipped(self.r))
        self._allow(m, entries)
        self._begin_bursts(m, entries, in_flight)
        self._watch_slot(m)
        m.d.comb += [
            issue.next_id.eq(self.next_id),
            issue.denied_busy.eq(deny.is_busy),
            issue.denied_id.eq(deny.id),
            issue.give.eq(deliver.left),
            sort.encrypted_left.eq(deliver.encrypted_left),
            sort.cipher_left.eq(decrypt.left),
            decrypt.serving.eq(self.serving),
            self.key_fault.eq(decrypt.key_fault),
            in_flight.end.eq(deliver.end),
            in_flight.ended.eq(deliver.ended),
            deny.turns.eq(in_flight.turns),
        ]
        return m

    def _allow(self, m: Module, entries: FreeList) -> None:
        """Tells who sends whether a node and an entry are free; if pipelined by registers beside it."""
        m.submodules.may = may = Stage(shape=StructLayout({"send": 1, "decrypt": 1}), registered=self.pipelined)
        m.d.comb += [
            may.advance.eq(1),
            may.i.send.eq(self.sort.follows if self.pipelined else self.sort.is_ready),
            may.i.decrypt.eq(entries.follows if self.pipelined else entries.o.valid),
            self.issue.may_send.eq(may.o.send),
            self.issue.may_decrypt.eq(may.o.decrypt),
        ]

    def _begin_bursts(self, m: Module, entries: FreeList, in_flight: Generations) -> None:
        """Enters each burst that is sent where its beats will be looked for."""
        issue, sort, decrypt, request = self.issue, self.sort, self.decrypt, self.tweak_request
        layout = StructLayout({"send": 1, "sent": issue.sent.shape(), "index": entries.o.payload.shape()})
        m.submodules.begun = stage = Stage(shape=layout, registered=self.pipelined)
        begun, sent = stage.o, stage.o.sent
        m.d.comb += [
            # Node and entry are taken at once, so that the next burst finds the next ones.
            sort.append.eq(issue.send),
            entries.o.ready.eq(issue.send & (issue.sent.kind != ReadKind.PLAIN)),
            stage.advance.eq(1),
            stage.i.send.eq(issue.send),
            stage.i.sent.eq(issue.sent),
            stage.i.index.eq(entries.o.payload),

            in_flight.begin.eq(begun.send & (sent.kind != ReadKind.MERGE)),
            sort.append_id.eq(sent.plan.id),
            sort.append_burst.kind.eq(sent.kind),
            sort.append_burst.index.eq(begun.index),
            sort.append_burst.generation.eq(in_flight.current),
            decrypt.begin.eq(begun.send & (sent.kind != ReadKind.PLAIN)),
            decrypt.index.eq(begun.index),
            decrypt.plan.eq(sent.plan),
            decrypt.generations.manager.eq(in_flight.current),
            decrypt.generations.key.eq(self.drain.generation),
            request.valid.eq(decrypt.begin),
            request.payload.line.eq(sent.line),
            request.payload.slot.eq(sent.plan.slot),
            request.payload.index.eq(begun.index),
        ]

    def _watch_slot(self, m: Module) -> None:
        drain, slot = self.drain, self.decrypt.plan.slot
        begins = Signal()
        m.d.comb += [
            drain.begin.eq(self.decrypt.begin),
            drain.begin_slot.eq(slot),
            drain.end.eq(self.decrypt.end),
            drain.ended.eq(self.decrypt.ended),
            drain.drain_slot.eq(self.drain_slot),
            self.issue.drain_slot.eq(self.drain_slot),
            self.drain_busy.eq(self.issue.drain_busy | drain.drain_busy | begins),
        ]
        if self.pipelined:
            # It has left one and is not yet seen by the other.
            m.d.comb += begins.eq(drain.begin & (slot == self.drain_slot))
