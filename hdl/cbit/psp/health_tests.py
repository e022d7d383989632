"""Whether a noise source still gives what it is said to give."""

from amaranth import Module, Signal
from amaranth.lib.wiring import Component, In, Out

from cbit.psp.repetition_test import RepetitionTest

__all__ = ["PROPORTION_CUTOFF", "STARTUP_SAMPLES", "WINDOW_SAMPLES", "HealthTests"]

WINDOW_SAMPLES = 1024
"""For samples of one bit (NIST SP 800-90B, 4.4.2)."""

PROPORTION_CUTOFF = 793
"""The least number that is met or passed in less than 2^-20 of all windows, for H = 0.5 bit of entropy in a sample."""

STARTUP_SAMPLES = 1024
"""The least that NIST SP 800-90B, 4.3, allows."""


class HealthTests(Component):
    """The repetition count test and the adaptive proportion test of NIST SP 800-90B, 4.4, on samples of one bit.

    Latency: one cycle from the sample that fails to the failure, which stays until reset. Throughput: a sample a cycle.

    Members
    -------
    valid : ``In(1)``
        There is a sample in this cycle.
    sample : ``In(1)``
        The sample.
    repetition_failed : ``Out(1)``
        41 samples in a row were the same.
    proportion_failed : ``Out(1)``
        In a window of 1024 samples 793 were the same as its first.
    started : ``Out(1)``
        1024 samples have passed since reset, and neither test had failed.
    """

    valid: In(1)
    sample: In(1)
    repetition_failed: Out(1)
    proportion_failed: Out(1)
    started: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.repetition = repetition = RepetitionTest()
        m.d.comb += [
            repetition.valid.eq(self.valid), repetition.i.eq(self.sample),
            self.repetition_failed.eq(repetition.failed),
        ]
        fails = repetition.fails | self._count_window(m)
        passed = Signal(range(STARTUP_SAMPLES))
        with m.If(self.valid & ~self.started & ~fails & ~self.repetition_failed & ~self.proportion_failed):
            m.d.sync += [passed.eq(passed + 1), self.started.eq(passed == STARTUP_SAMPLES - 1)]
        return m

    def _count_window(self, m: Module) -> Signal:
        fails, first = Signal(), Signal()
        place, count = Signal(range(WINDOW_SAMPLES)), Signal(range(PROPORTION_CUTOFF))
        is_same = (place != 0) & (self.sample == first)
        m.d.comb += fails.eq(self.valid & (count == PROPORTION_CUTOFF - 1) & is_same)
        with m.If(fails):
            m.d.sync += self.proportion_failed.eq(1)
        with m.Elif(self.valid):
            m.d.sync += place.eq(place + 1)
            with m.If(place == 0):
                m.d.sync += [first.eq(self.sample), count.eq(1)]
            with m.Elif(is_same):
                m.d.sync += count.eq(count + 1)
        return fails
