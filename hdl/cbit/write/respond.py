"""The answers to writes."""

from amaranth import Array, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Response, response_layout
from cbit.stream.arbiter import PatientArbiter
from cbit.stream.queue import ReservedQueue

__all__ = ["WriteRespond"]

ANSWER, REFUSAL = range(2)


def _worse(one, other):
    """The worse of two responses, which AXI numbers in that order."""
    return Mux(one > other, one, other)


class WriteRespond(Component):
    """Gives the manager one answer for each write: DRAM's, or the worst of those to its chunks, or a refusal.

    Latency: one cycle. Throughput: one answer a cycle; one refusal at a time. Stalls: DRAM's answers
    never wait; ``b`` stays while the manager waits.

    Parameters
    ----------
    entries, id_width : :class:`int`
        Size of the table and width of an ID.
    patience : :class:`int`
        How many of DRAM's answers in a row may pass a refusal.

    Members
    -------
    dram_b : ``In(stream.Signature(response_layout(...), always_ready=True))``
    responded : ``In(StructLayout)``
        The write that DRAM answers, as :class:`~cbit.write.table.WriteTable` finds it.
    send, send_failed : ``In(1)``
        Encrypted write ``send_index`` goes to DRAM, and whether in vain.
    send_index : ``In(range(entries))``
    refused : ``In(stream.Signature(response_layout(...)))``
        Answered after all earlier writes of its ID.
    refused_busy : ``Out(1)``
        High until that answer has left.
    refused_id : ``Out(id_width)``
    id_in_flight : ``In(1)``
        High while answers to earlier writes of ``refused_id`` have not left.
    b : ``Out(stream.Signature(response_layout(...)))``
    deliver : ``Out(1)``
        High in the cycle in which the answer to write ``deliver_index`` leaves.
    deliver_index : ``Out(range(entries))``
    """

    def __init__(self, *, entries: int, id_width: int, patience: int) -> None:
        self.entries = entries
        self.patience = patience
        self.id_width = id_width
        response = response_layout(id_width)
        super().__init__({
            "dram_b": In(stream.Signature(response, always_ready=True)),
            "responded": In(StructLayout({"hit": 1, "index": range(entries), "is_final": 1, "is_encrypted": 1})),
            "send": In(1),
            "send_index": In(range(entries)),
            "send_failed": In(1),
            "refused": In(stream.Signature(response)),
            "refused_busy": Out(1),
            "refused_id": Out(id_width),
            "id_in_flight": In(1),
            "b": Out(stream.Signature(response)),
            "deliver": Out(1),
            "deliver_index": Out(range(entries)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        answer_layout = StructLayout({"index": range(self.entries), "response": response_layout(self.id_width)})
        m.submodules.answers = answers = ReservedQueue(shape=answer_layout, depth=self.entries, bypass=False)
        m.submodules.arbiter = arbiter = PatientArbiter(count=2, patience=self.patience)
        refusal = Signal(self.refused.payload.shape())
        self._answer_dram(m, answers.i)
        m.d.comb += [
            arbiter.requests[ANSWER].eq(answers.o.valid),
            arbiter.requests[REFUSAL].eq(self.refused_busy & ~self.id_in_flight),
            arbiter.taken.eq(self.b.ready),
            self.b.valid.eq(arbiter.valid),
            self.refused.ready.eq(~self.refused_busy),
            self.refused_id.eq(refusal.id),
            self.deliver_index.eq(answers.o.payload.index),
        ]
        with m.If(self.refused.valid & self.refused.ready):
            m.d.sync += [refusal.eq(self.refused.payload), self.refused_busy.eq(1)]
        with m.If(arbiter.choice == ANSWER):
            m.d.comb += [
                self.b.payload.eq(answers.o.payload.response),
                answers.o.ready.eq(self.b.ready),
                self.deliver.eq(self.b.valid & self.b.ready),
            ]
        with m.Else():
            m.d.comb += self.b.payload.eq(refusal)
            with m.If(self.b.valid & self.b.ready):
                m.d.sync += self.refused_busy.eq(0)
        return m

    def _answer_dram(self, m: Module, answers) -> None:
        """Keeps the worst answer of each ID's current access until its last chunk is answered."""
        worst_of = Array(Signal(Response, name=f"worst_{id_}") for id_ in range(2 ** self.id_width))
        was_sent_in_vain = Signal(self.entries)
        received, responded = self.dram_b.payload, self.responded
        answered = Signal(Response)
        in_vain = responded.is_encrypted & was_sent_in_vain.bit_select(responded.index, 1)
        failure = Mux(in_vain, Response.SLVERR, Response.OKAY)
        worst = Signal(Response)
        m.d.comb += answered.eq(received.resp)
        with m.If(responded.is_encrypted & (received.resp == Response.EXOKAY)):
            m.d.comb += answered.eq(Response.OKAY)
        m.d.comb += worst.eq(_worse(_worse(answered.as_value(), failure), worst_of[received.id].as_value()))

        with m.If(self.send):
            m.d.sync += was_sent_in_vain.bit_select(self.send_index, 1).eq(self.send_failed)
        with m.If(self.dram_b.valid & responded.hit):
            m.d.comb += [
                answers.valid.eq(responded.is_final),
                answers.payload.index.eq(responded.index),
                answers.payload.response.id.eq(received.id),
                answers.payload.response.resp.eq(worst),
            ]
            m.d.sync += worst_of[received.id].eq(Mux(responded.is_final, Response.OKAY, worst))
