"""Raw random bits from ring oscillators."""

from amaranth import Const, Instance, Module, Signal
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import Component, In, Out

from cbit.psp.noise_source import NoiseSignature

__all__ = ["RING_STAGES", "RingNoise", "RingOscillator"]

RING_STAGES = (5, 7, 9, 11)
"""No two have a common factor but 1, so that they do not run in step."""

NAND_OF_A_AND_B = 0x7777


class RingOscillator(Component):
    """An odd number of inverters in a ring.

    On an LFE5U they are LUT4 that synthesis keeps and marks as a ring, so that the placer is told of the loop. For any
    other platform it is an instance of ``cbit_ring_oscillator`` with parameter ``STAGES`` and ports ``enable`` and
    ``o``, which who makes a chip has to supply: without it nothing can be made.

    Parameters
    ----------
    stages : :class:`int`
        Inverters. Odd, 3 or more.

    Members
    -------
    enable : ``In(1)``
        Low stops the ring.
    o : ``Out(1)``
        Any value at any time: no clock's.

    Raises
    ------
    ValueError
        If ``stages`` is even or too small.
    """

    enable: In(1)
    o: Out(1)

    def __init__(self, *, stages: int) -> None:
        if stages < 3 or stages % 2 == 0:
            raise ValueError(f"Stages must be odd and at least 3, not {stages!r}")
        self.stages = stages
        super().__init__()

    def elaborate(self, platform) -> Module:
        m = Module()
        if not getattr(platform, "device", "").startswith("LFE5U"):
            m.submodules.ring = Instance("cbit_ring_oscillator", p_STAGES=self.stages, i_enable=self.enable, o_o=self.o)
            return m
        ring = Signal(self.stages, attrs={"keep": 1})
        for number in range(self.stages):
            m.submodules[f"inverter_{number}"] = Instance(
                "LUT4", a_keep=1, a_ring_oscillator=1, p_INIT=Const(NAND_OF_A_AND_B, 16), i_A=ring[number - 1],
                i_B=self.enable if number == 0 else Const(1), i_C=Const(0), i_D=Const(0), o_Z=ring[number])
        m.d.comb += self.o.eq(ring[-1])
        return m


class RingNoise(Component):
    """Samples the sum of four free rings of different length.

    Throughput: a sample every ``sample_cycles`` cycles. How much entropy a sample has depends on the device and is not
    known; the health tests assume half a bit.

    Parameters
    ----------
    sample_cycles : :class:`int`
        In which the rings' jitter grows. A power of two, 2 or more.

    Members
    -------
    noise : ``Out(NoiseSignature())``

    Raises
    ------
    ValueError
        If ``sample_cycles`` is no such number.
    """

    is_simulated = False

    noise: Out(NoiseSignature())

    def __init__(self, *, sample_cycles: int = 32) -> None:
        if sample_cycles < 2 or sample_cycles & (sample_cycles - 1):
            raise ValueError(f"sample_cycles must be a power of two of at least 2, not {sample_cycles!r}")
        self.sample_cycles = sample_cycles
        super().__init__()

    def elaborate(self, _platform) -> Module:
        m = Module()
        rings, sampled, wait = Signal(len(RING_STAGES)), Signal(len(RING_STAGES)), Signal(range(self.sample_cycles))
        for number, stages in enumerate(RING_STAGES):
            m.submodules[f"ring_{number}"] = ring = RingOscillator(stages=stages)
            m.d.comb += [ring.enable.eq(1), rings[number].eq(ring.o)]
        m.submodules.synchronizer = FFSynchronizer(rings, sampled)
        m.d.sync += [wait.eq(wait + 1), self.noise.sample.eq(sampled.xor()), self.noise.valid.eq(wait == 0)]
        return m
