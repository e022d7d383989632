"""The deep queue: first in, first out, quick while it is shallow."""

import random

import pytest

from cbit.read.deep_queue import DeepQueue
from cbit_sim.streams import collect, send
from cbit_sim.watch import simulate_watched

KINDS = {"plain": {"bypass": False, "pipelined": False}, "bypass": {"bypass": True, "pipelined": False},
         "pipelined": {"bypass": False, "pipelined": True}}
DEPTH = 64


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (0.5, 0), (0.3, 0.4), (0.1, 0.3)],
                         ids=["full speed", "gaps", "stalls and gaps", "often full"])
def test_first_in_first_out(kind, gaps, stalls):
    dut = DeepQueue(shape=16, depth=DEPTH, **KINDS[kind])
    rng = random.Random(141)
    received = []
    deepest = 0

    async def testbench(ctx):
        nonlocal deepest
        sent = taken = waited = 0
        while taken < 1500:
            stalled = rng.random() < stalls or (taken % 300 == 200 and waited < 250)
            waited = waited + 1 if stalled else 0
            offers = sent < 1500 and sent - taken < DEPTH and rng.random() >= gaps
            ctx.set(dut.i.valid, offers)
            ctx.set(dut.i.payload, sent)
            ctx.set(dut.o.ready, not stalled)
            _, _, valid, ready, payload = await ctx.tick().sample(dut.o.valid, dut.o.ready, dut.o.payload)
            sent += offers
            deepest = max(deepest, sent - taken)
            if valid and ready:
                received.append(payload)
                taken += 1

    simulate_watched(dut, [dut.o], testbench)
    assert received == list(range(1500))
    assert deepest == DEPTH


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_every_cycle_without_delay(kind):
    dut = DeepQueue(shape=16, depth=DEPTH, **KINDS[kind])
    taken = []

    async def offer(ctx):
        await send(ctx, dut.i, range(200))

    async def take(ctx):
        taken.extend(await collect(ctx, dut.o, 200, pace=lambda: True))

    simulate_watched(dut, [dut.o], offer, take)
    latency = 0 if kind == "bypass" else 1
    assert taken == [(number + latency, number) for number in range(200)]


@pytest.mark.parametrize("kind", KINDS)
def test_entries_that_find_the_front_empty_while_others_are_deep(kind):
    """Entries at half the rate at which they leave: block RAM is never idle, and those before it are gone some time."""
    dut = DeepQueue(shape=16, depth=DEPTH, **KINDS[kind])
    received = []

    async def testbench(ctx):
        sent = 0
        for cycle in range(200):
            offers = cycle < 24 or cycle % 2
            ctx.set(dut.i.valid, offers)
            ctx.set(dut.i.payload, sent)
            ctx.set(dut.o.ready, cycle >= 24)
            sent += offers
            _, _, valid, payload = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            if valid and cycle >= 24:
                received.append(payload)

    simulate_watched(dut, [dut.o], testbench)
    assert len(received) > 100
    assert received == list(range(len(received)))


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_every_cycle_out_of_a_full_queue(kind):
    dut = DeepQueue(shape=16, depth=DEPTH, **KINDS[kind])

    async def testbench(ctx):
        for number in range(DEPTH):
            ctx.set(dut.i.valid, 1)
            ctx.set(dut.i.payload, number)
            await ctx.tick()
        ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(5)
        ctx.set(dut.o.ready, 1)
        for number in range(DEPTH):
            assert (ctx.get(dut.o.valid), ctx.get(dut.o.payload)) == (1, number)
            await ctx.tick()

    simulate_watched(dut, [dut.o], testbench)
