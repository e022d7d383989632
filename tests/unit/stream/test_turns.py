import random

import pytest

from cbit.stream.turns import Turns
from cbit_sim.streams import simulate


def run(script):
    """``script`` is given a function that shows requests for a cycle; it returns who was chosen and taken, if any."""
    dut = Turns()

    async def testbench(ctx):
        async def step(requests, ready=1):
            ctx.set(dut.requests, requests)
            ctx.set(dut.taken, ready)
            chosen = ctx.get(dut.choice) if ctx.get(dut.valid) else None
            assert chosen is None or requests >> chosen & 1
            await ctx.tick()
            return chosen

        await script(step)

    simulate(dut, testbench)


def test_two_that_ask_alternate_from_the_first_on():
    async def script(step):
        assert [await step(0b11) for _ in range(6)] == [0, 1, 0, 1, 0, 1]

    run(script)


@pytest.mark.parametrize(("who", "chosen"), [(0, [0, 0, 0, 0]), (1, [None, 1, 1, 1])])
def test_one_that_asks_alone_goes_every_cycle_once_it_is_its_turn(who, chosen):
    async def script(step):
        assert [await step(1 << who) for _ in range(4)] == chosen

    run(script)


def test_after_a_pause_the_first_goes_at_once():
    async def script(step):
        for _ in range(3):
            await step(0b10)
        assert await step(0b00) is None
        assert await step(0b01) == 0

    run(script)


def test_a_choice_stays_until_it_is_taken_and_nobody_is_passed_twice():
    seed = 7
    print(f"seed {seed}")
    rng = random.Random(seed)

    async def script(step):
        requests, shown, passed = 0, None, [0, 0]
        for _ in range(2000):
            requests |= rng.randrange(4)
            ready = rng.random() < 0.6
            chosen = await step(requests, ready)
            assert shown is None or chosen == shown
            shown = chosen if not ready else None
            if chosen is not None and ready:
                requests &= ~(1 << chosen)
                passed[chosen] = 0
                if requests:
                    passed[1 - chosen] += 1
            assert max(passed) <= 1

    run(script)
