import random
from collections import deque

import pytest

from cbit.stream.slice import RegisterSlice
from cbit_sim.watch import simulate_watched

CYCLES = 500


@pytest.mark.parametrize(("offered", "taken"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.5), (0.5, 0.5)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_follows_its_model_in_each_cycle(offered, taken):
    dut = RegisterSlice(shape=16)
    seed = 51
    print(f"seed {seed}")
    rng = random.Random(seed)
    received = []

    async def testbench(ctx):
        model = deque()
        sent = 0
        waits = False
        for _ in range(CYCLES):
            offers = waits or rng.random() < offered
            ready = rng.random() < taken
            ctx.set(dut.i.valid, offers)
            ctx.set(dut.i.payload, sent if offers else 0xDEAD)
            ctx.set(dut.o.ready, ready)
            assert ctx.get(dut.i.ready) == (len(model) < 2)
            assert ctx.get(dut.o.valid) == bool(model)
            assert ctx.get(dut.is_full) == (len(model) == 2)
            head, valid = ctx.get(dut.head), ctx.get(dut.held_valid)
            assert [ctx.get(dut.held[place]) for place in (head, 1 - head) if valid >> place & 1] == list(model)
            assert not model or valid >> head & 1
            if not model or ready:
                assert ctx.get(dut.next) == (model[1] if len(model) == 2 else sent if offers else 0xDEAD)
            waits = offers and len(model) == 2
            accepts = offers and not waits
            if model and ready:
                received.append(model.popleft())
            if accepts:
                model.append(sent)
                sent += 1
            await ctx.tick()

    simulate_watched(dut, [dut.o], testbench)
    assert received == list(range(len(received)))
    if offered == taken == 1.0:
        assert len(received) == CYCLES - 1


def test_no_path_leads_from_one_side_to_the_other():
    dut = RegisterSlice(shape=8)

    async def testbench(ctx):
        ctx.set(dut.i.valid, 1)
        await ctx.tick().repeat(2)
        for value in (0, 1):
            ctx.set(dut.o.ready, value)
            ctx.set(dut.i.valid, value)
            assert not ctx.get(dut.i.ready)
            assert ctx.get(dut.o.valid)

    simulate_watched(dut, [], testbench)
