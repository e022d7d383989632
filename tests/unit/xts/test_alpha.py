import random

import pytest
from amaranth import Signal

from cbit.xts.alpha import AlphaPower, times_alpha
from cbit_sim.streams import simulate


def doubled(value):
    """IEEE 1619, 5.2, byte by byte."""
    source = value.to_bytes(16, "little")
    result = bytearray(16)
    carry = 0
    for i, byte in enumerate(source):
        result[i] = (byte << 1 | carry) & 0xFF
        carry = byte >> 7
    result[0] ^= 0x87 * carry
    return int.from_bytes(result, "little")


def power_of_alpha(value, power):
    for _ in range(power):
        value = doubled(value)
    return value


VALUES = [1, 1 << 127, (1 << 128) - 1, random.Random(1).getrandbits(128)]


@pytest.mark.parametrize(("power_bits", "scale"), [(0, 4), (1, 1), (2, 1), (6, 4), (8, 1)])
def test_multiplies_by_each_power(power_bits, scale):
    dut = AlphaPower(power_bits=power_bits, scale=scale)

    async def testbench(ctx):
        for value in VALUES:
            ctx.set(dut.block, value)
            for power in {0, 1, 2, 3, 31, 32, 63, 127, 255} & set(range(1 << power_bits)):
                ctx.set(dut.power, power)
                assert ctx.get(dut.result) == power_of_alpha(value, scale * power)

    simulate(dut, testbench)


@pytest.mark.parametrize("power", [-1, 122])
def test_refuses_powers_that_wrap_twice(power):
    with pytest.raises(ValueError, match=rf"^Power must be from 0 to 121, not {power}$"):
        times_alpha(Signal(128), power)
