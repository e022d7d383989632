# amaranth: UnusedElaboratable=no

import random

import pytest

from cbit.stream.arbiter import PatientArbiter
from cbit_sim.streams import simulate


async def step(ctx, dut, requests, *, taken=True):
    """One cycle; the choice, or None."""
    ctx.set(dut.requests, requests)
    ctx.set(dut.taken, taken)
    choice = ctx.get(dut.choice) if ctx.get(dut.valid) else None
    await ctx.tick()
    return choice


def choices(dut, *cycles):
    """What is chosen in each cycle: its requests, and whether the choice is taken."""
    chosen = []

    async def testbench(ctx):
        for requests, taken in cycles:
            chosen.append(await step(ctx, dut, requests, taken=taken))

    simulate(dut, testbench)
    return chosen


def test_favorite_goes_first_and_others_in_turn():
    dut = PatientArbiter(count=4, patience=100)
    assert choices(dut, (0b0000, 0), (0b1110, 1), (0b1111, 1), (0b1100, 1), (0b1010, 1), (0b0110, 1), (0b0110, 1)) == [
        None, 1, 0, 2, 3, 1, 2]


@pytest.mark.parametrize("patience", [1, 2, 5])
def test_favorite_passes_no_more_often_than_patience_says(patience):
    dut = PatientArbiter(count=3, patience=patience)
    chosen = choices(dut, *[(0b111, 1)] * (4 * (patience + 1)))
    assert chosen == ([0] * patience + [1] + [0] * patience + [2]) * 2


def test_patience_counts_only_passes():
    dut = PatientArbiter(count=2, patience=2)
    assert choices(dut, *[(0b01, 1)] * 5, *[(0b11, 1)] * 4) == [0] * 5 + [0, 0, 1, 0]
    dut = PatientArbiter(count=2, patience=2)
    assert choices(dut, *[(0b11, 0)] * 5, *[(0b11, 1)] * 4) == [0] * 5 + [0, 0, 1, 0]


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_choice_stays_until_it_is_taken(first):
    dut = PatientArbiter(count=3, patience=1)
    assert choices(dut, (1 << first, 0), (0b111, 0), (0b111, 0), (0b111, 1))[:4] == [first] * 4


def test_a_choice_that_nobody_sees_may_change_and_be_withdrawn():
    dut = PatientArbiter(count=3, patience=1)

    async def testbench(ctx):
        ctx.set(dut.keep, 0)
        assert [await step(ctx, dut, requests, taken=False) for requests in (0b010, 0b001, 0b100, 0b000)] == [
            1, 0, 2, None]
        ctx.set(dut.keep, 1)
        assert [await step(ctx, dut, requests, taken=False) for requests in (0b010, 0b011)] == [1, 1]

    simulate(dut, testbench)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_nobody_waits_for_ever(count):
    patience = 3
    dut = PatientArbiter(count=count, patience=patience)
    seed = count
    print(f"seed {seed}")
    rng = random.Random(seed)
    longest = [0] * count

    async def testbench(ctx):
        requests = 0
        passed_by = [0] * count
        shown = None
        for _ in range(2000):
            requests |= sum(1 << index for index in range(count) if rng.random() < 0.6)
            taken = rng.random() < 0.7
            choice = await step(ctx, dut, requests, taken=taken)
            assert (choice is None) == (requests == 0)
            if choice is None:
                continue
            assert requests >> choice & 1
            assert shown in (None, choice)
            shown = None if taken else choice
            if taken:
                requests &= ~(1 << choice)
                for index in range(count):
                    passed_by[index] = 0 if index == choice else passed_by[index] + (requests >> index & 1)
                    longest[index] = max(longest[index], passed_by[index])

    simulate(dut, testbench)
    assert longest[0] <= 2
    assert max(longest[1:]) <= (patience + 1) * (count - 1)


@pytest.mark.parametrize("count", [1, 0])
def test_refuses_too_few_requests(count):
    with pytest.raises(ValueError, match=rf"^Count must be at least 2, not {count}$"):
        PatientArbiter(count=count, patience=1)


def test_refuses_no_patience():
    with pytest.raises(ValueError, match=r"^Patience must be at least 1, not 0$"):
        PatientArbiter(count=2, patience=0)
