"""Sends writes to DRAM: plain ones as they come, encrypted lines when all of their beats are ready."""

from amaranth import Cat, Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import ATTRIBUTES
from cbit.axi.beat import BLOCK_BITS, BeatShape
from cbit.axi.ports import Burst, address_layout, write_data_layout
from cbit.stream.arbiter import PatientArbiter
from cbit.stream.bounded_queue import BoundedQueue
from cbit.stream.hop import Hop
from cbit.stream.slice import RegisterSlice
from cbit.stream.stage import Stage
from cbit.stream.turns import Turns

from .collect import cipher_layout, done_line_layout
from .entry import PAGE_CLASS_BITS, near_bits, places_per_id, plain_layout
from .hazards import mark_layout

__all__ = ["WriteIssue", "sent_layout", "sent_line_layout"]

PLAIN, LINE = range(2)

LEAVING = 8
"""Beats that wait behind the register in which plain ones and lines meet."""


def sent_line_layout(*, entries: int, data_width: int, c_bit: int, id_width: int) -> StructLayout:
    """What of a line its sending needs."""
    beat = BeatShape(data_width)
    return StructLayout({
        "line": unsigned(c_bit - 6),
        "first_beat": unsigned(beat.number_bits),
        "last_beat": unsigned(beat.number_bits),
        "id": unsigned(id_width),
        "place": range(places_per_id(entries, id_width)),
        "plains": unsigned(near_bits(entries)),
        "is_final": unsigned(1),
        "attributes": ATTRIBUTES,
    })


def sent_layout(*, entries: int, id_width: int) -> StructLayout:
    """A burst that goes to DRAM: the ``place``-th of its ID; ``in_vain`` if it writes nothing."""
    return StructLayout({"id": unsigned(id_width), "place": range(places_per_id(entries, id_width)),
                         "is_line": unsigned(1), "is_final": unsigned(1), "in_vain": unsigned(1)})


