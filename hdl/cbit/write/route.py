"""Takes the accesses in order, and gives each its turn at the write data."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import enum, stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.access.request import ATTRIBUTES, Route, request_layout
from cbit.access.splitter import ChunkSplitter
from cbit.axi.beat import BeatShape
from cbit.axi.ports import Burst, Response, response_layout
from cbit.stream.hop import Hop
from cbit.stream.slice import RegisterSlice
from cbit.stream.stage import Stage

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


def _entrant_layout(*, data_width: int, c_bit: int, id_width: int, slot_width: int) -> StructLayout:
    """A write that is not encrypted, or a chunk of one that is; what follows ``slot`` counts only for one of them."""
    return StructLayout({
        "way": Way,
        "id": unsigned(id_width),
        "addr": unsigned(c_bit),
        "beats": unsigned(8),
        "size": unsigned(3),
        "attributes": ATTRIBUTES,
        "slot": unsigned(slot_width),
        "last_beat": unsigned(BeatShape(data_width).number_bits),
        "is_fixed": unsigned(1),
        "is_final": unsigned(1),
        "burst": Burst,
        "lock": unsigned(1),
        "resp": Response,
    })


class WriteRoute(Component):
    """Enters each plain write and each line of an encrypted one, and hands out the turns at the data.

    A write that goes nowhere is answered when its beats are gone and all earlier writes of its ID are answered; later
    writes wait behind it.

    Latency: none, or if pipelined two cycles. Throughput: one plain write or line a cycle. Stalls: nothing enters
    without room.

    Parameters
    ----------
    entries, data_width, c_bit, id_width, slot_width : :class:`int`
        Lines in flight, and widths.
    pipelined : :class:`bool`
        Whether what enters comes from registers.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
        Decided writes.
    turn : ``Out(stream.Signature(turn_layout(...)))``
        If pipelined, one more comes after ``ready`` has fallen.
    plain : ``Out(stream.Signature(plain_layout(...), always_ready=True))``
        A plain write that enters.
    line : ``Out(stream.Signature(line_layout(...), always_ready=True))``
        A line that enters.
    has_room : ``In(1)``
        Room for either.
    number_has_room, plain_has_room : ``In(1)``
        Room for another number, and for a plain write; if pipelined, for one more.
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
    drain_slot : ``In(slot_width)``
    drain_busy : ``Out(1)``
        High while an access under ``drain_slot`` has been taken that has not wholly entered.
    """

    def __init__(self, *, entries: int, data_width: int, c_bit: int, id_width: int, slot_width: int,
                 pipelined: bool) -> None:
        self.beat = BeatShape(data_width)
        self.entries = entries
        self.pipelined = pipelined
        widths = {"c_bit": c_bit, "id_width": id_width, "slot_width": slot_width}
        self.splitter = ChunkSplitter(data_width=data_width, pipelined=pipelined, **widths)
        layout = _entrant_layout(data_width=data_width, **widths)
        self.entrants = RegisterSlice(shape=layout) if pipelined else Hop(shape=layout, registered=False)
        super().__init__({
            "i": In(stream.Signature(request_layout(**widths))),
            "turn": Out(stream.Signature(turn_layout(id_width=id_width))),
            "plain": Out(stream.Signature(plain_layout(entries=entries, c_bit=c_bit, id_width=id_width),
                                          always_ready=True)),
            "line": Out(stream.Signature(line_layout(entries=entries, data_width=data_width, **widths),
                                         always_ready=True)),
            "has_room": In(1),
            "number_has_room": In(1),
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
        m.submodules.entrants = entrants = self.entrants
        m.submodules.behind = behind = Stage(shape=StructLayout({"has_room": 1, "plain_has_room": 1}),
                                             registered=self.pipelined)
        is_there, entrant = entrants.o.valid, entrants.o.payload
        is_plain, is_line = entrant.way == Way.PLAIN, entrant.way == Way.ENCRYPTED
        enters = Signal()
        self._sort(m)
        refusal_ends = self._refuse(m, is_there & (entrant.way == Way.NOWHERE) & behind.o.has_room)
        m.d.comb += [
            behind.advance.eq(1),
            behind.i.has_room.eq(self.turn.ready & self.number_has_room),
            behind.i.plain_has_room.eq(self.turn.ready & self.number_has_room & self.plain_has_room),
            splitter.drain_slot.eq(self.drain_slot),
            self.drain_busy.eq(splitter.drain_busy | self._holds_slot()),
            enters.eq(is_there & self.has_room & self.id_has_room
                      & ((is_line & behind.o.has_room) | (is_plain & behind.o.plain_has_room))),
            entrants.o.ready.eq(enters | refusal_ends),
            self.id.eq(entrant.id),
            self.enter.eq(enters),
        ]
        self._enter(m, enters & is_plain, enters & is_line)
        self._hand_out(m, enters)
        return m

    def _holds_slot(self):
        """Whether a chunk under the slot asked for waits in the registers."""
        if not self.pipelined:
            return 0
        return Cat(valid & (entry.way == Way.ENCRYPTED) & (entry.slot == self.drain_slot)
                   for valid, entry in zip(self.entrants.held_valid, self.entrants.held)).any()

    def _sort(self, m: Module) -> None:
        """Encrypted accesses to the splitter, others around it; if pipelined by a register, as the splitter has one.

        What comes later goes on only when what came before leaves.
        """
        splitter, request, goes_on = self.splitter, self.i.payload, self.entrants.i.ready
        is_encrypted, is_free = request.route == Route.ENCRYPTED, Signal()
        # Counts only beside its valid bit, which is reset.
        other, other_valid = Signal.like(request, reset_less=True), Signal()
        m.d.comb += [
            splitter.i.payload.eq(request),
            splitter.i.valid.eq(self.i.valid & is_encrypted & is_free),
            splitter.o.ready.eq(goes_on),
        ]
        if self.pipelined:
            m.d.comb += [
                is_free.eq(~other_valid | goes_on),
                self.i.ready.eq(splitter.i.ready & is_free),
            ]
            with m.If(is_free):
                m.d.sync += [other.eq(request), other_valid.eq(self.i.valid & ~is_encrypted & splitter.i.ready)]
        else:
            m.d.comb += [
                is_free.eq(1),
                other.eq(request),
                other_valid.eq(self.i.valid & ~is_encrypted & ~splitter.is_busy),
                self.i.ready.eq(Mux(is_encrypted, splitter.i.ready, other_valid & goes_on)),
            ]
        self._meet(m, other, other_valid)

    def _meet(self, m: Module, other, other_valid: Signal) -> None:
        """Puts chunks and other accesses in one row; never do both wait."""
        chunks, entrant = self.splitter.o, self.entrants.i.payload
        chunk = chunks.payload
        m.d.comb += [
            self.entrants.i.valid.eq(chunks.valid | other_valid),
            *(entrant[field].eq(chunk[field]) for field in ("slot", "is_fixed", "is_final")),
            entrant.last_beat.eq(chunk.last_byte[self.beat.size:]),
            *(entrant[field].eq(other[field]) for field in ("burst", "lock", "resp")),
        ]
        with m.If(chunks.valid):
            m.d.comb += [
                entrant.way.eq(Way.ENCRYPTED),
                entrant.addr.eq(Cat(chunk.first_byte, chunk.line)),
                *(entrant[field].eq(chunk[field]) for field in ("id", "beats", "size", "attributes")),
            ]
        with m.Else():
            m.d.comb += [
                entrant.way.eq(Mux(other.route == Route.PLAIN, Way.PLAIN, Way.NOWHERE)),
                entrant.beats.eq(other.len),
                *(entrant[field].eq(other[field]) for field in ("id", "addr", "size", "attributes")),
            ]

    def _refuse(self, m: Module, may_refuse) -> Signal:
        """Leads a refused write from its turn to its answer."""
        refusal_ends = Signal()
        m.d.comb += [
            self.refused.payload.id.eq(self.entrants.o.payload.id),
            self.refused.payload.resp.eq(self.entrants.o.payload.resp),
        ]
        # What a refused write waits for: its turn at the data, the end of its data, its answer.
        with m.FSM():
            with m.State("TURN"):
                with m.If(may_refuse & self.has_room):
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

    def _enter(self, m: Module, plain_enters, line_enters) -> None:
        entrant, plain, line = self.entrants.o.payload, self.plain.payload, self.line.payload
        plains = Signal(near_bits(self.entries))
        m.d.sync += plains.eq(plains + plain_enters)
        m.d.comb += [
            self.plain.valid.eq(plain_enters),
            *(plain[field].eq(entrant[field]) for field in ("id", "addr", "size", "burst", "lock", "attributes")),
            plain.len.eq(entrant.beats),
            plain.place.eq(self.place),
            self.line.valid.eq(line_enters),
            *(line[field].eq(entrant[field]) for field in ("slot", "id", "is_final", "last_beat", "attributes")),
            line.line.eq(entrant.addr[6:]),
            line.first_beat.eq(entrant.addr[self.beat.size:6]),
            line.number.eq(self.number),
            line.place.eq(self.place),
            line.plains.eq(plains),
        ]

    def _hand_out(self, m: Module, enters: Signal) -> None:
        entrant, turn = self.entrants.o.payload, self.turn.payload
        with m.If(enters):
            m.d.comb += self.turn.valid.eq(1)
        m.d.comb += [
            *(turn[field].eq(entrant[field]) for field in ("way", "beats", "id", "size", "is_fixed")),
            turn.is_single.eq(entrant.beats == 0),
            turn.number.eq(self.number),
            turn.first_byte.eq(entrant.addr[:6]),
            turn.line_class.eq(fold(entrant.addr[6:], LINE_CLASS_BITS)),
            turn.page_class.eq(fold(entrant.addr[12:], PAGE_CLASS_BITS)),
        ]
