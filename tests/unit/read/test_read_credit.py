# amaranth: UnusedElaboratable=no

"""Room for beats: never more is taken than there is, and all that there is can be had."""

import random
import re

import pytest

from cbit.read.credit import SHORT_BEATS, BeatCredit
from cbit_sim.streams import simulate


@pytest.mark.parametrize("pipelined", [False, True], ids=["direct", "pipelined"])
@pytest.mark.parametrize("lengths", [(1, 2, 4), (1, 16, 17, 256), (256,)], ids=["short", "all", "longest"])
def test_no_more_is_taken_than_there_is(pipelined, lengths):
    dut = BeatCredit(beats=300, pipelined=pipelined)
    rng = random.Random(121)
    most = bursts = 0

    async def testbench(ctx):
        nonlocal most, bursts
        used, length = 0, rng.choice(lengths)
        for cycle in range(6000):
            ctx.set(dut.len, length - 1)
            ctx.set(dut.is_short, length <= SHORT_BEATS)
            gives = used > 0 and rng.random() < (0.9 if cycle // 1000 % 2 else 0.3)
            ctx.set(dut.give, gives)
            taken = 0
            if ctx.get(dut.fits) and rng.random() < 0.7:
                taken = length
            elif ctx.get(dut.chunk_fits) and rng.random() < 0.3:
                taken = 4
            ctx.set(dut.take, taken > 0)
            ctx.set(dut.taken, taken - 1 if taken else 0)
            renews = taken == length or rng.random() < 0.05
            ctx.set(dut.renew, renews)
            if renews:
                length = rng.choice(lengths)
                bursts += 1
            used += taken - gives
            most = max(most, used)
            assert used <= 300
            await ctx.tick()

    simulate(dut, testbench)
    assert most > 250
    assert bursts > 15


@pytest.mark.parametrize("pipelined", [False, True], ids=["direct", "pipelined"])
def test_a_short_burst_every_cycle(pipelined):
    dut = BeatCredit(beats=512, pipelined=pipelined)

    async def testbench(ctx):
        await ctx.tick()
        ctx.set(dut.len, 3)
        ctx.set(dut.is_short, 1)
        ctx.set(dut.taken, 3)
        ctx.set(dut.take, 1)
        ctx.set(dut.renew, 1)
        for _ in range(100):
            assert ctx.get(dut.fits)
            assert ctx.get(dut.chunk_fits)
            await ctx.tick()

    simulate(dut, testbench)


def test_refuses_less_room_than_the_longest_burst_takes():
    with pytest.raises(ValueError, match=re.escape("Beats must be at least 256, not 255")):
        BeatCredit(beats=255, pipelined=False)
