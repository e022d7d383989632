"""The gate: entries leave in order, once a count has come far enough."""

import random

import pytest

from cbit.read.gate import Gate
from cbit.read.order import has_reached
from cbit_sim.streams import collect, send, simulate
from cbit_sim.watch import simulate_watched


def gate(*, pipelined):
    return Gate(shape=16, state=11, pipelined=pipelined,
                may_leave=lambda payload, count: has_reached(count, payload[:11]))


@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (0.6, 0), (0, 0.6), (0.5, 0.5)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_every_entry_leaves_once_it_may(gaps, stalls):
    dut = gate(pipelined=True)
    seed = 171
    print(f"seed {seed}")
    rng = random.Random(seed)
    count = 0
    left, coming = [], None

    async def offer(ctx):
        await send(ctx, dut.i, range(300), pace=lambda: rng.random() >= gaps)

    async def take(ctx):
        nonlocal count, coming
        while len(left) < 300:
            ctx.set(dut.state, count)
            ctx.set(dut.o.ready, rng.random() >= stalls)
            _, _, valid, ready, payload, following = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload, dut.coming)
            if valid:
                assert payload == coming <= count
            coming = following
            if valid and ready:
                left.append(payload)
            count += rng.random() < 0.7

    simulate_watched(dut, [dut.o], offer, take)
    assert left == list(range(300))


def test_an_entry_every_cycle_while_all_may_leave():
    dut = gate(pipelined=True)
    taken = []

    async def offer(ctx):
        ctx.set(dut.state, 100)
        await send(ctx, dut.i, range(100))

    async def take(ctx):
        taken.extend(await collect(ctx, dut.o, 100, pace=lambda: True))

    simulate_watched(dut, [dut.o], offer, take)
    assert taken == [(number + 1, number) for number in range(100)]


def test_a_change_of_the_state_shows_a_cycle_later():
    dut = gate(pipelined=True)

    async def testbench(ctx):
        ctx.set(dut.i.payload, 5)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.state, 4)
        await ctx.tick()
        ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(3)
        assert not ctx.get(dut.o.valid)
        ctx.set(dut.state, 5)
        assert not ctx.get(dut.o.valid)
        await ctx.tick()
        assert ctx.get(dut.o.valid)

    simulate_watched(dut, [dut.o], testbench)


def test_a_gate_without_registers_is_open_or_closed():
    dut = gate(pipelined=False)

    async def testbench(ctx):
        ctx.set(dut.state, 5)
        for payload, valid, ready in ((5, 1, 1), (6, 1, 1), (5, 1, 0), (5, 0, 1)):
            ctx.set(dut.i.payload, payload)
            ctx.set(dut.i.valid, valid)
            ctx.set(dut.o.ready, ready)
            assert ctx.get(dut.o.valid) == (valid and payload <= 5)
            assert ctx.get(dut.i.ready) == (ready and payload <= 5)
            assert ctx.get(dut.o.payload) == payload

    simulate(dut, testbench)
