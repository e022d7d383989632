import random

import pytest

from cbit.stream.single import SingleSlice
from cbit_sim.watch import simulate_watched

CYCLES = 300


@pytest.mark.parametrize(("offered", "taken"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.5), (0.5, 0.5)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_holds_one_entry_and_takes_the_next_when_it_is_gone(offered, taken):
    dut = SingleSlice(shape=16)
    seed = 53
    print(f"seed {seed}")
    rng = random.Random(seed)
    received = []

    async def testbench(ctx):
        held, sent, waits = [], 0, False
        for _ in range(CYCLES):
            offers, ready = waits or rng.random() < offered, rng.random() < taken
            ctx.set(dut.i.valid, offers)
            ctx.set(dut.i.payload, sent if offers else 0xDEAD)
            ctx.set(dut.o.ready, ready)
            assert ctx.get(dut.i.ready) == (not held)
            assert ctx.get(dut.o.valid) == ctx.get(dut.held_valid) == bool(held)
            assert not held or ctx.get(dut.held[0]) == held[0]
            assert held or ctx.get(dut.next) == (sent if offers else 0xDEAD)
            waits = offers and bool(held)
            if held:
                if ready:
                    received.append(held.pop())
            elif offers:
                held.append(sent)
                sent += 1
            await ctx.tick()

    simulate_watched(dut, [dut.o], testbench)
    assert received == list(range(len(received)))
    if offered == taken == 1.0:
        assert len(received) == CYCLES // 2
