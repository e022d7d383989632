"""Bytes onto a line."""

from amaranth import Cat, Const, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.soc.rate import BITS_MEASURED

__all__ = ["UartTransmitter"]

BITS = 10


class UartTransmitter(Component):
    """Sends bytes as 8N1 at a rate that it is told.

    Latency: one cycle to the start bit. Throughput: a byte every ten bits. Stalls: a byte waits until the stop bit of
    the one before is over.

    Parameters
    ----------
    rate_bits : :class:`int`
        Bits of ``eight_bits``.

    Members
    -------
    eight_bits : ``In(rate_bits)``
        Cycles of eight bits. It does not change while ``busy``.
    i : ``In(stream.Signature(8))``
        The bytes.
    line : ``Out(1)``
        The line, high where nothing is sent.
    busy : ``Out(1)``
        A byte is being sent.
    """

    def __init__(self, *, rate_bits: int) -> None:
        self.rate_bits = rate_bits
        super().__init__({
            "eight_bits": In(rate_bits),
            "i": In(stream.Signature(8)),
            "line": Out(1, init=1),
            "busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        # The ones that follow the last bit are the stop bit, and then the line at rest.
        bits, left = Signal(BITS, init=-1), Signal(range(BITS + 1))
        phase = Signal(self.rate_bits + 1)
        passed = phase + BITS_MEASURED
        ends = passed >= self.eight_bits
        m.d.comb += [
            self.line.eq(bits[0]),
            self.busy.eq(left != 0),
            self.i.ready.eq((left == 0) | ((left == 1) & ends)),
        ]
        m.d.sync += phase.eq(passed)
        with m.If(ends):
            m.d.sync += phase.eq(passed - self.eight_bits)
            with m.If(self.busy):
                m.d.sync += [bits.eq(Cat(bits[1:], Const(1, 1))), left.eq(left - 1)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [bits.eq(Cat(Const(0, 1), self.i.payload, Const(1, 1))), left.eq(BITS)]
            with m.If(left == 0):
                m.d.sync += phase.eq(0)
        return m
