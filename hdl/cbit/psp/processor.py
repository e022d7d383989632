"""The processor: Sentinel, behind a bus that another one could have, too."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from sentinel_cpu.top import Top

from cbit.psp.wishbone import WishboneSignature

__all__ = ["Processor"]


class Processor(wiring.Component):
    """A processor for RV32I with Zicsr and machine mode (RISC-V volume 1 and 2), which starts at address 0 after reset.

    An instruction takes 4 to 69 cycles, and as many more as memory takes beyond one. Traps go to ``mtvec``; of
    interrupts there is the external one.

    Members
    -------
    bus : ``Out(WishboneSignature())``
        Instructions and data. It stalls as long as an access is not acknowledged.
    irq : ``In(1)``
        The external interrupt of machine mode, as a level.
    """

    bus: Out(WishboneSignature())
    irq: In(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.cpu = cpu = Top()
        m.d.comb += [
            self.bus.adr.eq(cpu.bus.adr),
            self.bus.dat_w.eq(cpu.bus.dat_w),
            self.bus.sel.eq(cpu.bus.sel),
            self.bus.we.eq(cpu.bus.we),
            self.bus.stb.eq(cpu.bus.stb & cpu.bus.cyc),
            cpu.bus.dat_r.eq(self.bus.dat_r),
            cpu.bus.ack.eq(self.bus.ack),
            cpu.irq.eq(self.irq),
        ]
        return m
