"""Takes the accesses in order, and gives each its turn at the write data."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import enum, stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.access.request import Route, request_layout
from cbit.access.splitter import ChunkSplitter
from cbit.axi.ports import response_layout

from .entry import NUMBER_BITS, PAGE_CLASS_BITS, fold, line_layout, near_bits, places_per_id, plain_layout

__all__ = ["LINE_CLASS_BITS", "Way", "WriteRoute", "turn_layout"]

LINE_CLASS_BITS = 8
"""Bits of a line's class, in place of its address."""


class Way(enum.Enum, shape=2):
    """Where write data go: on as they are, to encryption, or nowhere."""

    PLAIN = 0
    ENCRYPTED = 1
    NOWHERE = 2


def turn_layout(*, id_width: int) -> StructLayout:
    """Whose turn it is to get data: ``beats`` and one more; ``is_single`` if it is one.

    ``number`` is that of the line, or of the next one. For encryption, beats of ``size`` begin at ``first_byte`` of
    the line and all stay there with ``is_fixed``.
    """
    return StructLayout({
        "way": Way,
        "beats": unsigned(8),
        "is_single": unsigned(1),
        "number": unsigned(NUMBER_BITS),
        "id": unsigned(id_width),
        "page_class": unsigned(PAGE_CLASS_BITS),
        "line_class": unsigned(LINE_CLASS_BITS),
        "first_byte": unsigned(6),
        "size": unsigned(3),
        "is_fixed": unsigned(1),
    })


