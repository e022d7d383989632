"""Rings of gates are placed, though they are loops, and nothing else may be one."""

from types import SimpleNamespace

import pytest
from amaranth import Module
from amaranth.back import rtlil
from amaranth.lib.wiring import Component, Out, connect, flipped

from cbit.psp.noise_source import NoiseSignature
from cbit.psp.ring_noise import RingNoise
from cbit_fpga.devices import DEFAULT_DEVICE, DEVICES
from cbit_fpga.elaboration import CORE, TOP
from cbit_fpga.harness import Harness, ports
from cbit_fpga.placement import place
from cbit_fpga.store import Store
from cbit_fpga.synthesis import synthesize

DEVICE = DEVICES[DEFAULT_DEVICE]


class Noise(Component):
    """The rings, and nothing else."""

    noise: Out(NoiseSignature())

    def elaborate(self, _platform):
        m = Module()
        m.submodules.rings = rings = RingNoise()
        connect(m, rings.noise, flipped(self.noise))
        return m


@pytest.mark.slow
def test_rings_are_placed(tmp_path):
    text = rtlil.convert(Noise(), name=CORE, platform=SimpleNamespace(device=DEVICE.name))
    harness = Harness(CORE, ports(text, CORE))
    text += rtlil.convert(harness, name=TOP, ports=[harness.clk, harness.i, harness.o])
    store = Store(tmp_path)
    synthesis = synthesize(text, DEVICE, wide_luts=False, store=store)
    assert place(synthesis.netlist, DEVICE, seed=1, store=store).mhz > 60
