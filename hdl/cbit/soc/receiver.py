"""Bytes from a line."""

from amaranth import Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.soc.rate import BITS_MEASURED

__all__ = ["UartReceiver"]

BITS = 10
"""Of a byte: start, eight of data from the least significant, stop."""


class UartReceiver(Component):
    """Takes bytes of 8N1 from a line at a rate that it is told, from a moment that it is told.

    Latency: half a bit past the beginning of the stop bit. Throughput: what the line gives; a stop bit of half a bit is
    enough. What comes cannot be stalled.

    A byte whose stop bit is low ends it: nothing more is taken until the next start.

    Parameters
    ----------
    rate_bits : :class:`int`
        Bits of ``eight_bits``.

    Members
    -------
    line : ``In(1)``
        The line, synchronized.
    start : ``In(1)``
        The byte that is on the line is the last that is not to be taken.
    eight_bits : ``In(rate_bits)``
        Cycles of eight bits. It does not change between ``start`` and the last byte.
    o : ``Out(stream.Signature(8, always_ready=True))``
        The bytes.
    """

    def __init__(self, *, rate_bits: int) -> None:
        self.rate_bits = rate_bits
        super().__init__({
            "line": In(1),
            "start": In(1),
            "eight_bits": In(rate_bits),
            "o": Out(stream.Signature(8, always_ready=True)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        bits, phase, number = Signal(8), Signal(self.rate_bits + 1), Signal(range(BITS))
        passed = phase + BITS_MEASURED
        samples = passed >= self.eight_bits
        m.d.comb += self.o.payload.eq(bits)

        # A byte begins with an edge; its bits are looked at in their middles.
        with m.FSM():
            with m.State("CLOSED"):
                with m.If(self.start):
                    m.next = "SYNCHRONIZE"
            with m.State("SYNCHRONIZE"):
                with m.If(self.line):
                    m.next = "IDLE"
            with m.State("IDLE"):
                m.d.sync += [phase.eq(self.eight_bits >> 1), number.eq(0)]
                with m.If(~self.line):
                    m.next = "BITS"
                with m.If(self.start):
                    m.next = "SYNCHRONIZE"
            with m.State("BITS"):
                m.d.sync += phase.eq(passed)
                with m.If(samples):
                    m.d.sync += [phase.eq(passed - self.eight_bits), number.eq(number + 1)]
                    with m.If(number != BITS - 1):
                        m.d.sync += bits.eq((bits >> 1) | (self.line << 7))
                    with m.Elif(self.line):
                        m.d.comb += self.o.valid.eq(1)
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "CLOSED"
                    with m.If((number == 0) & self.line):
                        m.next = "IDLE"
                with m.If(self.start):
                    m.next = "SYNCHRONIZE"
        return m

