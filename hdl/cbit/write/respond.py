"""The answers to writes."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.axi.ports import Response, response_layout
from cbit.guard.shadows import unguarded
from cbit.stream.queue import ReservedQueue
from cbit.stream.stage import Stage

from .entry import places_per_id
from .issue import sent_layout

__all__ = ["WriteRespond"]


def _worse(one, other):
    """The worse of two responses, which AXI numbers in that order."""
    return Mux(one > other, one, other)


class WriteRespond(Component):
    """Gives the manager one answer for each write: DRAM's, or the worst of those to its lines, or a refusal.

    DRAM answers bursts of one ID in order: a count of answers for each ID tells which burst each belongs to. An
    answer for which no burst of its ID waits is dropped. Nothing enters until the counts have been cleared, a cycle
    for each ID after reset.

    Latency: one cycle, or if pipelined four. Throughput: one answer a cycle. Stalls: DRAM's answers never wait;
    ``b`` stays while the manager waits; a refusal waits for a cycle without an answer.

    Parameters
    ----------
    entries, id_width : :class:`int`
        Bursts in flight, from their entering until their answer has left, and width of an ID.
    pipelined : :class:`bool`
        Whether registers part the steps from ``dram_b`` on.

    Members
    -------
    has_room : ``Out(1)``
        Room for another burst or refusal.
    enter : ``In(1)``
        A burst of ID ``id`` enters.
    id : ``In(id_width)``
    place : ``Out(range(places_per_id(...)))``
        Its place among those of the ID.
    id_has_room : ``Out(1)``
        Room for a burst of this ID.
    id_is_idle : ``Out(1)``
        High when no burst of this ID is in flight, a cycle late.
    send : ``In(1)``
        Burst ``sent`` goes to DRAM.
    sent : ``In(sent_layout(...))``
    epoch : ``In(1)``
        What is given back with its answer.
    dram_b : ``In(stream.Signature(response_layout(...), always_ready=True))``
    answer, answer_epoch : ``Out(1)``
        High when DRAM has answered a burst; that burst's ``epoch``.
    refused : ``In(stream.Signature(response_layout(...)))``
    b : ``Out(stream.Signature(response_layout(...)))``
    """

    def __init__(self, *, entries: int, id_width: int, pipelined: bool) -> None:
        self.entries = entries
        self.id_width = id_width
        self.pipelined = pipelined
        self.places = places_per_id(entries, id_width)
        self.place_bits = (self.places - 1).bit_length()
        self.count_shape = unsigned(self.place_bits + 1)
        response = response_layout(id_width)
        super().__init__({
            "has_room": Out(1),
            "enter": In(1),
            "id": In(id_width),
            "place": Out(range(self.places)),
            "id_has_room": Out(1),
            "id_is_idle": Out(1),
            "send": In(1),
            "sent": In(sent_layout(entries=entries, id_width=id_width)),
            "epoch": In(1),
            "dram_b": In(stream.Signature(response, always_ready=True)),
            "answer": Out(1),
            "answer_epoch": Out(1),
            "refused": In(stream.Signature(response)),
            "b": Out(stream.Signature(response)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        # The IDs whose counts are not cleared yet; the highest bit falls with the last.
        uncleared = Signal(self.id_width + 1, init=(2 << self.id_width) - 1)
        with m.If(uncleared[-1]):
            m.d.sync += uncleared.eq(uncleared - 1)
        response = response_layout(self.id_width)
        arrived = self._part(m, "arrived", StructLayout({
            "valid": unsigned(1), "is_refusal": unsigned(1), "response": response}))
        m.d.comb += [
            arrived.i.valid.eq(self.dram_b.valid | self.refused.valid),
            arrived.i.is_refusal.eq(~self.dram_b.valid),
            arrived.i.response.eq(Mux(self.dram_b.valid, self.dram_b.payload.as_value(),
                                      self.refused.payload.as_value())),
            self.refused.ready.eq(~self.dram_b.valid),
        ]
        place, is_expected = self._count(m, uncleared, arrived.o)
        self._answer(m, uncleared, *self._find_burst(m, arrived.o, place, is_expected))
        return m

    def _part(self, m: Module, name: str, shape: StructLayout) -> Stage:
        m.submodules[name] = stage = Stage(shape=shape, registered=self.pipelined)
        m.d.comb += stage.advance.eq(1)
        return stage

    def _count(self, m: Module, uncleared: Signal, arrived):
        """Counts what has entered and what is answered, of each ID; returns the place of an answer, and if there is
        a burst that waits for it."""
        sides = {}
        for side, users in (("entered", (self.id, arrived.response.id)), ("answered", (arrived.response.id, self.id))):
            m.submodules[side] = memory = Memory(shape=self.count_shape, depth=1 << self.id_width, init=[])
            write = memory.write_port()
            reads = [memory.read_port(domain="comb") for _ in users]
            m.d.comb += [read.addr.eq(user) for read, user in zip(reads, users, strict=True)]
            m.d.comb += [
                write.addr.eq(Mux(uncleared[-1], uncleared[:-1], users[0])),
                write.data.eq(Mux(uncleared[-1], 0, reads[0].data + 1)),
            ]
            sides[side] = write, reads[0].data, reads[1].data
        entered_write, entered, entered_of_answer = sides["entered"]
        answered_write, answered_of_answer, answered = sides["answered"]
        is_expected = Signal()
        m.d.comb += [
            entered_write.en.eq(uncleared[-1] | self.enter),
            self.place.eq(entered[:self.place_bits]),
            self.id_has_room.eq(1),
            is_expected.eq(arrived.valid & ~arrived.is_refusal & (entered_of_answer != answered_of_answer)),
            answered_write.en.eq(uncleared[-1] | is_expected),
        ]
        if self.places < self.entries:
            m.d.comb += self.id_has_room.eq((entered ^ answered) != self.places)
        m.d.sync += self.id_is_idle.eq(entered == answered)
        return answered_of_answer[:self.place_bits], is_expected

    def _find_burst(self, m: Module, arrived, place, is_expected: Signal):
        """The answer, and what was sent at the place that DRAM answers; if pipelined from block RAM."""
        info = StructLayout({"is_line": unsigned(1), "is_final": unsigned(1), "in_vain": unsigned(1),
                             "epoch": unsigned(1)})
        # DRAM answers later than in the cycle after the sending, so synthesis need not care what would come then.
        m.submodules.bursts = memory = Memory(
            shape=info, depth=self.places << self.id_width, init=[],
            attrs={"ram_style": "block", "no_rw_check": 1} if self.pipelined else {"ram_style": "distributed"})
        write, read = memory.write_port(), memory.read_port(domain="comb")
        found = self._part(m, "found", StructLayout({
            "is_answer": unsigned(1), "is_refusal": unsigned(1), "response": arrived.response.shape(),
            "place": range(self.places)}))
        burst = self._part(m, "burst", StructLayout({
            "is_answer": unsigned(1), "is_refusal": unsigned(1), "response": arrived.response.shape()}))
        known = read.data
        if self.pipelined:
            # Registers of the block RAM, which have no reset.
            looked, known = Signal(info, reset_less=True), Signal(info, reset_less=True)
            unguarded(looked, known)
            m.d.sync += [looked.eq(read.data), known.eq(looked)]
        m.d.comb += [
            write.addr.eq((self.sent.place << self.id_width) | self.sent.id),
            *(write.data[field].eq(self.sent[field]) for field in ("is_line", "is_final", "in_vain")),
            write.data.epoch.eq(self.epoch),
            write.en.eq(self.send),
            found.i.is_answer.eq(is_expected),
            found.i.is_refusal.eq(arrived.valid & arrived.is_refusal),
            found.i.response.eq(arrived.response),
            found.i.place.eq(place),
            read.addr.eq((found.i.place << self.id_width) | found.i.response.id),
            *(burst.i[field].eq(found.o[field]) for field in ("is_answer", "is_refusal", "response")),
        ]
        return burst.o, known

    def _answer(self, m: Module, uncleared: Signal, burst, info) -> None:
        """Keeps the worst answer of each ID's current access until its last burst is answered."""
        response = self.b.payload.shape()
        m.submodules.answers = answers = ReservedQueue(shape=response, depth=self.entries, bypass=False)
        m.submodules.worst = memory = Memory(shape=unsigned(2), depth=1 << self.id_width, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        answered, failure, worst = Signal(Response), Signal(Response), Signal(Response)
        connect(m, answers.o, flipped(self.b))
        m.d.comb += [
            answered.eq(burst.response.resp),
            failure.eq(Mux(info.in_vain, Response.SLVERR, Response.OKAY)),
            read.addr.eq(burst.response.id),
            worst.eq(_worse(_worse(answered.as_value(), failure.as_value()), read.data)),
            write.addr.eq(Mux(uncleared[-1], uncleared[:-1], burst.response.id)),
            write.data.eq(Mux(uncleared[-1] | info.is_final, Response.OKAY, worst)),
            write.en.eq(uncleared[-1] | burst.is_answer),
            answers.i.valid.eq(burst.is_refusal | (burst.is_answer & info.is_final)),
            answers.i.payload.id.eq(burst.response.id),
            answers.i.payload.resp.eq(Mux(burst.is_refusal, burst.response.resp.as_value(), worst.as_value())),
            self.answer.eq(burst.is_answer),
            self.answer_epoch.eq(info.epoch),
        ]
        with m.If(info.is_line & (burst.response.resp == Response.EXOKAY)):
            m.d.comb += answered.eq(Response.OKAY)
        self._count_room(m, uncleared, burst.is_answer & ~info.is_final)

    def _count_room(self, m: Module, uncleared: Signal, ends_early) -> None:
        """A burst keeps its room until its answer has left, or if it is not its access's last until DRAM's has come."""
        in_flight, left = Signal(range(self.entries + 1)), Signal(range(self.entries + 1))
        comes = Signal()
        gone = Signal(2)
        m.d.sync += [
            gone.eq(ends_early + (self.b.valid & self.b.ready)),
            in_flight.eq(left + comes),
            self.has_room.eq(~uncleared[-1] & Mux(comes, left < self.entries - 1, left < self.entries)),
        ]
        m.d.comb += [
            left.eq(in_flight - gone),
            comes.eq(self.enter | (self.refused.valid & self.refused.ready)),
        ]
