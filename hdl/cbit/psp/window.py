"""The buffer in the processor's address space."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.psp.buffer import BUFFER_WORDS, BufferSignature
from cbit.psp.wishbone import WishboneSignature

__all__ = ["BufferWindow"]


class BufferWindow(wiring.Component):
    """Reads and writes the buffer for the processor.

    An access is asked of the buffer in its second cycle, and acknowledged in the cycle after the buffer has done it.

    Members
    -------
    bus : ``In(WishboneSignature(addr_width=11))``
    buffer : ``Out(BufferSignature())``
    """

    bus: In(WishboneSignature(addr_width=(BUFFER_WORDS - 1).bit_length()))
    buffer: Out(BufferSignature())

    def elaborate(self, _platform) -> Module:
        m = Module()
        bus, buffer = self.bus, self.buffer
        m.d.comb += [
            buffer.address.eq(bus.adr),
            buffer.strobes.eq(bus.sel & bus.we.replicate(4)),
            buffer.write_data.eq(bus.dat_w),
            bus.dat_r.eq(buffer.read_data),
        ]
        is_done = buffer.valid & buffer.ready
        # All units look at this bit, to see whether it is their turn: so it is a register.
        m.d.sync += [buffer.valid.eq(bus.stb & ~bus.ack & ~is_done), bus.ack.eq(is_done)]
        return m
