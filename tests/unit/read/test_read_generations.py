"""Generations of what is in flight, and what is known of one slot from them."""

import random

from cbit.read.drain import ReadDrain
from cbit.read.generations import Generations
from cbit_sim.streams import simulate


def test_two_turns_mean_that_all_from_before_has_ended():
    dut = Generations(most=20)
    rng = random.Random(111)
    seed_turns = []

    async def testbench(ctx):
        in_flight, moments = [], []
        for cycle in range(2000):
            begins = len(in_flight) < 20 and rng.random() < 0.5
            ends = bool(in_flight) and rng.random() < 0.45
            ctx.set(dut.begin, begins)
            ctx.set(dut.end, ends)
            if ends:
                _, generation = in_flight.pop(rng.randrange(min(3, len(in_flight))))
                ctx.set(dut.ended, generation)
            if ctx.get(dut.turns):
                seed_turns.append(cycle)
                for moment in moments:
                    moment[1] += 1
            for began, turns in moments:
                assert turns < 2 or all(start >= began for start, _ in in_flight)
            moments = [moment for moment in moments if moment[1] < 2] + [[cycle, 0]]
            if begins:
                in_flight.append((cycle, ctx.get(dut.current)))
            await ctx.tick()

    simulate(dut, testbench)
    assert len(seed_turns) > 50


def test_turns_in_every_cycle_while_nothing_is_in_flight():
    dut = Generations(most=4)

    async def testbench(ctx):
        for _ in range(4):
            assert ctx.get(dut.turns)
            await ctx.tick()

    simulate(dut, testbench)


def test_a_slot_is_busy_while_a_burst_of_it_is_in_flight_and_falls_under_load_of_others():
    dut = ReadDrain(slot_width=2, entries=8)
    rng = random.Random(112)
    fallen = 0

    async def testbench(ctx):
        nonlocal fallen
        ctx.set(dut.drain_slot, 1)
        in_flight = []
        for cycle in range(3000):
            is_quiet = cycle % 300 > 200
            begins = len(in_flight) < 8 and rng.random() < 0.6
            slot = rng.choice([0, 2, 3]) if is_quiet else rng.randrange(4)
            ctx.set(dut.begin, begins)
            ctx.set(dut.begin_slot, slot)
            ends = bool(in_flight) and rng.random() < 0.6
            ctx.set(dut.end, ends)
            if ends:
                _, generation = in_flight.pop(0)
                ctx.set(dut.ended, generation)
            if any(other == 1 for other, _ in in_flight):
                assert ctx.get(dut.drain_busy)
            if cycle % 300 == 299:
                assert not ctx.get(dut.drain_busy)
                fallen += bool(in_flight)
            if begins:
                in_flight.append((slot, ctx.get(dut.generation)))
            await ctx.tick()

    simulate(dut, testbench)
    assert fallen > 4


def test_another_slot_is_taken_for_busy_until_all_in_flight_has_ended():
    dut = ReadDrain(slot_width=2, entries=8)

    async def testbench(ctx):
        ctx.set(dut.begin_slot, 3)
        ctx.set(dut.begin, 1)
        generation = ctx.get(dut.generation)
        await ctx.tick()
        ctx.set(dut.begin, 0)
        await ctx.tick().repeat(3)
        assert not ctx.get(dut.drain_busy)
        ctx.set(dut.drain_slot, 3)
        await ctx.tick()
        for _ in range(20):
            assert ctx.get(dut.drain_busy)
            await ctx.tick()
        ctx.set(dut.end, 1)
        ctx.set(dut.ended, generation)
        await ctx.tick()
        ctx.set(dut.end, 0)
        await ctx.tick().repeat(4)
        assert not ctx.get(dut.drain_busy)

    simulate(dut, testbench)
