"""Tested words of raw entropy."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib.wiring import Component, In

from cbit.psp.health_tests import HealthTests
from cbit.psp.noise_source import NoiseSignature
from cbit.psp.register_port import register_port
from cbit.psp.repetition_test import RepetitionTest
from cbit.psp.von_neumann import VonNeumann

__all__ = ["Entropy"]

WORD_BITS = 32

PERIOD_BITS = 120
"""A multiple of 16 periods, all up to 6 among them. The first 1024 samples of a good source give so many corrected bits
and 41 more."""


class Entropy(Component):
    """Gathers words of a noise source's samples, of which each has passed the health tests and von Neumann's corrector.

    The tests see all samples from reset on; the first 1024 are for them alone. The repetition test has the corrected
    bits as well, which are all the same where samples only alternate, and how they differ from those 120 before, which
    is all the same where they recur every 120 or a part of that. Once a test has failed, there is no word until
    reset, also not one that was there. The first bit of a word is its lowest.

    Latency: at least 128 samples from ENTROPY_TAKE to the next word on the average. Stalls: samples that come while a
    word waits are tested and go no further.

    Members
    -------
    noise : ``In(NoiseSignature())``
        From the source.
    entropy_status, entropy_data, entropy_take : ``In(register_port(...))``
        The registers.
    """

    noise: In(NoiseSignature())
    entropy_status: In(register_port("ENTROPY_STATUS"))
    entropy_data: In(register_port("ENTROPY_DATA"))
    entropy_take: In(register_port("ENTROPY_TAKE"))

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.tests = tests = HealthTests()
        m.submodules.corrector = corrector = VonNeumann()
        m.submodules.corrected = corrected = RepetitionTest()
        m.submodules.recurring = recurring = RepetitionTest()
        history, kept = Signal(PERIOD_BITS), Signal(range(PERIOD_BITS + 1))
        is_full = kept == PERIOD_BITS
        word, count = Signal(WORD_BITS), Signal(range(WORD_BITS + 1))
        has_failed, is_ready = Signal(), Signal()
        status = self.entropy_status.value
        m.d.comb += [
            tests.valid.eq(self.noise.valid), tests.sample.eq(self.noise.sample),
            corrector.valid.eq(self.noise.valid), corrector.i.eq(self.noise.sample),
            corrected.valid.eq(corrector.o_valid), corrected.i.eq(corrector.o),
            recurring.valid.eq(corrector.o_valid & is_full), recurring.i.eq(corrector.o ^ history[-1]),
            status.rct_failed.eq(tests.repetition_failed | corrected.failed | recurring.failed),
            status.apt_failed.eq(tests.proportion_failed),
            has_failed.eq(status.rct_failed | status.apt_failed),
            is_ready.eq((count == WORD_BITS) & ~has_failed),
            status.ready.eq(is_ready),
            status.starting.eq(~tests.started & ~has_failed),
            self.entropy_data.value.word.eq(word & is_ready.replicate(WORD_BITS)),
        ]
        with m.If(corrector.o_valid):
            m.d.sync += [history.eq(Cat(corrector.o, history)), kept.eq(Mux(is_full, kept, kept + 1))]
        with m.If(corrector.o_valid & tests.started & (count != WORD_BITS)):
            m.d.sync += [word.eq(Cat(word[1:], corrector.o)), count.eq(count + 1)]
        with m.If(has_failed | (self.entropy_take.write & is_ready)):
            m.d.sync += [word.eq(0), count.eq(0)]
        return m
