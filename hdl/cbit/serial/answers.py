"""The answers to writes, in the order of the accesses."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Response, response_layout

__all__ = ["ACCESSES", "SerialAnswers", "burst_layout", "entered_layout"]

ACCESSES = 4
"""Writes that are not answered."""


def entered_layout(*, id_width: int) -> StructLayout:
    """A write. If ``is_answered`` nothing of it is sent, and ``resp`` is its answer."""
    return StructLayout({"id": unsigned(id_width), "is_answered": unsigned(1), "resp": Response})


def burst_layout(*, id_width: int) -> StructLayout:
    """A burst that is sent: its ID, the number of its write, whether it is the last of that, plain, and sent
    ``in_vain``, with nothing written."""
    return StructLayout({"id": unsigned(id_width), "number": range(ACCESSES), "is_final": unsigned(1),
                         "is_plain": unsigned(1), "in_vain": unsigned(1)})


class SerialAnswers(Component):
    """Knows what has been sent and not answered, and answers each write with the worst of what came to its bursts.

    Latency: from ``dram_b`` to ``b`` one cycle. Order: that of the writes. DRAM may answer bursts of different IDs in
    any order; it never waits.

    Parameters
    ----------
    id_width : :class:`int`
        Bits of an ID.

    Members
    -------
    enter : ``In(stream.Signature(entered_layout(...)))``
        A write; waits while four are not answered.
    number : ``Out(range(ACCESSES))``
        What it is called.
    send : ``In(stream.Signature(burst_layout(...)))``
        A burst is sent, those of one write after those of the one before; waits while two are not answered.
    idle : ``Out(1)``
        All bursts are answered.
    dram_b : ``In(stream.Signature(response_layout(...), always_ready=True))``
    b : ``Out(stream.Signature(response_layout(...)))``
    """

    def __init__(self, *, id_width: int) -> None:
        self.id_width = id_width
        self.burst = burst_layout(id_width=id_width)
        super().__init__({
            "enter": In(stream.Signature(entered_layout(id_width=id_width))),
            "number": Out(range(ACCESSES)),
            "send": In(stream.Signature(self.burst)),
            "idle": Out(1),
            "dram_b": In(stream.Signature(response_layout(id_width), always_ready=True)),
            "b": Out(stream.Signature(response_layout(id_width))),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        head, tail, count = Signal(range(ACCESSES)), Signal(range(ACCESSES)), Signal(range(ACCESSES + 1))
        ended, worst = Signal(ACCESSES), [Signal(Response, name=f"worst_{number}") for number in range(ACCESSES)]
        m.submodules.ids = ids = Memory(shape=unsigned(self.id_width), depth=ACCESSES, init=[])
        write, read = ids.write_port(), ids.read_port(domain="comb")
        enters, leaves = Signal(), Signal()
        m.d.comb += [
            write.addr.eq(tail), write.data.eq(self.enter.payload.id), write.en.eq(enters), read.addr.eq(head),
            self.enter.ready.eq(count != ACCESSES), self.number.eq(tail),
            enters.eq(self.enter.valid & self.enter.ready),
            leaves.eq(self.b.valid & self.b.ready),
            self.b.valid.eq(ended.bit_select(head, 1)),
            self.b.payload.id.eq(read.data),
            self.b.payload.resp.eq(Array(one.as_value() for one in worst)[head]),
        ]
        m.d.sync += count.eq(count + enters - leaves)
        answered = self._match(m)
        for number in range(ACCESSES):
            with m.If(enters & (tail == number)):
                m.d.sync += [ended[number].eq(self.enter.payload.is_answered),
                             worst[number].eq(self.enter.payload.resp)]
            with m.Elif(leaves & (head == number)):
                m.d.sync += ended[number].eq(0)
            with m.If(answered.valid & (answered.number == number)):
                m.d.sync += worst[number].eq(_worse(worst[number].as_value(), answered.resp))
                with m.If(answered.is_final):
                    m.d.sync += ended[number].eq(1)
        with m.If(enters):
            m.d.sync += tail.eq(tail + 1)
        with m.If(leaves):
            m.d.sync += head.eq(head + 1)
        return m

    def _match(self, m: Module):
        """Finds the burst that DRAM answers: the older of two of its ID."""
        older, younger, found = (Signal(self.burst, name=name) for name in ("older", "younger", "found"))
        has_older, has_younger = Signal(), Signal()
        hits_older, hits_younger, sends = Signal(), Signal(), Signal()
        keeps_older, keeps_younger = has_older & ~hits_older, has_younger & ~hits_younger
        b, send = self.dram_b, self.send
        m.d.comb += [
            hits_older.eq(b.valid & has_older & (older.id == b.payload.id)),
            hits_younger.eq(b.valid & has_younger & ~hits_older & (younger.id == b.payload.id)),
            send.ready.eq(~has_younger),
            sends.eq(send.valid & send.ready),
            found.eq(Mux(hits_older, older.as_value(), younger.as_value())),
            self.idle.eq(~has_older),
        ]
        m.d.sync += [
            has_older.eq(keeps_older | keeps_younger | sends),
            has_younger.eq((keeps_older & (keeps_younger | sends)) | (keeps_younger & sends)),
        ]
        with m.If(~keeps_older):
            m.d.sync += older.eq(Mux(keeps_younger, younger.as_value(), send.payload.as_value()))
        with m.If(~(keeps_older & keeps_younger)):
            m.d.sync += younger.eq(send.payload)
        answered = Signal(StructLayout({"valid": 1, "number": range(ACCESSES), "is_final": 1, "resp": 2}))
        resp = b.payload.resp.as_value()
        m.d.comb += [
            answered.valid.eq(hits_older | hits_younger),
            answered.number.eq(found.number), answered.is_final.eq(found.is_final),
            # EXOKAY is no answer to a line.
            answered.resp.eq(_worse(Cat(resp[0] & (resp[1] | found.is_plain), resp[1]),
                                    Cat(0, found.in_vain))),
        ]
        return answered


def _worse(one: Value, other: Value) -> Value:
    return Mux(one > other, one, other)
