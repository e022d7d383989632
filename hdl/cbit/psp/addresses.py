"""Where things are for the processor, and what becomes of an access to nowhere."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.csr.map import size_bytes
from cbit.psp.wishbone import WishboneSignature

__all__ = ["DRAM_ADDR_WIDTH", "DRAM_REGIONS", "REGIONS", "AddressDecoder"]

REGIONS = {
    "memory": (0x0000_0000, 1 << 16),
    "registers": (0x1000_0000, 1 << 12),
    "engine": (0x1000_1000, 1 << 12),
    "buffer": (0x1000_2000, 1 << 13),
    "numbers": (0x1000_4000, 1 << 12),
}
"""Address and bytes, a power of two, of what there is."""

DRAM_ADDR_WIDTH = 13
"""Bits of the address of a byte in the registers of a DRAM controller."""

DRAM_REGIONS = {
    "dram": (0x1000_6000, 1 << DRAM_ADDR_WIDTH),
    "dram_table": (0x1000_8000, size_bytes("dram_table")),
}
"""The same of what there is only where the firmware has to level DRAM."""


def _addr_width(bytes_count: int) -> int:
    return (bytes_count // 4 - 1).bit_length()


class AddressDecoder(wiring.Component):
    """Leads each access of the processor to where its address is.

    Adds a cycle: what is answered is in a register, so that the time in which the processor makes an address of an
    instruction and that in which it takes one from memory do not add up. An access to nowhere is never acknowledged:
    the processor stands still until reset, and it is told.

    Parameters
    ----------
    levels_dram : :class:`bool`
        Whether there are :data:`DRAM_REGIONS`, too.

    Members
    -------
    bus : ``In(WishboneSignature())``
        The processor's.
    memory, registers, engine, buffer, numbers : ``Out(WishboneSignature(...))``
        Those of :data:`REGIONS`.
    dram, dram_table : ``Out(WishboneSignature(...))``
        Those of :data:`DRAM_REGIONS`, if there are.
    refused : ``In(1)``
        What an access was led to does not allow it, and will never acknowledge it.
    stray : ``Out(1)``
        There was an access to nowhere, or a refused one. Stays until reset.
    """

    def __init__(self, *, levels_dram: bool = False) -> None:
        self.regions = REGIONS | (DRAM_REGIONS if levels_dram else {})
        super().__init__({
            "bus": In(WishboneSignature()),
            **{name: Out(WishboneSignature(addr_width=_addr_width(bytes_count)))
               for name, (_, bytes_count) in self.regions.items()},
            "refused": In(1),
            "stray": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        bus = self.bus
        is_somewhere, word, is_done = Signal(), Signal(32), Signal()
        is_open = bus.stb & ~bus.ack
        for name, (address, bytes_count) in self.regions.items():
            port, is_here = getattr(self, name), Signal(name=f"is_{name}")
            m.d.comb += [
                is_here.eq(bus.adr[_addr_width(bytes_count):] == address // bytes_count),
                port.adr.eq(bus.adr),
                port.dat_w.eq(bus.dat_w),
                port.sel.eq(bus.sel),
                port.we.eq(bus.we),
                port.stb.eq(is_open & is_here),
            ]
            with m.If(is_here):
                m.d.comb += [is_somewhere.eq(1), word.eq(port.dat_r), is_done.eq(port.ack)]
        m.d.sync += [bus.dat_r.eq(word), bus.ack.eq(is_open & is_done)]
        with m.If(self.refused | (is_open & ~is_somewhere)):
            m.d.sync += self.stray.eq(1)
        return m
