"""Which bursts AXI4 allows."""

from amaranth import Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Burst, address_layout

__all__ = ["BurstRules"]


class BurstRules(Component):
    """Tells a burst that AXI4 does not allow on a bus of 16 bytes (IHI 0022, A3.4.1).

    Combinational. Malformed are: the reserved burst type; a beat wider than the bus; WRAP of a length
    other than 2, 4, 8 or 16 beats or from an address that is not aligned to the beat; FIXED of more
    than 16 beats; INCR across a boundary of 4 KiB.

    Parameters
    ----------
    addr_width, id_width, user_width : :class:`int`
        Widths of the address channel.

    Members
    -------
    address : ``In(address_layout(...))``
        Payload of AW or AR.
    malformed : ``Out(1)``
    """

    def __init__(self, *, addr_width: int, id_width: int, user_width: int) -> None:
        super().__init__({
            "address": In(address_layout(addr_width=addr_width, id_width=id_width, user_width=user_width)),
            "malformed": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        address = self.address
        beat_mask = Signal(12)
        first_bytes = Signal(12)
        last_bytes = Signal(13)
        m.d.comb += [
            beat_mask.eq((1 << address.size) - 1),
            first_bytes.eq(address.addr & ~beat_mask),
            last_bytes.eq(first_bytes + (address.len << Mux(address.size > 4, 4, address.size))),
        ]
        with m.Switch(address.burst):
            with m.Case(Burst.FIXED):
                m.d.comb += self.malformed.eq(address.len > 15)
            with m.Case(Burst.INCR):
                m.d.comb += self.malformed.eq(last_bytes[12])
            with m.Case(Burst.WRAP):
                length_allowed = (address.len == 1) | (address.len == 3) | (address.len == 7) | (address.len == 15)
                m.d.comb += self.malformed.eq(~length_allowed | (address.addr & beat_mask).any())
            with m.Default():
                m.d.comb += self.malformed.eq(1)
        with m.If(address.size > 4):
            m.d.comb += self.malformed.eq(1)
        return m
