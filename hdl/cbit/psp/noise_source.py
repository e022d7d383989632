"""Where raw random bits come from: what all sources have in common, and one for simulations."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Component, In, Out

__all__ = ["NoiseSignature", "SimulatedNoise"]


class NoiseSignature(wiring.Signature):
    """Raw samples of a noise source, seen from the source.

    Members
    -------
    valid : ``Out(1)``
        There is a sample in this cycle.
    sample : ``Out(1)``
        The sample.
    """

    def __init__(self):
        super().__init__({"valid": Out(1), "sample": Out(1)})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoiseSignature)


def _next(word: Value) -> Value:
    """The step of Marsaglia's xorshift with 13, 17 and 5 ("Xorshift RNGs", 2003)."""
    for shift in (13, -17, 5):
        word = (word ^ (word << shift if shift > 0 else word >> -shift))[:32]
    return word


class SimulatedNoise(Component):
    """A source for simulations: known to all, and secret from nobody.

    It can not get into a product unnoticed: it refuses to be made for a device; the seed comes from a port, which all
    that holds it must show; without a seed there is no sample, and so never any entropy.

    Latency: a sample in the second cycle after ``seed`` is given. Throughput: a sample a cycle.

    Members
    -------
    seed : ``In(32)``
        Where the samples begin; zero for none. It is taken once.
    noise : ``Out(NoiseSignature())``

    Raises
    ------
    ValueError
        When it is elaborated for a platform that has a device.
    """

    is_simulated = True

    seed: In(32)
    noise: Out(NoiseSignature())

    def elaborate(self, platform) -> Module:
        if hasattr(platform, "device"):
            raise ValueError(f"Noise source of {platform.device} must be a real one, not simulated")
        m = Module()
        word = Signal(32)
        m.d.comb += [self.noise.valid.eq(word != 0), self.noise.sample.eq(word[0])]
        m.d.sync += word.eq(Mux(word == 0, self.seed, _next(word)))
        return m
