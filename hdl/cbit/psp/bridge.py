"""From the processor's bus to AXI4-Lite, for registers."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.axi.ports import AxiLiteSignature, Response
from cbit.psp.wishbone import WishboneSignature

__all__ = ["RegisterBridge"]


class RegisterBridge(wiring.Component):
    """Carries one access at a time to registers on AXI4-Lite.

    Three cycles more than the registers take. An access that is answered with an error is acknowledged; if it was a
    read it reads zero.

    Parameters
    ----------
    addr_width : :class:`int`
        Bits of a byte's address.

    Members
    -------
    bus : ``In(WishboneSignature(addr_width=addr_width - 2))``
    m_axil : ``Out(AxiLiteSignature(addr_width=addr_width))``
        To the registers; which bytes are written goes along.
    failed : ``Out(1)``
        High for one cycle with each answer that was an error.
    """

    def __init__(self, *, addr_width: int):
        self.addr_width = addr_width
        super().__init__({
            "bus": In(WishboneSignature(addr_width=addr_width - 2)),
            "m_axil": Out(AxiLiteSignature(addr_width=addr_width)),
            "failed": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        bus, axil = self.bus, self.m_axil
        m.d.comb += [
            axil.aw.p.addr[2:].eq(bus.adr),
            axil.ar.p.addr[2:].eq(bus.adr),
            axil.w.p.data.eq(bus.dat_w),
            axil.w.p.strb.eq(bus.sel),
            axil.b.ready.eq(1),
            axil.r.ready.eq(1),
        ]
        response, is_answered = Signal(Response), Signal()
        with m.If(axil.b.valid):
            m.d.comb += [response.eq(axil.b.p.resp), is_answered.eq(1)]
        with m.If(axil.r.valid):
            m.d.comb += [response.eq(axil.r.p.resp), is_answered.eq(1)]
        m.d.sync += [bus.ack.eq(is_answered), self.failed.eq(is_answered & (response != Response.OKAY))]
        with m.If(is_answered):
            m.d.sync += bus.dat_r.eq(axil.r.p.data & (axil.r.p.resp == Response.OKAY).replicate(32))

        # An access is offered once; its answer is then awaited.
        is_offered = Signal()
        with m.If(bus.stb & ~is_offered & ~bus.ack):
            m.d.sync += [is_offered.eq(1), axil.aw.valid.eq(bus.we), axil.w.valid.eq(bus.we), axil.ar.valid.eq(~bus.we)]
        for channel in (axil.aw, axil.w, axil.ar):
            with m.If(channel.valid & channel.ready):
                m.d.sync += channel.valid.eq(0)
        with m.If(is_answered):
            m.d.sync += is_offered.eq(0)
        return m
