import random

import pytest

from cbit.xts.tweak_store import TweakStore
from cbit_sim.streams import simulate


@pytest.mark.parametrize("entries", [3, 16, 36])
def test_each_entry_has_the_tweak_that_came_since_it_was_forgotten(entries):
    seed = entries
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = TweakStore(entries=entries)

    async def testbench(ctx):
        waiting, there = set(), {}
        for _ in range(40 * entries):
            free = sorted(set(range(entries)) - waiting)
            forgets = bool(free) and rng.random() < 0.6
            comes = bool(waiting) and rng.random() < 0.5
            arriving = rng.choice(sorted(waiting)) if comes else 0
            forgotten = rng.choice(free) if forgets else 0
            tweak = rng.getrandbits(128)
            ctx.set(dut.forget, forgets)
            ctx.set(dut.forget_index, forgotten)
            ctx.set(dut.i.valid, comes)
            ctx.set(dut.i.payload, {"index": arriving, "tweak": tweak})
            for index in rng.sample(range(entries), 3):
                ctx.set(dut.index, index)
                if index in waiting:
                    assert not ctx.get(dut.there[index])
                if index in there:
                    assert ctx.get(dut.there[index])
                    assert ctx.get(dut.tweak) == there[index]
            await ctx.tick()
            if comes:
                waiting.remove(arriving)
                there[arriving] = tweak
            if forgets:
                waiting.add(forgotten)
                there.pop(forgotten, None)

    simulate(dut, testbench)
