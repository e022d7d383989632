"""Whether bits repeat too long."""

from amaranth import Module, Signal
from amaranth.lib.wiring import Component, In, Out

__all__ = ["REPETITION_CUTOFF", "RepetitionTest"]

REPETITION_CUTOFF = 41
"""1 + 20 / H for H = 0.5 bit of entropy in a bit and 2^-20 false alarms (NIST SP 800-90B, 4.4.1)."""


class RepetitionTest(Component):
    """The repetition count test of NIST SP 800-90B, 4.4.1.

    Latency: combinational to ``fails``, one cycle to ``failed``. Throughput: a bit a cycle.

    Members
    -------
    valid : ``In(1)``
        There is a bit in this cycle.
    i : ``In(1)``
        The bit.
    fails : ``Out(1)``
        It is the 41st in a row that is the same, or a later one.
    failed : ``Out(1)``
        That has been so since reset.
    """

    valid: In(1)
    i: In(1)
    fails: Out(1)
    failed: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        last, count = Signal(), Signal(range(REPETITION_CUTOFF))
        is_same = (count != 0) & (self.i == last)
        m.d.comb += self.fails.eq(self.valid & is_same & (count == REPETITION_CUTOFF - 1))
        with m.If(self.fails):
            m.d.sync += self.failed.eq(1)
        with m.Elif(self.valid & is_same):
            m.d.sync += count.eq(count + 1)
        with m.Elif(self.valid):
            m.d.sync += [last.eq(self.i), count.eq(1)]
        return m
