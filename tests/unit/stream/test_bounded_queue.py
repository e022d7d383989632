# amaranth: UnusedElaboratable=no

"""A bounded queue never takes too much, and a tally and a RAM queue are what their contracts say."""

import random
from collections import deque

import pytest
from amaranth.sim import Simulator

from cbit.stream.bounded_queue import BoundedQueue
from cbit.stream.ram_queue import RamQueue
from cbit.stream.tally import Tally


def run(dut, testbench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("bypass", [False, True])
@pytest.mark.parametrize(("depth", "spare"), [(2, 0), (2, 1), (5, 2), (16, 0)])
def test_nothing_is_lost_and_ready_leaves_what_is_spare(depth, spare, bypass):
    dut = BoundedQueue(shape=16, depth=depth, bypass=bypass, spare=spare)
    seed = depth
    print(f"seed {seed}")
    rng = random.Random(seed)

    async def testbench(ctx):
        model, number = deque(), 0
        for _ in range(500):
            assert ctx.get(dut.i.ready) == (len(model) + spare < depth)
            offers, takes = rng.random() < 0.6, rng.random() < 0.5
            ctx.set(dut.i.valid, offers)
            ctx.set(dut.i.payload, number)
            if not ctx.get(dut.i.ready):
                offers = offers and spare > 0 and len(model) < depth
                ctx.set(dut.i.valid, offers)
            ctx.set(dut.o.ready, takes)
            if offers:
                model.append(number)
                number += 1
            shown = [value for value in model if bypass or not offers or value != number - 1]
            assert ctx.get(dut.o.valid) == bool(shown)
            if shown:
                assert ctx.get(dut.o.payload) == shown[0]
            if shown and takes:
                model.popleft()
            await ctx.tick()

    run(dut, testbench)


@pytest.mark.parametrize(("limit", "spare"), [(1, 0), (4, 0), (4, 3), (9, 2)])
def test_a_tally_follows_a_number(limit, spare):
    dut = Tally(limit=limit, spare=spare)
    seed = limit
    print(f"seed {seed}")
    rng = random.Random(seed)

    async def testbench(ctx):
        count = 0
        for _ in range(500):
            assert ctx.get(dut.some) == (count > 0)
            assert ctx.get(dut.has_room) == (count + spare < limit)
            comes, goes = count < limit and rng.random() < 0.6, count > 0 and rng.random() < 0.5
            ctx.set(dut.comes, comes)
            ctx.set(dut.goes, goes)
            count += comes - goes
            await ctx.tick()

    run(dut, testbench)


def test_a_ram_queue_shows_what_is_taken_two_steps_later():
    dut = RamQueue(shape=16, depth=8)
    seed = 3
    print(f"seed {seed}")
    rng = random.Random(seed)

    async def testbench(ctx):
        model, number, way = deque(), 0, [None, None]
        for _ in range(500):
            if way[1] is not None:
                assert ctx.get(dut.o) == way[1]
            takes, advances = bool(model) and rng.random() < 0.7, rng.random() < 0.7
            writes = len(model) < 8 and rng.random() < 0.7
            ctx.set(dut.take, takes)
            ctx.set(dut.advance, advances)
            ctx.set(dut.i.valid, writes)
            ctx.set(dut.i.payload, number)
            if advances:
                way = [model.popleft() if takes else None, way[0]]
            if writes:
                model.append(number)
                number += 1
            await ctx.tick()

    run(dut, testbench)


def test_bad_arguments_are_refused():
    for spare in (-1, 4):
        with pytest.raises(ValueError, match="Spare must be from 0 to 3"):
            Tally(limit=4, spare=spare)
    for depth in (1, 12):
        with pytest.raises(ValueError, match="Depth must be a power of two"):
            RamQueue(shape=8, depth=depth)
