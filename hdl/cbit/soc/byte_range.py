"""Any bytes of memory, read or written by AXI4."""

from amaranth import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Axi4Signature, Burst, Response
from cbit.soc.protocol import DATA_BYTES

__all__ = ["BEAT_BYTES", "NORMAL_MEMORY", "ByteRange"]

BEAT_BYTES = 16
_LANE_BITS = 4

NORMAL_MEMORY = 0b0010
"""AxCACHE: normal memory, not cached, answered by where it ends (IHI 0022, A4.4)."""


class ByteRange(Component):
    """Reads or writes a range of bytes, by single beats of 16 bytes one after the other.

    Bytes outside of the range are not written. The first answer other than OKAY ends it: what comes after has not been
    accessed.

    Latency: one cycle. Throughput: for each beat a cycle, what memory takes from the address to the answer, and a cycle
    for each byte. Stalls: it waits for each byte.

    Parameters
    ----------
    addr_width, id_width, user_width : :class:`int`
        Of the port. Accesses have ID 0.

    Members
    -------
    start : ``In(1)``
        Begins; while ``busy`` it is low.
    is_write : ``In(1)``
    address : ``In(addr_width)``
    length : ``In(range(DATA_BYTES + 1))``
        At least 1. These three count while ``start``.
    busy : ``Out(1)``
    response : ``Out(Response)``
        What it has ended with, once ``busy`` is low again.
    i : ``In(stream.Signature(8))``
        Bytes to write.
    o : ``Out(stream.Signature(8))``
        Bytes read.
    m_axi : ``Out(Axi4Signature(...))``
        ``user`` and ``prot`` of the addresses are zero.
    """

    def __init__(self, *, addr_width: int, id_width: int, user_width: int) -> None:
        self.addr_width = addr_width
        super().__init__({
            "start": In(1),
            "is_write": In(1),
            "address": In(addr_width),
            "length": In(range(DATA_BYTES + 1)),
            "busy": Out(1),
            "response": Out(Response),
            "i": In(stream.Signature(8)),
            "o": Out(stream.Signature(8)),
            "m_axi": Out(Axi4Signature(addr_width=addr_width, data_width=8 * BEAT_BYTES, id_width=id_width,
                                       user_width=user_width)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        axi = self.m_axi
        number, lane, left = Signal(self.addr_width - _LANE_BITS), Signal(_LANE_BITS), Signal.like(self.length)
        beat, strobes = Signal(8 * BEAT_BYTES), Signal(BEAT_BYTES)
        steps, waits, writes = Signal(), Signal(2), Signal()
        is_last = (left == 1) | lane.all()
        for channel in (axi.aw, axi.ar):
            m.d.comb += [
                channel.payload.addr.eq(number << _LANE_BITS),
                channel.payload.size.eq(BEAT_BYTES.bit_length() - 1),
                channel.payload.burst.eq(Burst.INCR),
                channel.payload.cache.eq(NORMAL_MEMORY),
            ]
        m.d.comb += [
            axi.w.payload.data.eq(beat), axi.w.payload.strb.eq(strobes), axi.w.payload.last.eq(1),
            self.o.payload.eq(beat.word_select(lane, 8)),
        ]
        with m.If(steps):
            m.d.sync += [lane.eq(lane + 1), left.eq(left - 1)]

        # Beat by beat: of a write collected, sent and answered; of a read asked for, received and given out.
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                with m.If(self.start):
                    m.d.sync += [Cat(lane, number).eq(self.address), left.eq(self.length),
                                 writes.eq(self.is_write), self.response.eq(Response.OKAY)]
                    m.next = "BEGIN"
            with m.State("BEGIN"):
                m.d.sync += [strobes.eq(0), waits.eq(0b11)]
                with m.If((left == 0) | (self.response != Response.OKAY)):
                    m.next = "IDLE"
                with m.Elif(writes):
                    m.next = "COLLECT"
                with m.Else():
                    m.next = "ASK"
            with m.State("COLLECT"):
                m.d.comb += [self.i.ready.eq(1), steps.eq(self.i.valid)]
                with m.If(self.i.valid):
                    m.d.sync += [beat.word_select(lane, 8).eq(self.i.payload), strobes.bit_select(lane, 1).eq(1)]
                    with m.If(is_last):
                        m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += [axi.aw.valid.eq(waits[0]), axi.w.valid.eq(waits[1])]
                taken = (axi.w.ready << 1) | axi.aw.ready
                m.d.sync += waits.eq(waits & ~taken)
                with m.If((waits & ~taken) == 0):
                    m.next = "ANSWERED"
            with m.State("ANSWERED"):
                m.d.comb += axi.b.ready.eq(1)
                with m.If(axi.b.valid):
                    m.d.sync += [self.response.eq(axi.b.payload.resp), number.eq(number + 1)]
                    m.next = "BEGIN"
            with m.State("ASK"):
                m.d.comb += axi.ar.valid.eq(1)
                with m.If(axi.ar.ready):
                    m.next = "RECEIVE"
            with m.State("RECEIVE"):
                m.d.comb += axi.r.ready.eq(1)
                with m.If(axi.r.valid):
                    m.d.sync += [beat.eq(axi.r.payload.data), self.response.eq(axi.r.payload.resp)]
                    m.next = "GIVE"
                    with m.If(axi.r.payload.resp != Response.OKAY):
                        m.next = "BEGIN"
            with m.State("GIVE"):
                m.d.comb += [self.o.valid.eq(1), steps.eq(self.o.ready)]
                with m.If(self.o.ready & is_last):
                    m.d.sync += number.eq(number + 1)
                    m.next = "BEGIN"
        return m