class WriteIssue(Component):
    """Puts bursts on DRAM's AW and W, one after the other, plain ones first.

    A plain write goes when its first beat is there; its data pass unchanged. A line goes when all of it is encrypted
    and all earlier plain writes have gone, and never waits within the burst. If it has failed its strobes are zero, so
    that DRAM answers and nothing is written.

    Latency: none for a plain write, or if pipelined three cycles to ``aw`` and five to ``w``. Throughput: one beat and
    one burst a cycle. Stalls: ``aw`` and ``w`` do not wait for each other within a burst; if pipelined both come
    from slices, and do not within three bursts.

    Parameters
    ----------
    entries, addr_width, data_width, c_bit, id_width : :class:`int`
        Bursts in flight, and widths.
    patience : :class:`int`
        How many plain bursts in a row may pass lines that wait.
    pipelined : :class:`bool`
        Whether registers part what waits, choice and port, and plain bursts and lines take turns, chosen a cycle ahead,
        instead.

    Members
    -------
    plain : ``In(stream.Signature(plain_layout(...)))``
        Plain writes.
    mark : ``In(stream.Signature(mark_layout(...)))``
        What each waits for; comes with its first beat.
    plain_w : ``In(stream.Signature(write_data_layout(data_width)))``
    line : ``In(stream.Signature(sent_line_layout(...)))``
        Lines.
    done : ``In(stream.Signature(done_line_layout()))``
        The same lines, encrypted.
    cipher : ``In(stream.Signature(cipher_layout(...)))``
        Their beats.
    settled : ``In(near_bits(entries))``
        As in :class:`~cbit.write.progress.WriteProgress`.
    send : ``Out(1)``
        High in the cycle in which burst ``sent`` is chosen, or if pipelined in the one after.
    sent : ``Out(sent_layout(...))``
    sent_page_class : ``Out(PAGE_CLASS_BITS)``
    plains_sent : ``Out(near_bits(entries))``
        How many plain writes have been sent before.
    aw : ``Out(stream.Signature(address_layout(...)))``
    w : ``Out(stream.Signature(write_data_layout(data_width)))``
    """

    def __init__(self, *, entries: int, addr_width: int, data_width: int, c_bit: int, id_width: int, patience: int,
                 pipelined: bool) -> None:
        self.beat = BeatShape(data_width)
        self.patience = patience
        self.pipelined = pipelined
        self.near = near_bits(entries)
        self.line_layout = sent_line_layout(entries=entries, data_width=data_width, c_bit=c_bit, id_width=id_width)
        self.address_layout = address_layout(addr_width=addr_width, id_width=id_width)
        near = self.near
        super().__init__({
            "plain": In(stream.Signature(plain_layout(entries=entries, c_bit=c_bit, id_width=id_width))),
            "mark": In(stream.Signature(mark_layout(entries=entries))),
            "plain_w": In(stream.Signature(write_data_layout(data_width))),
            "line": In(stream.Signature(self.line_layout)),
            "done": In(stream.Signature(done_line_layout())),
            "cipher": In(stream.Signature(cipher_layout(data_width=data_width))),
            "settled": In(near),
            "send": Out(1),
            "sent": Out(sent_layout(entries=entries, id_width=id_width)),
            "sent_page_class": Out(PAGE_CLASS_BITS),
            "plains_sent": Out(near),
            "aw": Out(stream.Signature(self.address_layout)),
            "w": Out(stream.Signature(write_data_layout(data_width))),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        # These count what is chosen at once; those who are told know it later.
        self._plains_gone, self._lines_gone = Signal(self.near), Signal(self.near, init=1)
        self._too_many_passed = Signal()
        plain_goes, line_goes, is_line, has_room = Signal(), Signal(), Signal(), Signal()
        plain, mark, plain_may_go = self._prepare_plain(m, plain_goes)
        line, done, line_may_go = self._prepare_line(m, line_goes)
        address, turn, turn_room = self._lead_out(m, plain_goes | line_goes)
        m.d.comb += has_room.eq(turn_room)
        chosen = self._choose(m, has_room, plain_may_go, line_may_go)
        told = StructLayout({"send": unsigned(1), "sent": self.sent.shape(), "page_class": unsigned(PAGE_CLASS_BITS),
                             "plains": unsigned(self.near)})
        m.submodules.tell = tell = Stage(shape=told, registered=self.pipelined)
        m.d.comb += [
            is_line.eq(chosen.choice == LINE),
            line_goes.eq(chosen.valid & chosen.taken & is_line),
            plain_goes.eq(chosen.valid & chosen.taken & ~is_line),
            turn.is_line.eq(is_line),
            turn.failed.eq(done.failed),
            tell.advance.eq(1),
            tell.i.send.eq(plain_goes | line_goes),
            tell.i.page_class.eq(mark.page_class),
            tell.i.plains.eq(self._plains_gone),
            self.send.eq(tell.o.send),
            self.sent.eq(tell.o.sent),
            self.sent_page_class.eq(tell.o.page_class),
            self.plains_sent.eq(tell.o.plains),
        ]
        m.d.sync += [
            self._plains_gone.eq(self._plains_gone + plain_goes),
            self._lines_gone.eq(self._lines_gone + line_goes),
        ]
        with m.If(is_line):
            self._address_line(m, line, done, address, tell.i.sent)
        with m.Else():
            self._address_plain(m, plain, address, tell.i.sent)
        return m

    def _choose(self, m: Module, has_room: Signal, plain_may_go, line_may_go):
        """Who goes, plain write or line. Pipelined, whose turn it is does not look at the room."""
        if self.pipelined:
            m.submodules.arbiter = arbiter = Turns()
            m.d.comb += [arbiter.requests.eq(Cat(plain_may_go, line_may_go)), arbiter.taken.eq(has_room)]
            return arbiter
        m.submodules.arbiter = arbiter = PatientArbiter(count=2, patience=self.patience)
        m.d.comb += [
            arbiter.requests.eq(Cat(plain_may_go, line_may_go) & has_room.replicate(2)),
            arbiter.taken.eq(1),
        ]
        return arbiter

    def _lead_out(self, m: Module, goes):
        """Bursts to AW, and to where their data are sent; returns both heads, and whether there is room at both."""
        # Not pipelined, a burst is chosen when the one before has gone: so a plain one waits for one line at most.
        turn_layout = StructLayout({"is_line": unsigned(1), "failed": unsigned(1)})
        if self.pipelined:
            addresses, turns = RegisterSlice(shape=self.address_layout), RegisterSlice(shape=turn_layout)
        else:
            addresses = BoundedQueue(shape=self.address_layout, depth=2, bypass=True)
            turns = BoundedQueue(shape=turn_layout, depth=2, bypass=True, spare=1)
        m.submodules.addresses, m.submodules.turns = addresses, turns
        connect(m, addresses.o, flipped(self.aw))
        m.d.comb += [addresses.i.valid.eq(goes), turns.i.valid.eq(goes)]
        self._send_data(m, turns.o)
        return addresses.i.payload, turns.i.payload, addresses.i.ready & turns.i.ready

    def _is_past(self, mark):
        """Whether what a plain write waits for has left what is open."""
        return ((~mark.waits_sent | (mark.sent - self._lines_gone)[self.near - 1])
                & (~mark.waits_settled | (mark.settled - self.settled)[self.near - 1]))

    def _prepare_plain(self, m: Module, goes: Signal):
        """The next plain write, its mark, and whether it may go: at once, unless it had to wait as it came."""
        plain, mark = self.plain, self.mark
        if not self.pipelined:
            is_clear = Signal()
            m.d.comb += [plain.ready.eq(goes), mark.ready.eq(goes)]
            m.d.sync += is_clear.eq(mark.valid & ~goes & self._is_past(mark.payload))
            waits = mark.payload.waits_sent | mark.payload.waits_settled
            may_go = plain.valid & mark.valid & (~waits | is_clear) & ~self._too_many_passed
            return plain.payload, mark.payload, may_go
        layout = StructLayout({"plain": plain.payload.shape(), "mark": mark.payload.shape()})
        m.submodules.plain_entering = entering = RegisterSlice(shape=layout)
        # Counts only while it is there.
        candidate = Signal(layout, reset_less=True)
        is_there, is_past, may_go, is_free, comes = Signal(), Signal(), Signal(), Signal(), Signal()
        next_waits = entering.o.payload.mark.waits_sent | entering.o.payload.mark.waits_settled
        m.d.comb += [
            entering.i.valid.eq(plain.valid & mark.valid),
            entering.i.payload.plain.eq(plain.payload),
            entering.i.payload.mark.eq(mark.payload),
            plain.ready.eq(mark.valid & entering.i.ready),
            mark.ready.eq(plain.valid & entering.i.ready),
            is_free.eq(~is_there | goes),
            entering.o.ready.eq(is_free & ~self._too_many_passed),
            comes.eq(entering.o.valid & entering.o.ready),
        ]
        with m.If(is_free):
            m.d.sync += [
                is_there.eq(comes),
                candidate.eq(entering.o.payload),
                is_past.eq(0),
                may_go.eq(comes & ~next_waits),
            ]
        with m.Else():
            m.d.sync += [is_past.eq(self._is_past(candidate.mark)), may_go.eq(may_go | is_past)]
        return candidate.plain, candidate.mark, may_go

    def _prepare_line(self, m: Module, goes: Signal):
        """The next line, in a register of its own, and whether it may go."""
        layout = StructLayout({"line": self.line_layout, "done": done_line_layout()})
        entering = RegisterSlice(shape=layout) if self.pipelined else Hop(shape=layout, registered=False)
        m.submodules.entering = entering
        # Counts only while it is there.
        candidate = Signal(layout, reset_less=True)
        is_there, may_go, is_free = Signal(), Signal(), Signal()
        next_line, next_done = entering.o.payload.line, entering.o.payload.done

        def follows_plains(line):
            return ~(self._plains_gone - line.plains)[self.near - 1]

        def is_passed_by_many(line):
            return (self._plains_gone - line.plains)[self.near - 2:] == 1

        # A line that waits must not be passed by more plain writes than are told apart.
        m.d.sync += self._too_many_passed.eq((is_there & is_passed_by_many(candidate.line))
                                             | (entering.o.valid & is_passed_by_many(next_line))
                                             | (self.line.valid & is_passed_by_many(self.line.payload)))
        m.d.comb += [
            entering.i.valid.eq(self.line.valid & self.done.valid),
            entering.i.payload.line.eq(self.line.payload),
            entering.i.payload.done.eq(self.done.payload),
            self.line.ready.eq(entering.i.valid & entering.i.ready),
            self.done.ready.eq(entering.i.valid & entering.i.ready),
            is_free.eq(~is_there | goes),
            entering.o.ready.eq(is_free),
        ]
        with m.If(is_free):
            m.d.sync += [
                is_there.eq(entering.o.valid),
                candidate.eq(entering.o.payload),
                may_go.eq(entering.o.valid & ~next_done.is_held & follows_plains(next_line)),
            ]
        with m.Else():
            m.d.sync += may_go.eq((~candidate.done.is_held | (self._lines_gone == self.settled))
                                  & follows_plains(candidate.line))
        return candidate.line, candidate.done, may_go

    def _address_plain(self, m: Module, plain, address, sent) -> None:
        m.d.comb += [
            *(address[field].eq(plain[field]) for field in ("id", "addr", "len", "size", "burst", "lock")),
            *(address[field].eq(plain.attributes[field]) for field, _ in ATTRIBUTES),
            sent.id.eq(plain.id),
            sent.place.eq(plain.place),
            sent.is_final.eq(1),
        ]

    def _address_line(self, m: Module, line, done, address, sent) -> None:
        m.d.comb += [
            address.id.eq(line.id),
            address.addr.eq((line.line << 6) | (line.first_beat << self.beat.size)),
            address.len.eq(line.last_beat - line.first_beat),
            address.size.eq(self.beat.size),
            address.burst.eq(Burst.INCR),
            *(address[field].eq(line.attributes[field]) for field, _ in ATTRIBUTES),
            *(sent[field].eq(line[field]) for field in ("id", "place", "is_final")),
            sent.is_line.eq(1),
            sent.in_vain.eq(done.failed),
        ]

    def _offer(self, m: Module, valid: Signal, beat) -> Signal:
        """Offers a beat to DRAM, or to registers on the way there; returns whether it is taken."""
        goes = Signal()
        if not self.pipelined:
            m.d.comb += [self.w.valid.eq(valid), self.w.payload.eq(beat), goes.eq(valid & self.w.ready)]
            return goes
        layout = self.w.payload.shape()
        m.submodules.met = met = Stage(shape=StructLayout({"valid": unsigned(1), "beat": layout}), registered=True)
        m.submodules.leaving = leaving = BoundedQueue(shape=layout, depth=LEAVING, spare=1, registered=True)
        connect(m, leaving.o, flipped(self.w))
        m.d.comb += [
            goes.eq(valid & leaving.i.ready),
            met.advance.eq(1),
            met.i.valid.eq(goes),
            met.i.beat.eq(beat),
            leaving.i.valid.eq(met.o.valid),
            leaving.i.payload.eq(met.o.beat),
        ]
        return goes

    def _send_data(self, m: Module, turn) -> None:
        plain, cipher = self.plain_w.payload, self.cipher.payload
        valid, beat, failed = Signal(), Signal(self.w.payload.shape()), turn.payload.failed
        goes = self._offer(m, valid, beat)
        m.d.comb += turn.ready.eq(goes & beat.last)
        with m.If(turn.payload.is_line):
            m.d.comb += [
                beat.data.eq(cipher.data & ~failed.replicate(self.beat.data_width)),
                beat.strb.eq(Cat((bit & ~failed).replicate(BLOCK_BITS // 8) for bit in cipher.written)),
                beat.last.eq(cipher.is_last),
                valid.eq(turn.valid & self.cipher.valid),
                self.cipher.ready.eq(goes),
            ]
        with m.Else():
            m.d.comb += [
                beat.eq(plain),
                valid.eq(turn.valid & self.plain_w.valid),
                self.plain_w.ready.eq(goes),
            ]
