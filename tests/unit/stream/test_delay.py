# amaranth: UnusedElaboratable=no

import random

import pytest
from amaranth.lib import data

from cbit.stream.delay import Delay
from cbit_sim.streams import simulate


@pytest.mark.parametrize("cycles", [1, 2, 3, 16, 17, 18, 19, 40])
def test_gives_what_came_so_many_cycles_ago(cycles):
    dut = Delay(shape=data.StructLayout({"block": 9, "tag": 5}), cycles=cycles)
    rng = random.Random(cycles)
    sent = [rng.getrandbits(14) for _ in range(120)]

    async def testbench(ctx):
        shown = []
        for value in sent:
            ctx.set(dut.i, dut.shape.from_bits(value))
            shown.append(ctx.get(dut.o.as_value()))
            await ctx.tick()
        assert shown == [0] * cycles + sent[:len(sent) - cycles]

    simulate(dut, testbench)


def test_refuses_no_delay():
    with pytest.raises(ValueError, match=r"^Cycles must be at least 1, not 0$"):
        Delay(shape=8, cycles=0)
