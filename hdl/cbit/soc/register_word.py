"""One register, read or written by AXI4-Lite."""

from amaranth import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import AxiLiteSignature, Response

__all__ = ["WORD_BYTES", "RegisterWord"]

WORD_BYTES = 4


class RegisterWord(Component):
    """Reads or writes a word of 32 bits, its least significant byte first. What is refused when read gives no bytes.

    Latency: one cycle. Throughput: a cycle for each byte, and what the register takes. Stalls: it waits for each byte.

    Parameters
    ----------
    addr_width : :class:`int`
        Bits of an address.

    Members
    -------
    start : ``In(1)``
        Begins; while ``busy`` it is low.
    is_write : ``In(1)``
    address : ``In(addr_width)``
        These two count while ``start``.
    busy : ``Out(1)``
    response : ``Out(Response)``
        What it has ended with, once ``busy`` is low again.
    i : ``In(stream.Signature(8))``
        Bytes to write.
    o : ``Out(stream.Signature(8))``
        Bytes read.
    m_axil : ``Out(AxiLiteSignature(addr_width=addr_width))``
    """

    def __init__(self, *, addr_width: int) -> None:
        super().__init__({
            "start": In(1),
            "is_write": In(1),
            "address": In(addr_width),
            "busy": Out(1),
            "response": Out(Response),
            "i": In(stream.Signature(8)),
            "o": Out(stream.Signature(8)),
            "m_axil": Out(AxiLiteSignature(addr_width=addr_width)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        axil, word, number, waits = self.m_axil, Signal(8 * WORD_BYTES), Signal(range(WORD_BYTES)), Signal(2)
        address = Signal.like(self.address)
        is_last = number == WORD_BYTES - 1
        m.d.comb += [
            axil.aw.payload.addr.eq(address), axil.ar.payload.addr.eq(address),
            axil.w.payload.data.eq(word), axil.w.payload.strb.eq(-1),
            self.o.payload.eq(word[:8]),
        ]

        # Of a write the bytes, both channels and the answer; of a read address, answer and bytes.
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.sync += [number.eq(0), waits.eq(0b11), address.eq(self.address)]
                with m.If(self.start & self.is_write):
                    m.next = "COLLECT"
                with m.Elif(self.start):
                    m.next = "ASK"
            with m.State("COLLECT"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.sync += [word.eq(Cat(word[8:], self.i.payload)), number.eq(number + 1)]
                    with m.If(is_last):
                        m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += [axil.aw.valid.eq(waits[0]), axil.w.valid.eq(waits[1])]
                left = waits & ~((axil.w.ready << 1) | axil.aw.ready)
                m.d.sync += waits.eq(left)
                with m.If(left == 0):
                    m.next = "ANSWERED"
            with m.State("ANSWERED"):
                m.d.comb += axil.b.ready.eq(1)
                with m.If(axil.b.valid):
                    m.d.sync += self.response.eq(axil.b.payload.resp)
                    m.next = "IDLE"
            with m.State("ASK"):
                m.d.comb += axil.ar.valid.eq(1)
                with m.If(axil.ar.ready):
                    m.next = "RECEIVE"
            with m.State("RECEIVE"):
                m.d.comb += axil.r.ready.eq(1)
                with m.If(axil.r.valid):
                    m.d.sync += [word.eq(axil.r.payload.data), self.response.eq(axil.r.payload.resp)]
                    m.next = "GIVE"
                    with m.If(axil.r.payload.resp != Response.OKAY):
                        m.next = "IDLE"
            with m.State("GIVE"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.sync += [word.eq(word >> 8), number.eq(number + 1)]
                    with m.If(is_last):
                        m.next = "IDLE"
        return m
