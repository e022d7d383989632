import random

import pytest

from cbit.xts.tweak_store import TweakStore
from cbit_sim.streams import simulate


@pytest.mark.parametrize("pipelined", [False, True])
@pytest.mark.parametrize("entries", [3, 16, 36])
def test_each_entry_has_the_tweak_that_came_since_it_was_forgotten(entries, pipelined):
    seed = entries
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = TweakStore(entries=entries, pipelined=pipelined)

    async def testbench(ctx):
        waiting, there, expected, late = set(), {}, None, None
        for _ in range(40 * entries):
            free = sorted(set(range(entries)) - waiting - {late})
            forgets = bool(free) and rng.random() < 0.6
            comes = bool(waiting) and rng.random() < 0.5
            arriving = rng.choice(sorted(waiting)) if comes else 0
            forgotten = rng.choice(free) if forgets else 0
            tweak = rng.getrandbits(128)
            ctx.set(dut.forget, forgets)
            ctx.set(dut.forget_index, forgotten)
            ctx.set(dut.i.valid, comes)
            ctx.set(dut.i.payload, {"index": arriving, "tweak": tweak})
            if expected is not None:
                assert ctx.get(dut.tweak) == expected
            for index in rng.sample(range(entries), 3):
                ctx.set(dut.index, index)
                if index in waiting:
                    assert not ctx.get(dut.there[index])
                if index in there:
                    # Who asked in the cycle of the writing may not take what was read then for the tweak.
                    assert ctx.get(dut.there[index]) == (index != late)
                if index in there and index != late:
                    assert pipelined or ctx.get(dut.tweak) == there[index]
            expected = there.get(index) if pipelined and index != late else None
            await ctx.tick()
            if comes:
                waiting.remove(arriving)
                there[arriving] = tweak
            late = arriving if comes and pipelined else None
            if forgets:
                waiting.add(forgotten)
                there.pop(forgotten, None)

    simulate(dut, testbench)
