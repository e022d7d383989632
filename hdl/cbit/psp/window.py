"""The buffer in the processor's address space."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.psp.buffer import BUFFER_WORDS, BufferSignature
from cbit.psp.wishbone import WishboneSignature

__all__ = ["BufferWindow"]


class BufferWindow(wiring.Component):
    """Reads and writes the buffer for the processor.

    An access is acknowledged in the cycle after the buffer has done it.

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
            buffer.valid.eq(bus.stb & ~bus.ack),
            buffer.address.eq(bus.adr),
            buffer.strobes.eq(bus.sel & bus.we.replicate(4)),
            buffer.write_data.eq(bus.dat_w),
            bus.dat_r.eq(buffer.read_data),
        ]
        m.d.sync += bus.ack.eq(buffer.valid & buffer.ready)
        return m
