"""The lists of bursts, against a queue for each ID."""

import random
from collections import deque

import pytest

from cbit.read.free_list import FreeList
from cbit.read.lists import BurstLists
from cbit_sim.streams import simulate

BURSTS = 6


@pytest.mark.parametrize("pipelined", [False, True], ids=["direct", "pipelined"])
@pytest.mark.parametrize("ids", [1, 4], ids=["one ID", "some IDs"])
def test_each_beat_finds_its_burst(pipelined, ids):
    seed = 101
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = BurstLists(id_width=2, bursts=BURSTS, shape=8, beats=4, pipelined=pipelined)
    lists = [deque() for _ in range(4)]
    expected = deque([None] * dut.latency_cycles)
    deepest = bursts = unasked = 0
    given = deque([(0, 0)] * pipelined)

    async def testbench(ctx):
        nonlocal deepest, bursts, unasked
        for cycle in range(4000):
            appends = ctx.get(dut.is_ready) and rng.random() < 0.6
            identity, number = rng.randrange(ids), cycle % 256
            ctx.set(dut.append, appends)
            given.append((identity, number))
            append_id, append_burst = given.popleft()
            ctx.set(dut.append_id, append_id)
            ctx.set(dut.append_burst, append_burst)

            comes, answered = rng.random() < 0.8, rng.randrange(ids)
            ripe = lists[answered] and lists[answered][0][3] < cycle - 1
            comes &= bool(ripe) or not lists[answered]
            ctx.set(dut.beat.valid, comes)
            ctx.set(dut.beat.id, answered)
            if comes and ripe:
                head = lists[answered][0]
                is_last = head[1] == head[2]
                expected.append((head[0], head[2] % 4))
                head[2] += 1
                ctx.set(dut.beat.last, is_last)
                if is_last:
                    lists[answered].popleft()
            else:
                unasked += comes
                expected.append(None)
                ctx.set(dut.beat.last, rng.randrange(2))
            want = expected.popleft()
            found = ctx.get(dut.found)
            assert found.hit == (want is not None)
            if want is not None:
                assert (found.burst, found.number) == want
            if appends:
                lists[identity].append([number, rng.choice([0, 0, 1, 3, 6]), 0, cycle])
                bursts += 1
            deepest = max(deepest, sum(map(len, lists)))
            await ctx.tick()

    simulate(dut, testbench)
    assert deepest == BURSTS
    assert bursts > 500
    assert unasked > 5


@pytest.mark.parametrize("pipelined", [False, True], ids=["direct", "pipelined"])
def test_a_burst_of_one_id_and_one_beat_every_cycle(pipelined):
    dut = BurstLists(id_width=2, bursts=12, shape=8, beats=4, pipelined=pipelined)

    async def testbench(ctx):
        while not ctx.get(dut.is_ready):
            await ctx.tick()
        ctx.set(dut.append_id, 2)
        ctx.set(dut.beat, {"id": 2, "last": 1})
        for cycle in range(60):
            assert ctx.get(dut.is_ready)
            ctx.set(dut.append, 1)
            ctx.set(dut.append_burst, max(cycle - pipelined, 0))
            ctx.set(dut.beat.valid, cycle >= 2)
            if cycle >= 2 + dut.latency_cycles:
                assert ctx.get(dut.found.hit)
                assert ctx.get(dut.found.burst) == cycle - 2 - dut.latency_cycles
            await ctx.tick()

    simulate(dut, testbench)


@pytest.mark.parametrize("pipelined", [False, True], ids=["direct", "pipelined"])
def test_free_numbers_come_in_turn_each_to_one_user(pipelined):
    dut = FreeList(first=3, count=5, pipelined=pipelined)
    rng = random.Random(102)

    async def testbench(ctx):
        held, seen, follows = [], [], 0
        for _ in range(400):
            assert not pipelined or ctx.get(dut.o.valid) == follows
            takes = rng.random() < 0.6
            gives = bool(held) and rng.random() < 0.4
            ctx.set(dut.o.ready, takes)
            ctx.set(dut.i.valid, gives)
            if gives:
                ctx.set(dut.i.payload, held.pop(rng.randrange(len(held))))
            if takes and ctx.get(dut.o.valid):
                seen.append(ctx.get(dut.o.payload))
                assert seen[-1] not in held
                held.append(seen[-1])
            follows = ctx.get(dut.follows)
            await ctx.tick()
        assert seen[:5] == [3, 4, 5, 6, 7]
        assert len(seen) > 80

    simulate(dut, testbench)
