"""Writes of whole beats only, for DRAM whose byte masks are not wired."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Axi4Signature, Burst, Response
from cbit_boards.gateware.beats import beat_place

__all__ = ["WholeBeats"]

_BYTES = 16
_SIZE = 4
_BYTE_BITS = 8


class WholeBeats(Component):
    """Reads a beat of which some bytes are to be written, and writes all of it.

    One access at a time, and of a write one beat, each of its own on ``m_axi``: no other write comes between reading a
    beat and writing it. A beat with no strobe is neither read nor written. If reading fails nothing is written. A write
    is answered with the worst that any of its beats was. An exclusive write changes nothing and gets OKAY.

    Latency: a read, a cycle, and its beats none; of a write each beat takes an access, and a beat in part two.
    Throughput: that of single accesses. Stalls: all of what waits.

    Parameters
    ----------
    addr_width, id_width : :class:`int`
        Of both ports, whose ``data_width`` is 128.

    Members
    -------
    s_axi : ``In(Axi4Signature(...))``
        Legal bursts.
    m_axi : ``Out(Axi4Signature(...))``
        To the controller. All strobes of a beat are high.
    """

    def __init__(self, *, addr_width: int, id_width: int):
        self.addr_width = addr_width
        port = Axi4Signature(addr_width=addr_width, data_width=8 * _BYTES, id_width=id_width)
        super().__init__({"s_axi": In(port), "m_axi": Out(port)})

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        manager, memory = self.s_axi, self.m_axi
        request, beat = Signal.like(manager.aw.payload), Signal.like(manager.w.payload)
        index, worst = Signal(8), Signal(Response)
        place = beat_place(m, request, index, addr_width=self.addr_width)
        for address in (memory.aw, memory.ar):
            m.d.comb += [
                address.payload.id.eq(request.id), address.payload.addr.eq(Cat(Const(0, 4), place.block)),
                address.payload.size.eq(_SIZE), address.payload.burst.eq(Burst.INCR),
                address.payload.prot.eq(request.prot),
            ]
        m.d.comb += [
            memory.w.payload.data.eq(beat.data), memory.w.payload.strb.eq((1 << _BYTES) - 1),
            memory.w.payload.last.eq(1), manager.b.payload.id.eq(request.id), manager.b.payload.resp.eq(worst),
            manager.r.payload.eq(memory.r.payload),
        ]
        with m.FSM():  # one access; of a write beat by beat, which is read if it is written in part
            with m.State("Idle"):
                self._take(m, request)
                m.d.sync += [index.eq(0), worst.eq(Response.OKAY)]
            with m.State("Read"):
                m.d.comb += [memory.ar.valid.eq(1), memory.ar.payload.eq(request)]
                with m.If(memory.ar.ready):
                    m.next = "Pass"
            with m.State("Pass"):
                m.d.comb += [manager.r.valid.eq(memory.r.valid), memory.r.ready.eq(manager.r.ready)]
                with m.If(memory.r.valid & memory.r.ready & memory.r.payload.last):
                    m.next = "Idle"
            self._write(m, request, beat, index, worst)
            with m.State("Respond"):
                m.d.comb += manager.b.valid.eq(1)
                with m.If(manager.b.ready):
                    m.next = "Idle"
        return m

    def _write(self, m: Module, request: Any, beat: Any, index: Signal, worst: Signal) -> None:
        """The states of a beat that is written."""
        manager, memory = self.s_axi, self.m_axi
        with m.State("Take"):
            m.d.comb += manager.w.ready.eq(1)
            with m.If(manager.w.valid):
                m.d.sync += beat.eq(manager.w.payload)
                m.next = "Write"
                with m.If((manager.w.payload.strb == 0) | request.lock):
                    m.next = "Done"
                with m.Elif(~manager.w.payload.strb.all()):
                    m.next = "Ask"
        with m.State("Ask"):
            m.d.comb += memory.ar.valid.eq(1)
            with m.If(memory.ar.ready):
                m.next = "Merge"
        with m.State("Merge"):
            m.d.comb += memory.r.ready.eq(1)
            with m.If(memory.r.valid):
                m.d.sync += beat.data.eq(_merged(beat, memory.r.payload.data))
                m.next = "Write"
                with m.If(memory.r.payload.resp != Response.OKAY):
                    m.d.sync += worst.eq(memory.r.payload.resp)
                    m.next = "Done"
        with m.State("Write"):
            m.d.comb += memory.aw.valid.eq(1)
            with m.If(memory.aw.ready):
                m.next = "Data"
        with m.State("Data"):
            m.d.comb += memory.w.valid.eq(1)
            with m.If(memory.w.ready):
                m.next = "Answer"
        with m.State("Answer"):
            m.d.comb += memory.b.ready.eq(1)
            with m.If(memory.b.valid):
                m.d.sync += worst.eq(Mux(memory.b.payload.resp == Response.OKAY, worst, memory.b.payload.resp))
                m.next = "Done"
        with m.State("Done"):
            m.d.sync += index.eq(index + 1)
            m.next = "Take"
            with m.If(beat.last):
                m.next = "Respond"

    def _take(self, m: Module, request: Any) -> None:
        """Takes the next access, reads and writes in turn where both wait."""
        manager, is_write_turn = self.s_axi, Signal()
        is_write = Signal()
        m.d.comb += [
            is_write.eq(manager.aw.valid & (is_write_turn | ~manager.ar.valid)),
            manager.aw.ready.eq(is_write), manager.ar.ready.eq(~is_write),
        ]
        with m.If(is_write):
            m.d.sync += [request.eq(manager.aw.payload), is_write_turn.eq(0)]
            m.next = "Take"
        with m.Elif(manager.ar.valid):
            m.d.sync += [request.eq(manager.ar.payload), is_write_turn.eq(1)]
            m.next = "Read"


def _merged(beat: Any, before: Any) -> Any:
    """A beat's written bytes among those from before."""
    return Cat(Mux(beat.strb[lane], beat.data.word_select(lane, _BYTE_BITS), before.word_select(lane, _BYTE_BITS))
               for lane in range(_BYTES))
