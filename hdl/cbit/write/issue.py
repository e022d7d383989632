"""Sends writes to DRAM: plain ones as they come, encrypted lines when all of their blocks are ready."""

from amaranth import Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import ATTRIBUTES
from cbit.axi.ports import Burst, address_layout, write_data_layout
from cbit.stream.arbiter import PatientArbiter
from cbit.stream.bounded_queue import BoundedQueue

from .collect import cipher_layout, done_line_layout
from .entry import PAGE_CLASS_BITS, near_bits, places_per_id, plain_layout
from .hazards import mark_layout

__all__ = ["WriteIssue", "sent_layout", "sent_line_layout"]

PLAIN, LINE = range(2)


def sent_line_layout(*, entries: int, c_bit: int, id_width: int) -> StructLayout:
    """What of a line its sending needs."""
    return StructLayout({
        "line": unsigned(c_bit - 6),
        "first_block": unsigned(2),
        "last_block": unsigned(2),
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

    Latency: none for a plain write, or if pipelined one cycle. Throughput: one beat and one burst a cycle. Stalls:
    ``aw`` and ``w`` do not wait for each other within a burst, or if pipelined within three.

    Parameters
    ----------
    entries, addr_width, c_bit, id_width : :class:`int`
        Bursts in flight, and widths.
    patience : :class:`int`
        How many plain bursts in a row may pass lines that wait.
    pipelined : :class:`bool`
        Whether registers part choice and port.

    Members
    -------
    plain : ``In(stream.Signature(plain_layout(...)))``
        Plain writes.
    mark : ``In(stream.Signature(mark_layout(...)))``
        What each waits for; comes with its first beat.
    plain_w : ``In(stream.Signature(write_data_layout(128)))``
    line : ``In(stream.Signature(sent_line_layout(...)))``
        Lines.
    done : ``In(stream.Signature(done_line_layout()))``
        The same lines, encrypted.
    cipher : ``In(stream.Signature(cipher_layout()))``
        Their blocks.
    sent_before, settled : ``In(near_bits(entries))``
        ``sent`` and ``settled`` of :class:`~cbit.write.progress.WriteProgress`.
    send : ``Out(1)``
        High in the cycle in which burst ``sent`` is chosen.
    sent : ``Out(sent_layout(...))``
    sent_page_class : ``Out(PAGE_CLASS_BITS)``
    plains_sent : ``Out(near_bits(entries))``
        How many plain writes have been chosen.
    plain_sent : ``Out(1)``
        High in the cycle in which one is.
    aw : ``Out(stream.Signature(address_layout(...)))``
    w : ``Out(stream.Signature(write_data_layout(128)))``
    """

    def __init__(self, *, entries: int, addr_width: int, c_bit: int, id_width: int, patience: int,
                 pipelined: bool) -> None:
        self.patience = patience
        self.pipelined = pipelined
        self.line_layout = sent_line_layout(entries=entries, c_bit=c_bit, id_width=id_width)
        self.address_layout = address_layout(addr_width=addr_width, id_width=id_width)
        near = near_bits(entries)
        super().__init__({
            "plain": In(stream.Signature(plain_layout(entries=entries, c_bit=c_bit, id_width=id_width))),
            "mark": In(stream.Signature(mark_layout(entries=entries))),
            "plain_w": In(stream.Signature(write_data_layout(128))),
            "line": In(stream.Signature(self.line_layout)),
            "done": In(stream.Signature(done_line_layout())),
            "cipher": In(stream.Signature(cipher_layout())),
            "sent_before": In(near),
            "settled": In(near),
            "send": Out(1),
            "sent": Out(sent_layout(entries=entries, id_width=id_width)),
            "sent_page_class": Out(PAGE_CLASS_BITS),
            "plains_sent": Out(near),
            "plain_sent": Out(1),
            "aw": Out(stream.Signature(self.address_layout)),
            "w": Out(stream.Signature(write_data_layout(128))),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        depth = {"depth": 2, "bypass": not self.pipelined}
        m.submodules.arbiter = arbiter = PatientArbiter(count=2, patience=self.patience)
        m.submodules.addresses = addresses = BoundedQueue(shape=self.address_layout, **depth)
        # Not pipelined, a burst is chosen when the one before has gone: so a plain one waits for one line at most.
        turn_layout = StructLayout({"is_line": unsigned(1), "failed": unsigned(1)})
        m.submodules.turns = turns = BoundedQueue(shape=turn_layout, spare=int(not self.pipelined), **depth)
        has_room, plain_goes, line_goes = Signal(), Signal(), Signal()
        candidate, line_may_go = self._prepare_line(m, line_goes)
        connect(m, addresses.o, flipped(self.aw))
        m.d.comb += [
            has_room.eq(addresses.i.ready & turns.i.ready),
            arbiter.requests[PLAIN].eq(has_room & self._plain_may_go(m, plain_goes)),
            arbiter.requests[LINE].eq(has_room & line_may_go),
            arbiter.taken.eq(1),
            self.send.eq(arbiter.valid),
            line_goes.eq(arbiter.valid & (arbiter.choice == LINE)),
            plain_goes.eq(arbiter.valid & (arbiter.choice == PLAIN)),
            self.plain_sent.eq(plain_goes),
            self.plain.ready.eq(plain_goes),
            self.mark.ready.eq(plain_goes),
            self.sent_page_class.eq(self.mark.payload.page_class),
            addresses.i.valid.eq(self.send),
            turns.i.valid.eq(self.send),
            turns.i.payload.is_line.eq(line_goes),
            turns.i.payload.failed.eq(candidate.done.failed),
        ]
        m.d.sync += self.plains_sent.eq(self.plains_sent + plain_goes)
        with m.If(arbiter.choice == PLAIN):
            self._address_plain(m, addresses.i.payload)
        with m.Else():
            self._address_line(m, candidate, addresses.i.payload)
        self._send_data(m, turns.o)
        return m

    def _plain_may_go(self, m: Module, plain_goes: Signal):
        """One that had to wait as it came waits until what it waits for has left what is open."""
        mark = self.mark.payload
        is_clear = Signal()
        m.d.sync += is_clear.eq(
            self.mark.valid & ~plain_goes
            & (~mark.waits_sent | (mark.sent - self.sent_before)[len(mark.sent) - 1])
            & (~mark.waits_settled | (mark.settled - self.settled)[len(mark.settled) - 1]))
        return self.plain.valid & self.mark.valid & (~(mark.waits_sent | mark.waits_settled) | is_clear)

    def _prepare_line(self, m: Module, line_goes: Signal):
        """The next line, in a register of its own, and whether it may go."""
        candidate = Signal(StructLayout({"line": self.line_layout, "done": done_line_layout()}))
        is_there, is_clear, is_free, comes = Signal(), Signal(), Signal(), Signal()

        def follows_plains(line):
            return ~(self.plains_sent - line.plains)[len(self.plains_sent) - 1]

        m.d.comb += [
            is_free.eq(~is_there | line_goes),
            comes.eq(is_free & self.line.valid & self.done.valid),
            self.line.ready.eq(comes),
            self.done.ready.eq(comes),
        ]
        with m.If(is_free):
            m.d.sync += [
                is_there.eq(comes),
                candidate.line.eq(self.line.payload),
                candidate.done.eq(self.done.payload),
                is_clear.eq(~self.done.payload.is_held & follows_plains(self.line.payload)),
            ]
        with m.Else():
            m.d.sync += is_clear.eq((~candidate.done.is_held | (self.sent_before == self.settled))
                                    & follows_plains(candidate.line))
        return candidate, is_there & is_clear

    def _address_plain(self, m: Module, address) -> None:
        plain, sent = self.plain.payload, self.sent
        m.d.comb += [
            *(address[field].eq(plain[field]) for field in ("id", "addr", "len", "size", "burst", "lock")),
            *(address[field].eq(plain.attributes[field]) for field, _ in ATTRIBUTES),
            sent.id.eq(plain.id),
            sent.place.eq(plain.place),
            sent.is_final.eq(1),
        ]

    def _address_line(self, m: Module, candidate, address) -> None:
        line, sent = candidate.line, self.sent
        m.d.comb += [
            address.id.eq(line.id),
            address.addr.eq((line.line << 6) | (line.first_block << 4)),
            address.len.eq(line.last_block - line.first_block),
            address.size.eq(4),
            address.burst.eq(Burst.INCR),
            *(address[field].eq(line.attributes[field]) for field, _ in ATTRIBUTES),
            *(sent[field].eq(line[field]) for field in ("id", "place", "is_final")),
            sent.is_line.eq(1),
            sent.in_vain.eq(candidate.done.failed),
        ]

    def _send_data(self, m: Module, turn) -> None:
        beat, plain, cipher = self.w.payload, self.plain_w.payload, self.cipher.payload
        is_written = Signal()
        m.d.comb += [
            turn.ready.eq(self.w.valid & self.w.ready & beat.last),
            is_written.eq(cipher.is_written & ~turn.payload.failed),
        ]
        with m.If(turn.payload.is_line):
            m.d.comb += [
                beat.data.eq(cipher.data & is_written.replicate(128)),
                beat.strb.eq(is_written.replicate(16)),
                beat.last.eq(cipher.is_last),
                self.w.valid.eq(turn.valid & self.cipher.valid),
                self.cipher.ready.eq(turn.valid & self.w.ready),
            ]
        with m.Else():
            m.d.comb += [
                beat.eq(plain),
                self.w.valid.eq(turn.valid & self.plain_w.valid),
                self.plain_w.ready.eq(turn.valid & self.w.ready),
            ]
