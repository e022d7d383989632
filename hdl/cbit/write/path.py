"""The way of a write, from the decided access and its data to DRAM, and of the answer back."""

from amaranth import Module
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import request_layout
from cbit.axi.ports import address_layout, response_layout, write_data_layout
from cbit.read.decrypt import merged_layout
from cbit.read.entry import merge_request_layout
from cbit.stream.slice import RegisterSlice
from cbit.xts.ports import lane_input_layout, lane_output_layout, tweak_request_layout, tweak_result_layout

from .encrypt import WriteEncrypt, write_tag_layout
from .entry import BLOCKS_PER_ENTRY
from .gather import WriteGather
from .issue import WriteIssue
from .merge import WriteMerge
from .respond import WriteRespond
from .route import WriteRoute
from .table import WriteTable

__all__ = ["WritePath"]


class WritePath(Component):
    """Writes of managers.

    Plain writes pass with their data one cycle after both have come. Encrypted ones are gathered into
    blocks, completed from DRAM where bytes are missing, encrypted, and sent in order.

    Latency: plain address and data one cycle, counted from the later of the two; answers one cycle.
    Encrypted: tweak, lane, and the sending. Throughput: one beat a cycle. Stalls: nothing here waits
    for read data that a manager does not take, nor DRAM's answers for a manager.

    Parameters
    ----------
    addr_width, c_bit, id_width, slot_width, slots : :class:`int`
        Widths, and the number of key slots.
    entries : :class:`int`
        Writes in flight.
    patience : :class:`int`
        How often in a row a plain write may pass encrypted ones that wait, and an answer a refusal.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
        Decided writes.
    s_w : ``In(stream.Signature(write_data_layout(128)))``
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
    serving : ``In(slots)``
        Slots whose keys are there.
    drain_slot : ``In(slot_width)``
    drain_busy : ``Out(1)``
        High while a write under ``drain_slot`` is in flight.
    """

    def __init__(self, *, addr_width: int, c_bit: int, id_width: int, slot_width: int, slots: int, entries: int,
                 patience: int) -> None:
        widths = {"c_bit": c_bit, "id_width": id_width, "slot_width": slot_width}
        blocks = BLOCKS_PER_ENTRY * entries
        self.route = WriteRoute(**widths)
        self.table = WriteTable(entries=entries, **widths)
        self.gather = WriteGather(entries=entries, **widths)
        self.merge_blocks = WriteMerge(entries=entries, **widths)
        self.encrypt = WriteEncrypt(entries=entries, slots=slots, **widths)
        self.issue = WriteIssue(entries=entries, addr_width=addr_width, slots=slots, patience=patience, **widths)
        self.respond = WriteRespond(entries=entries, id_width=id_width, patience=patience)
        tag = write_tag_layout(entries=entries, slot_width=slot_width)
        super().__init__({
            "i": In(stream.Signature(request_layout(**widths))),
            "s_w": In(stream.Signature(write_data_layout(128))),
            "b": Out(stream.Signature(response_layout(id_width))),
            "aw": Out(stream.Signature(address_layout(addr_width=addr_width, id_width=id_width))),
            "w": Out(stream.Signature(write_data_layout(128))),
            "dram_b": In(stream.Signature(response_layout(id_width), always_ready=True)),
            "merge": Out(stream.Signature(merge_request_layout(blocks=blocks, **widths))),
            "merged": In(stream.Signature(merged_layout(blocks=blocks), always_ready=True)),
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
        m.submodules.data = data = RegisterSlice(shape=self.s_w.payload.shape())
        for name in ("route", "table", "gather", "merge_blocks", "encrypt", "issue", "respond"):
            m.submodules[name] = getattr(self, name)
        connect(m, flipped(self.i), self.route.i)
        connect(m, flipped(self.s_w), data.i)
        connect(m, data.o, self.route.w)
        connect(m, self.route.chunk, self.gather.chunk)
        connect(m, self.route.chunk_w, self.gather.w)
        connect(m, self.gather.fill, self.merge_blocks.fill)
        connect(m, self.merge_blocks.request, flipped(self.merge))
        connect(m, flipped(self.merged), self.merge_blocks.merged)
        connect(m, self.encrypt.lane_i, flipped(self.lane_i))
        connect(m, flipped(self.lane_o), self.encrypt.lane_o)
        connect(m, flipped(self.tweak), self.encrypt.tweak)
        connect(m, self.route.plain, self.issue.plain)
        connect(m, self.route.plain_w, self.issue.plain_w)
        connect(m, self.issue.aw, flipped(self.aw))
        connect(m, self.issue.w, flipped(self.w))
        connect(m, self.route.refused, self.respond.refused)
        connect(m, flipped(self.dram_b), self.respond.dram_b)
        connect(m, self.respond.b, flipped(self.b))
        self._connect_table(m)
        self._connect_blocks(m)
        return m

    def _connect_table(self, m: Module) -> None:
        table, route, gather, issue, respond = self.table, self.route, self.gather, self.issue, self.respond
        job, plain, entry = gather.job.payload, route.plain.payload, table.entry
        m.d.comb += [
            table.allocate.eq(gather.job.valid | issue.plain_starts),
            gather.is_free.eq(table.is_free),
            gather.allocated.eq(table.allocated),
            table.plain_id.eq(plain.id),
            table.plain_line.eq(plain.addr[6:]),
            issue.plain_may_go.eq(table.is_free & ~table.plain_must_wait),
            issue.may_go.eq(table.may_go),
            table.send.eq(issue.send),
            table.send_index.eq(issue.send_index),
            respond.send.eq(issue.send),
            respond.send_index.eq(issue.send_index),
            respond.send_failed.eq(issue.send_failed),
            table.respond.eq(self.dram_b.valid),
            table.respond_id.eq(self.dram_b.payload.id),
            respond.responded.eq(table.responded),
            table.deliver.eq(respond.deliver),
            table.deliver_index.eq(respond.deliver_index),
            table.query_id.eq(respond.refused_id),
            respond.id_in_flight.eq(table.query_hit),
            route.refused_busy.eq(respond.refused_busy),
            route.refused_id.eq(respond.refused_id),
            route.drain_slot.eq(self.drain_slot),
            table.drain_slot.eq(self.drain_slot),
            self.drain_busy.eq(route.drain_busy | table.drain_busy),
        ]
        with m.If(gather.job.valid):
            m.d.comb += [
                entry.is_encrypted.eq(1),
                *(entry[field].eq(job[field]) for field in ("is_final", "id", "slot", "line")),
            ]
        with m.Else():
            m.d.comb += [
                entry.is_final.eq(1),
                entry.id.eq(plain.id),
                entry.line.eq(plain.addr[6:]),
            ]

    def _connect_blocks(self, m: Module) -> None:
        job, merge, encrypt, issue = self.gather.job, self.merge_blocks, self.encrypt, self.issue
        for user in (merge, encrypt, issue):
            m.d.comb += [user.job.payload.eq(job.payload), user.job.valid.eq(job.valid)]
        request = self.tweak_request
        m.d.comb += [
            self.table.partial.eq(merge.partial),
            self.table.partial_index.eq(merge.partial_index),
            merge.may_read.eq(self.table.may_read),
            merge.place.eq(encrypt.place),
            encrypt.block.eq(merge.block),
            encrypt.is_complete.eq(merge.is_complete),
            encrypt.is_written.eq(merge.is_written),
            encrypt.serving.eq(self.serving),
            issue.is_ready.eq(encrypt.is_ready),
            issue.is_written.eq(merge.is_written),
            issue.failed.eq(merge.failed | encrypt.lost),
            issue.serving.eq(self.serving),
            encrypt.read_place.eq(issue.place),
            issue.ciphertext.eq(encrypt.ciphertext),
            request.valid.eq(job.valid),
            *(request.payload[field].eq(job.payload[field]) for field in ("line", "slot", "index")),
        ]
