"""The way of a read, from the decided access to the manager's data."""

from amaranth import Module
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import request_layout
from cbit.axi.ports import address_layout, read_data_layout
from cbit.xts.ports import lane_input_layout, lane_output_layout, tweak_request_layout, tweak_result_layout

from .decrypt import ReadDecrypt, merged_layout, read_tag_layout
from .deliver import ReadDeliver
from .deny import DeniedReads
from .entry import ReadKind, merge_request_layout
from .issue import ReadIssue
from .table import ReadTable

__all__ = ["PLAIN_BEATS", "ReadPath"]

PLAIN_BEATS = 512
"""Beats of plain data that can be stored: what four block RAMs of an ECP5 hold."""


class ReadPath(Component):
    """Reads for managers and for partial writes.

    DRAM's read data are always taken at once: every beat has room reserved before its AR is sent. So a
    manager that takes no read data stops neither other reads' way out of DRAM nor any write.

    Latency: none from ``i`` to ``ar``; plain data one cycle from ``dram_r`` to ``r``; encrypted data the
    lane's latency, if DRAM takes at least as long as the tweak. Throughput: one beat a cycle.

    Parameters
    ----------
    addr_width, c_bit, id_width, slot_width, slots : :class:`int`
        Widths, and the number of key slots.
    entries : :class:`int`
        Bursts in flight.
    blocks : :class:`int`
        Blocks in the write path.
    patience : :class:`int`
        How often in a row a plain access may pass others that wait.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
        Decided reads.
    ar : ``Out(stream.Signature(address_layout(...)))``
    dram_r : ``In(stream.Signature(read_data_layout(...), always_ready=True))``
    r : ``Out(stream.Signature(read_data_layout(...)))``
    merge : ``In(stream.Signature(merge_request_layout(...)))``
    merged : ``Out(stream.Signature(merged_layout(...), always_ready=True))``
    lane_i, lane_o : ``Out``, ``In``
        The two ends of a decrypting :class:`~cbit.xts.lane.XtsLane`.
    tweak_request : ``Out(stream.Signature(tweak_request_layout(...), always_ready=True))``
    tweak : ``In(stream.Signature(tweak_result_layout(...), always_ready=True))``
    serving : ``In(slots)``
        Slots whose keys are there.
    drain_slot : ``In(slot_width)``
    drain_busy : ``Out(1)``
        High while a read under ``drain_slot`` is still to be decrypted.
    """

    def __init__(self, *, addr_width: int, c_bit: int, id_width: int, slot_width: int, slots: int, entries: int,
                 blocks: int, patience: int) -> None:
        widths = {"id_width": id_width, "slot_width": slot_width}
        self.table = ReadTable(entries=entries, blocks=blocks, **widths)
        self.issue = ReadIssue(addr_width=addr_width, c_bit=c_bit, blocks=blocks, plain_beats=PLAIN_BEATS,
                               patience=patience, **widths)
        self.deny = DeniedReads(id_width=id_width, data_width=128)
        self.decrypt = ReadDecrypt(entries=entries, slots=slots, blocks=blocks, **widths)
        self.deliver = ReadDeliver(entries=entries, id_width=id_width, data_width=128, plain_beats=PLAIN_BEATS,
                                   patience=patience)
        tag = read_tag_layout(entries=entries)
        beat = read_data_layout(id_width, 128)
        super().__init__({
            "i": In(stream.Signature(request_layout(c_bit=c_bit, **widths))),
            "ar": Out(stream.Signature(address_layout(addr_width=addr_width, id_width=id_width))),
            "dram_r": In(stream.Signature(beat, always_ready=True)),
            "r": Out(stream.Signature(beat)),
            "merge": In(stream.Signature(merge_request_layout(c_bit=c_bit, blocks=blocks, **widths))),
            "merged": Out(stream.Signature(merged_layout(blocks=blocks), always_ready=True)),
            "lane_i": Out(stream.Signature(lane_input_layout(slot_width=slot_width, tag=tag))),
            "lane_o": In(stream.Signature(lane_output_layout(tag=tag), always_ready=True)),
            "tweak_request": Out(stream.Signature(
                tweak_request_layout(c_bit=c_bit, slot_width=slot_width, entries=entries), always_ready=True)),
            "tweak": In(stream.Signature(tweak_result_layout(entries=entries), always_ready=True)),
            "serving": In(slots),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.table = table = self.table
        m.submodules.issue = issue = self.issue
        m.submodules.deny = deny = self.deny
        m.submodules.decrypt = decrypt = self.decrypt
        m.submodules.deliver = deliver = self.deliver
        connect(m, flipped(self.i), issue.i)
        connect(m, flipped(self.merge), issue.merge)
        connect(m, issue.ar, flipped(self.ar))
        connect(m, issue.denied, deny.i)
        connect(m, deny.o, deliver.denied)
        connect(m, decrypt.lane_i, flipped(self.lane_i))
        connect(m, flipped(self.lane_o), decrypt.lane_o)
        connect(m, flipped(self.tweak), decrypt.tweak)
        connect(m, decrypt.merged, flipped(self.merged))
        connect(m, decrypt.o, deliver.decrypted)
        connect(m, deliver.r, flipped(self.r))
        self._connect_table(m)
        self._sort_beats(m)

        request = self.tweak_request
        m.d.comb += [
            issue.denied_busy.eq(deny.is_busy),
            issue.denied_id.eq(deny.id),
            issue.plain_delivered.eq(deliver.plain_delivered),
            request.valid.eq(issue.allocate & (issue.entry.kind != ReadKind.PLAIN)),
            request.payload.line.eq(issue.line),
            request.payload.slot.eq(issue.entry.slot),
            request.payload.index.eq(table.allocated),
            decrypt.serving.eq(self.serving),
            issue.drain_slot.eq(self.drain_slot),
            table.drain_slot.eq(self.drain_slot),
            self.drain_busy.eq(issue.drain_busy | table.drain_busy),
        ]
        return m

    def _connect_table(self, m: Module) -> None:
        table, issue, decrypt, deliver = self.table, self.issue, self.decrypt, self.deliver
        m.d.comb += [
            issue.manager_free.eq(table.manager_free),
            issue.merge_free.eq(table.merge_free),
            table.allocate.eq(issue.allocate),
            table.entry.eq(issue.entry),
            decrypt.allocate.eq(issue.allocate),
            decrypt.allocated.eq(table.allocated),
            decrypt.entry.eq(issue.entry),
            decrypt.slots.eq(table.slots),
            table.merge.eq(decrypt.merged.valid),
            table.merge_index.eq(decrypt.decrypted_index),
            table.decrypt.eq(decrypt.decrypted),
            table.decrypt_index.eq(decrypt.decrypted_index),
            table.deliver.eq(deliver.deliver),
            table.deliver_index.eq(deliver.deliver_index),
            deliver.first_in_line.eq(table.first_in_line),
            table.query_id.eq(self.deny.id),
            self.deny.id_in_flight.eq(table.query_hit),
        ]

    def _sort_beats(self, m: Module) -> None:
        """Each beat of DRAM goes to the plain store or to decryption; one that nobody asked for is dropped."""
        beat, received = self.dram_r.payload, self.table.received
        cipher, plain = self.decrypt.i, self.deliver.plain
        is_plain = received.kind == ReadKind.PLAIN
        m.d.comb += [
            self.table.receive.eq(self.dram_r.valid),
            self.table.receive_id.eq(beat.id),
            self.table.receive_last.eq(beat.last),
            cipher.valid.eq(self.dram_r.valid & received.hit & ~is_plain),
            cipher.payload.index.eq(received.index),
            cipher.payload.block.eq(received.block),
            cipher.payload.data.eq(beat.data),
            cipher.payload.resp.eq(beat.resp),
            plain.valid.eq(self.dram_r.valid & received.hit & is_plain),
            plain.payload.index.eq(received.index),
            plain.payload.is_end.eq(beat.last),
            plain.payload.beat.eq(beat),
            self.deliver.plain_must_wait.eq(received.must_wait),
        ]