class WriteRoute(Component):
    """Enters each plain write and each line of an encrypted one, and hands out the turns at the data.

    A write that goes nowhere is answered when its beats are gone and all earlier writes of its ID are answered; later
    writes wait behind it.

    Latency: none, or if pipelined one cycle. Throughput: one plain write or line a cycle. Stalls: nothing enters
    without room.

    Parameters
    ----------
    entries, c_bit, id_width, slot_width : :class:`int`
        Lines in flight, and widths.
    pipelined : :class:`bool`
        Whether what enters comes from registers.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
        Decided writes.
    turn : ``Out(stream.Signature(turn_layout(...)))``
    plain : ``Out(stream.Signature(plain_layout(...), always_ready=True))``
        A plain write that enters.
    line : ``Out(stream.Signature(line_layout(...), always_ready=True))``
        A line that enters.
    has_room, plain_has_room : ``In(1)``
        Room for either, and for a plain write.
    number : ``In(NUMBER_BITS)``
        What the next line is called.
    id : ``Out(id_width)``
        ID of the access whose turn it is to enter.
    enter : ``Out(1)``
        High in the cycle in which a burst of this ID enters.
    place : ``In(range(places_per_id(...)))``
        Its place among those of the ID.
    id_has_room : ``In(1)``
        Room for another burst of this ID.
    id_is_idle : ``In(1)``
        High when no earlier burst of this ID is in flight, a cycle late.
    emptied : ``In(1)``
        The last beat of a write that goes nowhere has gone.
    refused : ``Out(stream.Signature(response_layout(...)))``
        The answer to a write that goes nowhere.
    drain_slot, drain_busy : ``In``, ``Out``
        As in :class:`~cbit.access.splitter.ChunkSplitter`.
    """

    def __init__(self, *, entries: int, c_bit: int, id_width: int, slot_width: int, pipelined: bool) -> None:
        self.entries = entries
        self.pipelined = pipelined
        widths = {"c_bit": c_bit, "id_width": id_width, "slot_width": slot_width}
        self.splitter = ChunkSplitter(pipelined=pipelined, **widths)
        super().__init__({
            "i": In(stream.Signature(request_layout(**widths))),
            "turn": Out(stream.Signature(turn_layout(id_width=id_width))),
            "plain": Out(stream.Signature(plain_layout(entries=entries, c_bit=c_bit, id_width=id_width),
                                          always_ready=True)),
            "line": Out(stream.Signature(line_layout(entries=entries, **widths), always_ready=True)),
            "has_room": In(1),
            "plain_has_room": In(1),
            "number": In(NUMBER_BITS),
            "id": Out(id_width),
            "enter": Out(1),
            "place": In(range(places_per_id(entries, id_width))),
            "id_has_room": In(1),
            "id_is_idle": In(1),
            "emptied": In(1),
            "refused": Out(stream.Signature(response_layout(id_width))),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.splitter = splitter = self.splitter
        self._other, self._other_valid, other_ends = Signal.like(self.i.payload), Signal(), Signal()
        may_enter, plain_enters, line_enters = Signal(), Signal(), Signal()
        is_plain = self._other.route == Route.PLAIN
        self._sort(m, other_ends)
        m.d.comb += [
            splitter.drain_slot.eq(self.drain_slot),
            self.drain_busy.eq(splitter.drain_busy),
            splitter.o.ready.eq(may_enter),
            may_enter.eq(self.has_room & self.id_has_room & self.turn.ready),
            line_enters.eq(splitter.o.valid & may_enter),
            plain_enters.eq(self._other_valid & is_plain & may_enter & self.plain_has_room),
            self.id.eq(Mux(splitter.o.valid, splitter.o.payload.id, self._other.id)),
            self.enter.eq(line_enters | plain_enters),
            other_ends.eq(plain_enters | self._refuse(m, self._other_valid & ~is_plain)),
        ]
        self._enter(m, plain_enters, line_enters)
        self._hand_out(m, plain_enters | line_enters)
        return m

    def _sort(self, m: Module, other_ends: Signal) -> None:
        """Encrypted accesses to the splitter, others around it; if pipelined by a register, as the splitter has one.

        What comes later goes on only when what came before leaves.
        """
        splitter, request = self.splitter, self.i.payload
        is_encrypted, is_free = request.route == Route.ENCRYPTED, Signal()
        m.d.comb += [
            splitter.i.payload.eq(request),
            splitter.i.valid.eq(self.i.valid & is_encrypted & is_free),
        ]
        if self.pipelined:
            m.d.comb += [
                is_free.eq(~self._other_valid | other_ends),
                self.i.ready.eq(splitter.i.ready & is_free),
            ]
            with m.If(is_free):
                m.d.sync += [self._other.eq(request),
                             self._other_valid.eq(self.i.valid & ~is_encrypted & splitter.i.ready)]
        else:
            m.d.comb += [
                is_free.eq(1),
                self._other.eq(request),
                self._other_valid.eq(self.i.valid & ~is_encrypted & ~splitter.is_busy),
                self.i.ready.eq(Mux(is_encrypted, splitter.i.ready, other_ends)),
            ]

    def _refuse(self, m: Module, is_refused) -> Signal:
        """Leads a refused write from its turn to its answer."""
        refusal_ends = Signal()
        m.d.comb += [
            self.refused.payload.id.eq(self._other.id),
            self.refused.payload.resp.eq(self._other.resp),
        ]
        # What a refused write waits for: its turn at the data, the end of its data, its answer.
        with m.FSM():
            with m.State("TURN"):
                with m.If(is_refused & self.has_room & self.turn.ready):
                    m.d.comb += self.turn.valid.eq(1)
                    m.next = "DATA"
                    with m.If(self.emptied):
                        m.next = "ANSWER"
            with m.State("DATA"):
                with m.If(self.emptied):
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += self.refused.valid.eq(self.id_is_idle)
                with m.If(self.refused.valid & self.refused.ready):
                    m.d.comb += refusal_ends.eq(1)
                    m.next = "TURN"
        return refusal_ends

    def _enter(self, m: Module, plain_enters: Signal, line_enters: Signal) -> None:
        request, chunk, plain, line = self._other, self.splitter.o.payload, self.plain.payload, self.line.payload
        plains = Signal(near_bits(self.entries))
        m.d.sync += plains.eq(plains + plain_enters)
        m.d.comb += [
            self.plain.valid.eq(plain_enters),
            *(plain[field].eq(request[field])
              for field in ("id", "addr", "len", "size", "burst", "lock", "attributes")),
            plain.place.eq(self.place),
            self.line.valid.eq(line_enters),
            *(line[field].eq(chunk[field]) for field in ("line", "slot", "id", "is_final", "attributes")),
            line.number.eq(self.number),
            line.first_block.eq(chunk.first_byte[4:]),
            line.last_block.eq(chunk.last_byte[4:]),
            line.place.eq(self.place),
            line.plains.eq(plains),
        ]

    def _hand_out(self, m: Module, enters) -> None:
        request, chunk, turn = self._other, self.splitter.o.payload, self.turn.payload
        with m.If(enters):
            m.d.comb += self.turn.valid.eq(1)
        m.d.comb += [
            turn.number.eq(self.number),
            turn.id.eq(self.id),
            turn.line_class.eq(fold(chunk.line, LINE_CLASS_BITS)),
            *(turn[field].eq(chunk[field]) for field in ("first_byte", "size", "is_fixed")),
        ]
        with m.If(self.splitter.o.valid):
            m.d.comb += [
                turn.way.eq(Way.ENCRYPTED),
                turn.beats.eq(chunk.beats),
                turn.is_single.eq(chunk.beats == 0),
                turn.page_class.eq(fold(chunk.line[6:], PAGE_CLASS_BITS)),
            ]
        with m.Else():
            m.d.comb += [
                turn.way.eq(Mux(request.route == Route.PLAIN, Way.PLAIN, Way.NOWHERE)),
                turn.beats.eq(request.len),
                turn.is_single.eq(request.len == 0),
                turn.page_class.eq(fold(request.addr[12:], PAGE_CLASS_BITS)),
            ]
