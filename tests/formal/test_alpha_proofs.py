import pytest
from amaranth import Module, Mux, Signal
from amaranth.hdl import Assert
from amaranth.lib.wiring import Component, In

from cbit.xts.alpha import AlphaPower
from cbit_sim.formal import DisprovedError, Engine, prove


class RepeatedDoubling(Component):
    """Power 0 is 1, and each power is so many doublings of the one before, by ``polynomial`` (IEEE 1619, 5.2: 0x87)."""

    block: In(128)

    def __init__(self, *, power_bits, scale, polynomial):
        self.power_bits = power_bits
        self.scale = scale
        self.polynomial = polynomial
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        expected = self.block
        for power in range(1 << self.power_bits):
            alpha = AlphaPower(power_bits=self.power_bits, scale=self.scale)
            m.submodules += alpha
            m.d.comb += [
                alpha.block.eq(self.block),
                alpha.power.eq(power),
                Assert(alpha.result == expected),
            ]
            expected = alpha.result
            for _ in range(self.scale):
                doubled = Signal(128)
                m.d.comb += doubled.eq((expected << 1)[:128] ^ Mux(expected[127], self.polynomial, 0))
                expected = doubled
        return m


@pytest.mark.parametrize(("power_bits", "scale"), [
    (3, 1), (4, 4), (1, 128), pytest.param(6, 4, marks=pytest.mark.slow)])
def test_alpha_is_repeated_doubling(power_bits, scale):
    prove(RepeatedDoubling(power_bits=power_bits, scale=scale, polynomial=0x87), engine=Engine.COMBINATIONAL)


@pytest.mark.parametrize(("power_bits", "scale"), [(3, 1), (2, 4)])
def test_another_polynomial_is_found(power_bits, scale):
    with pytest.raises(DisprovedError):
        prove(RepeatedDoubling(power_bits=power_bits, scale=scale, polynomial=0x85), engine=Engine.COMBINATIONAL)
