"""From AXI4-Lite to the registers of LiteDRAM."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.axi.ports import AxiLiteSignature, Response
from cbit.psp.wishbone import WishboneSignature

__all__ = ["RegisterAccess"]


class RegisterAccess(wiring.Component):
    """Carries accesses on AXI4-Lite to registers on Wishbone, one at a time, a write before a read.

    Latency: an access begins on Wishbone the cycle after it is taken, and its answer is shown the cycle after that of
    Wishbone. Throughput: an access in two cycles more than Wishbone takes. Stalls: nothing is taken while an access is
    under way or its answer waits. Writes are of whole words, whatever their strobes. An access that ends with an error
    gets SLVERR.

    Parameters
    ----------
    addr_width : :class:`int`
        Bits of a byte's address.

    Members
    -------
    s_axil : ``In(AxiLiteSignature(addr_width=addr_width))``
    bus : ``Out(WishboneSignature(addr_width=addr_width - 2))``
        To the registers.
    err : ``In(1)``
        High instead of ``bus.ack``, or with it: the access has failed.
    """

    def __init__(self, *, addr_width: int):
        self.addr_width = addr_width
        super().__init__({
            "s_axil": In(AxiLiteSignature(addr_width=addr_width)),
            "bus": Out(WishboneSignature(addr_width=addr_width - 2)),
            "err": In(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        axil, bus = self.s_axil, self.bus
        response = Signal(Response)
        m.d.comb += [bus.sel.eq(0b1111), axil.b.p.resp.eq(response), axil.r.p.resp.eq(response)]
        # One access: taken, carried out, answered.
        with m.FSM():
            with m.State("TAKE"):
                is_write = axil.aw.valid & axil.w.valid
                m.d.comb += [axil.aw.ready.eq(is_write), axil.w.ready.eq(is_write), axil.ar.ready.eq(~is_write)]
                m.d.sync += [bus.we.eq(is_write), bus.dat_w.eq(axil.w.p.data), bus.adr.eq(axil.ar.p.addr[2:])]
                with m.If(is_write):
                    m.d.sync += bus.adr.eq(axil.aw.p.addr[2:])
                with m.If(is_write | axil.ar.valid):
                    m.next = "ACCESS"
            with m.State("ACCESS"):
                m.d.comb += bus.stb.eq(1)
                with m.If(bus.ack | self.err):
                    m.d.sync += response.eq(Response.OKAY)
                    with m.If(self.err):
                        m.d.sync += response.eq(Response.SLVERR)
                    m.d.sync += axil.r.p.data.eq(bus.dat_r)
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += [axil.b.valid.eq(bus.we), axil.r.valid.eq(~bus.we)]
                with m.If((axil.b.valid & axil.b.ready) | (axil.r.valid & axil.r.ready)):
                    m.next = "TAKE"
        return m
