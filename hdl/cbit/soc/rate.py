"""Finds where a frame begins, and how fast it comes."""

from amaranth import Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

__all__ = ["RateMeter"]

BITS_MEASURED = 8
FEWEST_CYCLES_A_BIT = 6
PERIODS = 4
LOWS = 5


class RateMeter(Component):
    """Finds the bytes 0x00 and 0x55 of 8N1 on a line, at any rate, whatever was on it before.

    0x00 is low for nine bits, as no other byte is. The low pulses of 0x55 begin every second bit, so that from the
    first to the fifth it is eight bits, which is the measure: its error is that of two edges, and edges of one
    direction. Both bytes are found if the pulse is 8.5 to 9.5 bits by this measure, and nothing that COBS makes is.

    Latency: three cycles after the edge that begins the last bit of 0x55 that is low. The line may be high for any
    time between the two bytes.

    Parameters
    ----------
    rate_bits : :class:`int`
        Bits of the measure. Rates from a bit in 6 cycles to one in ``2**rate_bits // 10`` cycles are found. 8 or more.

    Members
    -------
    line : ``In(1)``
        The line, synchronized.
    found : ``Out(1)``
        High for a cycle when both bytes have been found.
    eight_bits : ``Out(rate_bits)``
        While ``found``, cycles of eight bits.

    Raises
    ------
    ValueError
        If ``rate_bits`` is less than 8.
    """

    def __init__(self, *, rate_bits: int) -> None:
        if rate_bits < BITS_MEASURED:
            raise ValueError(f"rate_bits must be at least {BITS_MEASURED}, not {rate_bits!r}")
        self.rate_bits = rate_bits
        super().__init__({"line": In(1), "found": Out(1), "eight_bits": Out(rate_bits)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        before = Signal(init=1)
        falls, rises = ~self.line & before, self.line & ~before
        low, period = self._count(m, "low", falls), self._count(m, "period", falls)
        lows = [Signal(self.rate_bits, name=f"low{age}", reset_less=True) for age in range(LOWS)]
        periods = [Signal(self.rate_bits, name=f"period{age}", reset_less=True) for age in range(PERIODS - 1)]
        m.d.sync += before.eq(self.line)
        with m.If(rises):
            m.d.sync += [older.eq(newer) for older, newer in zip(lows, (low, *lows))]
        with m.If(falls):
            m.d.sync += [older.eq(newer) for older, newer in zip(periods, (period, *periods))]

        # One step after the other: two sums, their sum, the comparison.
        halves = [Signal(self.rate_bits + 1, name=f"half{index}") for index in range(2)]
        whole, pulse = Signal(self.rate_bits + 2), Signal(self.rate_bits)
        steps = Signal(2)
        m.d.sync += [
            halves[0].eq(period + periods[0]), halves[1].eq(periods[1] + periods[2]),
            whole.eq(halves[0] + halves[1]),
            steps.eq(falls | (steps << 1)),
        ]
        with m.If(falls):
            m.d.sync += pulse.eq(lows[-1])
        half_bit = whole >> 4
        # A product of three would take a multiplier of the device.
        fits = (pulse >= whole + half_bit) & (pulse < whole + (half_bit << 1) + half_bit)
        m.d.comb += self.eight_bits.eq(whole)
        m.d.comb += self.found.eq(steps[1] & fits & (whole >= BITS_MEASURED * FEWEST_CYCLES_A_BIT))
        return m

    def _count(self, m: Module, name: str, begins) -> Signal:
        """Cycles since something began, in the cycle in which it ends; it stays at the highest number."""
        count = Signal(self.rate_bits, name=name, init=(1 << self.rate_bits) - 1)
        m.d.sync += count.eq(Mux(begins, 1, count + ~count.all()))
        return count
