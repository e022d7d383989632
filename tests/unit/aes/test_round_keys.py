"""The round keys of one AddRoundKey, in each kind of memory."""

import itertools
import random

import pytest

from cbit.aes.cipher import Direction
from cbit.aes.round_keys import RoundKeys
from cbit_sim.streams import simulate

ROUNDS = 10
SLOTS = 5
STEPS = {"all": tuple(range(1, 11)), "odd": (1, 3, 5, 7, 9), "even": (2, 4, 6, 8, 10), "one": (4,)}


def make(direction, steps, read_cycles):
    return RoundKeys(direction=direction, slots=SLOTS, rounds=ROUNDS, steps=steps, read_cycles=read_cycles)


def offer(ctx, dut, valid, slot, forward, inverse):
    ctx.set(dut.write.valid, valid)
    ctx.set(dut.write.slot, slot)
    ctx.set(dut.write.forward, forward)
    ctx.set(dut.write.inverse, inverse)


async def write(ctx, dut, slot, number, forward, inverse, pause=0):
    """Writes a round key, then leaves behind what is no key."""
    offer(ctx, dut, 1 << number, slot, forward, inverse)
    for _ in range(dut.write_every_cycles + pause):
        await ctx.tick()
        offer(ctx, dut, 0, SLOTS - 1 - slot, ~forward & (1 << 128) - 1, 0)


async def read_all(ctx, dut):
    """What each slot, step and direction gives, read one a cycle."""
    places = list(itertools.product(range(SLOTS), range(len(dut.steps)), (0, 1)))
    words = []
    for place in [*places, *places[:dut.read_cycles]]:
        ctx.set(dut.slot, place[0])
        ctx.set(dut.turn, place[1])
        ctx.set(dut.decrypt, place[2])
        _, _, word = await ctx.tick().sample(dut.data)
        words.append(word)
    return dict(zip(places, words[dut.read_cycles:]))


def expected(dut, forward, inverse):
    """What :func:`read_all` is to give, from the last keys written to each slot and of each number."""
    words = {}
    for slot, (turn, step), decrypt in itertools.product(range(SLOTS), enumerate(dut.steps), (0, 1)):
        inverts = dut.direction is Direction.DECRYPT or (dut.direction is Direction.BOTH and decrypt)
        words[slot, turn, decrypt] = inverse[slot, ROUNDS - step] if inverts else forward[slot, step]
    return words


@pytest.mark.parametrize("read_cycles", [0, 1, 2])
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("direction", Direction)
def test_each_step_of_each_slot_has_its_key_in_whatever_order_they_came(direction, steps, read_cycles):
    seed = read_cycles
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = make(direction, steps, read_cycles)
    assert dut.write_every_cycles == (2 if direction is Direction.BOTH and read_cycles == 2 else 1)
    forward, inverse = {}, {}

    async def bench(ctx):
        for _ in range(2):
            order = list(itertools.product(range(SLOTS), range(ROUNDS + 1)))
            rng.shuffle(order)
            for place in order:
                forward[place], inverse[place] = rng.getrandbits(128), rng.getrandbits(128)
                await write(ctx, dut, *place, forward[place], inverse[place], pause=rng.choice([0, 0, 2]))
        assert await read_all(ctx, dut) == expected(dut, forward, inverse)

    simulate(dut, bench)


@pytest.mark.parametrize("read_cycles", [1, 2])
@pytest.mark.parametrize("direction", Direction)
def test_erasing_a_slot_overwrites_it_and_no_other(direction, read_cycles):
    dut = make(direction, STEPS["all"], read_cycles)
    places = list(itertools.product(range(SLOTS), range(ROUNDS + 1)))
    forward = {place: 2 * number + 1 for number, place in enumerate(places)}
    inverse = {place: key << 64 for place, key in forward.items()}

    async def bench(ctx):
        for place in places:
            await write(ctx, dut, *place, forward[place], inverse[place])
        for number in range(ROUNDS + 1):
            forward[3, number] = inverse[3, number] = 0
            await write(ctx, dut, 3, number, 0, 0)
        words = await read_all(ctx, dut)
        assert words == expected(dut, forward, inverse)
        assert {word == 0 for place, word in words.items() if place[0] == 3} == {True}
        assert 0 not in {word for place, word in words.items() if place[0] != 3}

    simulate(dut, bench)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("read_cycles", [0, 1, 2])
def test_a_key_is_read_as_soon_as_promised_beside_reads_of_others(direction, read_cycles):
    dut = make(direction, STEPS["odd"], read_cycles)
    decrypt = int(direction is Direction.BOTH)
    number = 1 if direction is Direction.ENCRYPT else ROUNDS - 1
    word = 5 if direction is Direction.ENCRYPT else 6

    async def bench(ctx):
        ctx.set(dut.decrypt, decrypt)
        ctx.set(dut.slot, 2)
        await write(ctx, dut, 1, number, 5, 6)
        ctx.set(dut.slot, 1)
        for _ in range(1 + read_cycles):
            _, _, data = await ctx.tick().sample(dut.data)
        assert data == word

    simulate(dut, bench)
