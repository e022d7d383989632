"""The numbers of the unit for P-384 in the processor's address space."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.psp.p384.window import WINDOW_ADDR_WIDTH, WindowSignature
from cbit.psp.wishbone import WishboneSignature

__all__ = ["P384Window"]


class P384Window(wiring.Component):
    """Reads and writes numbers for the processor.

    An access is acknowledged in its second cycle; a write is done in that.

    Members
    -------
    bus : ``In(WishboneSignature(addr_width=10))``
    window : ``Out(WindowSignature())``
    """

    bus: In(WishboneSignature(addr_width=WINDOW_ADDR_WIDTH))
    window: Out(WindowSignature())

    def elaborate(self, _platform) -> Module:
        m = Module()
        bus, window = self.bus, self.window
        m.d.comb += [
            window.address.eq(bus.adr),
            window.write.eq(bus.sel & (bus.we & bus.ack).replicate(len(bus.sel))),
            window.data.eq(bus.dat_w),
            bus.dat_r.eq(window.value),
        ]
        m.d.sync += bus.ack.eq(bus.stb & ~bus.ack)
        return m
