"""Sends reads to DRAM: plain ones as they are, encrypted ones as chunks, and those of partial writes."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.access.request import Route, request_layout
from cbit.access.splitter import ChunkSplitter
from cbit.axi.ports import Burst, address_layout
from cbit.stream.arbiter import PatientArbiter

from .deny import denied_read_layout
from .entry import ReadKind, entry_layout, merge_request_layout

__all__ = ["ReadIssue"]

PLAIN, CHUNK = range(2)
MANAGER, MERGE = range(2)


class ReadIssue(Component):
    """Orders the bursts that read DRAM and enters each in the table as DRAM takes it.

    A plain access passes the chunks of an earlier encrypted one unless it has the same ID, and managers
    pass partial writes. A plain access waits until all of its beats have room to be stored, so that
    read data never wait in DRAM's port.

    Latency: none, all combinational from ``i`` to ``ar``. Throughput: one burst a cycle. Stalls: ``ar``
    stays while DRAM waits; a full table stalls ``i``, and never partial writes.

    Parameters
    ----------
    addr_width, c_bit, id_width, slot_width, blocks : :class:`int`
        Widths, and the number of blocks in the write path.
    plain_beats : :class:`int`
        Beats of plain data that can be stored. At least 256.
    patience : :class:`int`
        How many plain accesses in a row may pass chunks that wait, and managers partial writes.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
    merge : ``In(stream.Signature(merge_request_layout(...)))``
    ar : ``Out(stream.Signature(address_layout(...)))``
    denied : ``Out(stream.Signature(denied_read_layout(...)))``
    denied_busy, denied_id : ``In``
        Whether a denied read is being answered, and its ID.
    manager_free, merge_free : ``In(1)``
        Room in the table.
    allocate : ``Out(1)``
        High in the cycle in which DRAM takes a burst.
    entry : ``Out(entry_layout(...))``
        That burst.
    line : ``Out(c_bit - 6)``
        Its line.
    plain_delivered : ``In(1)``
        High in a cycle in which a plain beat leaves its store.
    drain_slot, drain_busy : ``In``, ``Out``
        As in :class:`~cbit.access.splitter.ChunkSplitter`.
    """

    def __init__(self, *, addr_width: int, c_bit: int, id_width: int, slot_width: int, blocks: int,
                 plain_beats: int, patience: int) -> None:
        if plain_beats < 256:
            raise ValueError(f"Plain beats must be at least 256, not {plain_beats!r}")
        self.plain_beats = plain_beats
        self.patience = patience
        self.splitter = ChunkSplitter(c_bit=c_bit, id_width=id_width, slot_width=slot_width)
        super().__init__({
            "i": In(stream.Signature(request_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width))),
            "merge": In(stream.Signature(merge_request_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width,
                                                              blocks=blocks))),
            "ar": Out(stream.Signature(address_layout(addr_width=addr_width, id_width=id_width))),
            "denied": Out(stream.Signature(denied_read_layout(id_width=id_width))),
            "denied_busy": In(1),
            "denied_id": In(id_width),
            "manager_free": In(1),
            "merge_free": In(1),
            "allocate": Out(1),
            "entry": Out(entry_layout(id_width=id_width, slot_width=slot_width, blocks=blocks)),
            "line": Out(c_bit - 6),
            "plain_delivered": In(1),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.splitter = splitter = self.splitter
        m.submodules.managers = managers = PatientArbiter(count=2, patience=self.patience)
        m.submodules.arbiter = arbiter = PatientArbiter(count=2, patience=self.patience)
        request, chunk = self.i.payload, splitter.o.payload
        manager_taken = Signal()
        m.d.comb += [
            splitter.drain_slot.eq(self.drain_slot),
            self.drain_busy.eq(splitter.drain_busy),
            splitter.i.payload.eq(request),
            splitter.o.ready.eq(manager_taken & (managers.choice == CHUNK)),
            self.merge.ready.eq(self.allocate & (arbiter.choice == MERGE)),
            self.denied.payload.id.eq(request.id),
            self.denied.payload.len.eq(request.len),
            self.denied.payload.resp.eq(request.resp),
            managers.requests[CHUNK].eq(splitter.o.valid & self.manager_free),
            managers.taken.eq(manager_taken),
            arbiter.requests[MANAGER].eq(managers.valid),
            arbiter.requests[MERGE].eq(self.merge.valid & self.merge_free),
        ]
        self._route_head(m, managers.requests[PLAIN], manager_taken & (managers.choice == PLAIN))

        m.d.comb += [
            self.ar.valid.eq(arbiter.valid),
            arbiter.taken.eq(self.ar.ready),
            self.allocate.eq(arbiter.valid & self.ar.ready),
            manager_taken.eq(self.allocate & (arbiter.choice == MANAGER)),
        ]
        with m.If(arbiter.choice == MERGE):
            self._send_blocks(m, self.merge.payload, self.merge.payload.block, self.merge.payload.block)
            m.d.comb += [self.entry.kind.eq(ReadKind.MERGE), self.entry.place.eq(self.merge.payload.place)]
        with m.Elif(managers.choice == PLAIN):
            self._send_plain(m)
        with m.Else():
            self._send_blocks(m, chunk, chunk.first_byte[4:], chunk.last_byte[4:])
            self._plan_beats(m)
        return m

    def _route_head(self, m: Module, plain_asks: Signal, plain_taken) -> None:
        """Offers the head of ``i`` to where it belongs, unless an earlier access of its ID is still to be sent."""
        request, splitter = self.i.payload, self.splitter
        blocked = Signal()
        room = Signal(range(self.plain_beats + 1), init=self.plain_beats)
        m.d.comb += blocked.eq((self.denied_busy & (self.denied_id == request.id))
                               | (splitter.is_busy & (splitter.busy_id == request.id)))
        m.d.sync += room.eq(room + self.plain_delivered - Mux(plain_taken, request.len + 1, 0))
        with m.If(self.i.valid & ~blocked):
            with m.Switch(request.route):
                with m.Case(Route.PLAIN):
                    m.d.comb += [
                        plain_asks.eq(self.manager_free & (room > request.len)),
                        self.i.ready.eq(plain_taken),
                    ]
                with m.Case(Route.ENCRYPTED):
                    m.d.comb += [splitter.i.valid.eq(1), self.i.ready.eq(splitter.i.ready)]
                with m.Default():
                    m.d.comb += [self.denied.valid.eq(1), self.i.ready.eq(self.denied.ready)]

    def _send_plain(self, m: Module) -> None:
        request, address = self.i.payload, self.ar.payload
        m.d.comb += [
            *(address[field].eq(request[field]) for field in ("id", "addr", "len", "size", "burst", "lock")),
            *(address[field].eq(request.attributes[field]) for field, _ in request.attributes.shape()),
            self.entry.kind.eq(ReadKind.PLAIN),
            self.entry.id.eq(request.id),
        ]

    def _send_blocks(self, m: Module, source, first_block, last_block) -> None:
        address = self.ar.payload
        m.d.comb += [
            address.id.eq(source.id),
            address.addr.eq((source.line << 6) | (first_block << 4)),
            address.len.eq(last_block - first_block),
            address.size.eq(4),
            address.burst.eq(Burst.INCR),
            *(address[field].eq(source.attributes[field]) for field, _ in source.attributes.shape()),
            *(self.entry[field].eq(source[field]) for field in ("id", "slot")),
            self.entry.first_block.eq(first_block),
            self.entry.last_block.eq(last_block),
            self.line.eq(source.line),
        ]

    def _plan_beats(self, m: Module) -> None:
        """How many beats of the manager's burst each block of the chunk serves."""
        chunk, entry = self.splitter.o.payload, self.entry
        block_beats = Signal(4)
        m.d.comb += [
            block_beats.eq(15 >> chunk.size),
            entry.kind.eq(ReadKind.ENCRYPTED),
            entry.is_final.eq(chunk.is_final),
            entry.first_repeat.eq(block_beats - (chunk.first_byte[:4] >> chunk.size)),
            entry.inner_repeat.eq(block_beats),
            entry.last_repeat.eq(chunk.last_byte[:4] >> chunk.size),
        ]
        with m.If(chunk.first_byte[4:] == chunk.last_byte[4:]):
            m.d.comb += entry.first_repeat.eq(chunk.beats)
