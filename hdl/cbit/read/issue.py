"""Sends reads to DRAM: plain ones as they are, encrypted ones as chunks, and those of partial writes."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import Value, unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import Route, request_layout
from cbit.access.splitter import ChunkSplitter
from cbit.axi.beat import BeatShape
from cbit.axi.ports import Burst, address_layout
from cbit.stream.arbiter import PatientArbiter
from cbit.stream.hop import Hop
from cbit.stream.slice import RegisterSlice
from cbit.stream.turns import Turns

from .credit import SHORT_BEATS, BeatCredit
from .deny import denied_read_layout
from .entry import ReadKind, merge_request_layout, plan_layout

__all__ = ["ReadIssue", "sent_layout"]

PLAIN, CHUNK = range(2)
MANAGER, MERGE = range(2)


def sent_layout(*, data_width: int, c_bit: int, id_width: int, slot_width: int, places: int) -> StructLayout:
    """A burst sent to DRAM. ``line`` and ``plan`` count if it has to be decrypted, but for the ID."""
    return StructLayout({
        "kind": ReadKind,
        "line": unsigned(c_bit - 6),
        "plan": plan_layout(data_width=data_width, id_width=id_width, slot_width=slot_width, places=places),
    })


def _any_with(held: list, **wanted: Value) -> Value:
    """Whether one of some entries, each with its valid bit, has fields of these values."""
    return Cat(valid & (entry[field] == value) for valid, entry in held for field, value in wanted.items()).any()


class ReadIssue(Component):
    """Orders the bursts that read DRAM.

    A plain access passes the chunks of an earlier encrypted one unless it has the same ID, and managers
    pass partial writes. A manager's burst waits until all of its beats have room to be stored, so that
    no manager ever holds back DRAM's read data.

    Latency: none, all combinational from ``i`` to ``ar``; if pipelined three cycles for plain accesses and
    four for others, and ``ar`` comes from a slice. Throughput: one burst a cycle. Stalls: ``ar`` stays while
    DRAM waits; too many bursts in flight stall all, too little room managers only.

    Parameters
    ----------
    addr_width, data_width, c_bit, id_width, slot_width, places : :class:`int`
        Widths, and the number of places of beats in the write path.
    beats : :class:`int`
        Beats for managers that can be stored. At least 256.
    patience : :class:`int`
        How many plain accesses in a row may pass chunks that wait, and managers partial writes.
    pipelined : :class:`bool`
        Whether there are registers between the steps, and they take turns, chosen a cycle ahead, instead.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
    next_id : ``In(id_width)``
        If pipelined, the ID that ``i`` has in the next cycle if in this one it is taken or not valid; it counts
        only if ``i`` is valid then.
    merge : ``In(stream.Signature(merge_request_layout(...)))``
    ar : ``Out(stream.Signature(address_layout(...)))``
    denied : ``Out(stream.Signature(denied_read_layout(...)))``
    denied_busy, denied_id : ``In``
        Whether a denied read is being answered, and its ID; that of ``denied`` once that is taken.
    may_send, may_decrypt : ``In(1)``
        Whether there may be another burst in flight, and one that has to be decrypted.
    send : ``Out(1)``
        High in a cycle in which ``sent`` is on its way to DRAM for sure.
    sent : ``Out(sent_layout(...))``
    give : ``In(1)``
        High in a cycle in which a beat leaves its store.
    drain_slot, drain_busy : ``In``, ``Out``
        As in :class:`~cbit.access.splitter.ChunkSplitter`.
    """

    def __init__(self, *, addr_width: int, data_width: int, c_bit: int, id_width: int, slot_width: int, places: int,
                 beats: int, patience: int, pipelined: bool) -> None:
        self.beat = BeatShape(data_width)
        self.patience = patience
        self.pipelined = pipelined
        widths = {"c_bit": c_bit, "id_width": id_width, "slot_width": slot_width}
        self.splitter = ChunkSplitter(data_width=data_width, pipelined=pipelined, **widths)
        self.credit = BeatCredit(beats=beats, pipelined=pipelined)
        super().__init__({
            "i": In(stream.Signature(request_layout(**widths))),
            "next_id": In(id_width),
            "merge": In(stream.Signature(merge_request_layout(data_width=data_width, places=places, **widths))),
            "ar": Out(stream.Signature(address_layout(addr_width=addr_width, id_width=id_width))),
            "denied": Out(stream.Signature(denied_read_layout(id_width=id_width))),
            "denied_busy": In(1),
            "denied_id": In(id_width),
            "may_send": In(1),
            "may_decrypt": In(1),
            "send": Out(1),
            "sent": Out(sent_layout(data_width=data_width, places=places, **widths)),
            "give": In(1),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        byte_bits = self.beat.size
        m.submodules.splitter = splitter = self.splitter
        m.submodules.credit = credit = self.credit
        plain, plains_held = self._part(m, "plain", StructLayout({"request": self.i.payload.shape(), "is_short": 1}))
        chunks, chunks_held = self._part(m, "chunks", splitter.o.payload.shape())
        self._route_head(m, plain, *self._find_others(m, plains_held, chunks_held))
        connect(m, splitter.o, chunks.i)
        chunk, request = chunks.o.payload, plain.o.payload.request
        managers, arbiter = self._choose(m)
        address, room = self._offer(m, arbiter)
        # What each waits for beside its turn, apart from whether it is there: few gates on the way back to it.
        may_plain, may_chunk, may_merge, manager_goes = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            splitter.drain_slot.eq(self.drain_slot),
            self.drain_busy.eq(splitter.drain_busy | _any_with(chunks_held, slot=self.drain_slot)),
            may_merge.eq(self.may_send & self.may_decrypt),
            may_plain.eq(self.may_send & credit.fits),
            may_chunk.eq(may_merge & credit.chunk_fits),
            managers.requests[PLAIN].eq(plain.o.valid & may_plain),
            managers.requests[CHUNK].eq(chunks.o.valid & may_chunk),
            managers.taken.eq(manager_goes & managers.valid),
            arbiter.requests[MANAGER].eq(managers.valid),
            arbiter.requests[MERGE].eq(self.merge.valid & may_merge),
            manager_goes.eq(room & (arbiter.choice == MANAGER)),
            plain.o.ready.eq(manager_goes & (managers.choice == PLAIN) & may_plain),
            chunks.o.ready.eq(manager_goes & (managers.choice == CHUNK) & may_chunk),
            self.merge.ready.eq(room & (arbiter.choice == MERGE) & arbiter.requests[MERGE]),

            credit.len.eq(request.len),
            credit.is_short.eq(plain.o.payload.is_short),
            credit.renew.eq(~plain.o.valid),
            credit.take.eq(managers.taken),
            credit.taken.eq(Mux(managers.choice == PLAIN, request.len,
                                 chunk.last_byte[byte_bits:] - chunk.first_byte[byte_bits:])),
            credit.give.eq(self.give),
        ]
        with m.If(arbiter.choice == MERGE):
            merge = self.merge.payload
            self._send_beats(m, address, merge, merge.beat, merge.beat)
            m.d.comb += [self.sent.kind.eq(ReadKind.MERGE), self.sent.plan.is_merge.eq(1),
                         self.sent.plan.place.eq(merge.place)]
        with m.Elif(managers.choice == PLAIN):
            self._send_plain(m, address, request)
        with m.Else():
            self._send_beats(m, address, chunk, chunk.first_byte[byte_bits:], chunk.last_byte[byte_bits:])
            self._plan_beats(m, chunk)
        return m

    def _part(self, m: Module, name: str, shape):
        """A wire, or if pipelined a slice, and what a slice holds: whether it is there, and the entry."""
        if not self.pipelined:
            m.submodules[name] = wire = Hop(shape=shape, registered=False)
            return wire, []
        m.submodules[name] = slice_ = RegisterSlice(shape=shape)
        return slice_, list(zip(slice_.held_valid, slice_.held))

    def _choose(self, m: Module):
        """Who goes among managers' accesses, and between them and partial writes."""
        if self.pipelined:
            m.submodules.managers, m.submodules.arbiter = chosen = Turns(), Turns()
            return chosen
        m.submodules.managers = managers = PatientArbiter(count=2, patience=self.patience)
        m.submodules.arbiter = arbiter = PatientArbiter(count=2, patience=self.patience)
        # What goes first may take the last entry, and so withdraw what nobody has seen.
        m.d.comb += managers.keep.eq(arbiter.choice == MANAGER)
        return managers, arbiter

    def _find_others(self, m: Module, plains_held: list, chunks_held: list) -> tuple[Signal, ...]:
        """Whether accesses of the head's ID are being answered as denied, being cut, and held as plain ones.

        If pipelined, who will be the head in the next cycle is compared in this one with all that may be there then.
        """
        splitter, id_ = self.splitter, self.i.payload.id
        denied, cut, held = Signal(), Signal(), Signal()
        if not self.pipelined:
            m.d.comb += [
                denied.eq(self.denied_busy & (self.denied_id == id_)),
                cut.eq(splitter.is_busy & (splitter.busy_id == id_)),
            ]
            return denied, cut, held

        # What is in a slice counts as staying, even if it leaves: that it does is known late. A chunk that comes is the
        # splitter's.
        plains = [(valid, entry.request) for valid, entry in plains_held]

        def cut_with(wanted):
            return (splitter.is_busy & (splitter.busy_id == wanted)) | _any_with(chunks_held, id=wanted)

        # Whether the head moves is known late, too, so that both are found, and a register tells which counts.
        moved, came, next_is_same = Signal(), Signal(), Signal()
        found = StructLayout({"has_denied_id": 1, "cut": 1, "held": 1})
        if_moved, if_not, others = Signal(found), Signal(found), Signal(found)
        m.d.comb += [
            next_is_same.eq(self.next_id == id_),
            came.eq(self.i.valid & next_is_same),
            others.eq(Mux(moved, if_moved, if_not)),
            denied.eq(self.denied_busy & others.has_denied_id),
            cut.eq(others.cut),
            held.eq(others.held),
        ]
        m.d.sync += [
            moved.eq(self.i.ready | ~self.i.valid),
            if_moved.has_denied_id.eq(Mux(self.denied_busy, self.denied_id == self.next_id, next_is_same)),
            if_moved.cut.eq(cut_with(self.next_id) | (came & (self.i.payload.route == Route.ENCRYPTED))),
            if_moved.held.eq(_any_with(plains, id=self.next_id) | (came & (self.i.payload.route == Route.PLAIN))),
            if_not.has_denied_id.eq(self.denied_id == id_),
            if_not.cut.eq(cut_with(id_)),
            if_not.held.eq(_any_with(plains, id=id_)),
        ]
        return denied, cut, held

    def _route_head(self, m: Module, plain, being_denied: Signal, being_cut: Signal, being_held: Signal) -> None:
        """Offers the head of ``i`` to where it belongs, unless an earlier access of its ID is elsewhere, unsent."""
        request, splitter = self.i.payload, self.splitter
        m.d.comb += [
            plain.i.payload.request.eq(request),
            plain.i.payload.is_short.eq(request.len < SHORT_BEATS),
            splitter.i.payload.eq(request),
            self.denied.payload.id.eq(request.id),
            self.denied.payload.len.eq(request.len),
            self.denied.payload.resp.eq(request.resp),
        ]
        with m.If(self.i.valid & ~being_denied):
            with m.Switch(request.route):
                with m.Case(Route.PLAIN):
                    m.d.comb += [plain.i.valid.eq(~being_cut), self.i.ready.eq(plain.i.ready & ~being_cut)]
                with m.Case(Route.ENCRYPTED):
                    m.d.comb += [splitter.i.valid.eq(~being_held), self.i.ready.eq(splitter.i.ready & ~being_held)]
                with m.Default():
                    unsent = being_cut | being_held
                    m.d.comb += [self.denied.valid.eq(~unsent), self.i.ready.eq(self.denied.ready & ~unsent)]

    def _offer(self, m: Module, arbiter):
        """Offers the arbiter's choice to DRAM, or to registers on the way; returns its address, and whether it goes."""
        offered = self.ar
        if self.pipelined:
            m.submodules.slice = slice_ = RegisterSlice(shape=self.ar.payload.shape())
            connect(m, slice_.o, flipped(self.ar))
            offered = slice_.i
        m.d.comb += [
            offered.valid.eq(arbiter.valid),
            arbiter.taken.eq(offered.ready),
            self.send.eq(arbiter.valid & offered.ready),
        ]
        return offered.payload, offered.ready

    def _send_plain(self, m: Module, address, request) -> None:
        m.d.comb += [
            *(address[field].eq(request[field]) for field in ("id", "addr", "len", "size", "burst", "lock")),
            *(address[field].eq(request.attributes[field]) for field, _ in request.attributes.shape()),
            self.sent.kind.eq(ReadKind.PLAIN),
            self.sent.plan.id.eq(request.id),
        ]

    def _send_beats(self, m: Module, address, source, first_beat, last_beat) -> None:
        plan = self.sent.plan
        m.d.comb += [
            address.id.eq(source.id),
            address.addr.eq((source.line << 6) | (first_beat << self.beat.size)),
            address.len.eq(last_beat - first_beat),
            address.size.eq(self.beat.size),
            address.burst.eq(Burst.INCR),
            *(address[field].eq(source.attributes[field]) for field, _ in source.attributes.shape()),
            *(plan[field].eq(source[field]) for field in ("id", "slot")),
            plan.first_beat.eq(first_beat),
            self.sent.line.eq(source.line),
        ]

    def _plan_beats(self, m: Module, chunk) -> None:
        """How many beats of the manager's burst each beat of DRAM's serves."""
        plan, byte_bits = self.sent.plan, self.beat.size
        most_after = Signal(byte_bits)
        m.d.comb += [
            most_after.eq((self.beat.bytes - 1) >> chunk.size),
            self.sent.kind.eq(ReadKind.ENCRYPTED),
            plan.is_final.eq(chunk.is_final),
            plan.first_repeat.eq(most_after - (chunk.first_byte[:byte_bits] >> chunk.size)),
            plan.inner_repeat.eq(most_after),
            plan.last_repeat.eq(chunk.last_byte[:byte_bits] >> chunk.size),
        ]
        with m.If(chunk.first_byte[byte_bits:] == chunk.last_byte[byte_bits:]):
            m.d.comb += plan.first_repeat.eq(chunk.beats)
