"""What a board says of itself."""

from amaranth import Array, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.soc.protocol import VERSION

__all__ = ["IDENTITY_BYTES", "Identity"]

IDENTITY_BYTES = 20
FLAGS = 5


class Identity(Component):
    """Gives the bytes of the answer to IDENTIFY.

    Latency: none. Throughput: a byte a cycle. Stalls: each byte waits.

    Parameters
    ----------
    addr_width, c_bit, asid_count, key_bits : :class:`int`
        Of the engine.
    memory_bytes : :class:`int`
        Bytes of DRAM.

    Members
    -------
    start : ``In(1)``
        They begin with the next cycle.
    flags : ``In(8)``
        The sixth byte.
    o : ``Out(stream.Signature(8))``
    """

    def __init__(self, *, addr_width: int, c_bit: int, asid_count: int, key_bits: int, memory_bytes: int) -> None:
        self.fixed = (b"CBIT" + bytes((VERSION, 0, c_bit, addr_width)) + asid_count.to_bytes(2, "little")
                      + key_bits.to_bytes(2, "little") + memory_bytes.to_bytes(8, "little"))
        super().__init__({"start": In(1), "flags": In(8), "o": Out(stream.Signature(8))})

    def elaborate(self, _platform) -> Module:
        m = Module()
        number = Signal(range(IDENTITY_BYTES + 1), init=IDENTITY_BYTES)
        m.d.comb += [
            self.o.valid.eq(number != IDENTITY_BYTES),
            self.o.payload.eq(Array([*self.fixed, 0])[number]),
        ]
        with m.If(number == FLAGS):
            m.d.comb += self.o.payload.eq(self.flags)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += number.eq(number + 1)
        with m.If(self.start):
            m.d.sync += number.eq(0)
        return m
