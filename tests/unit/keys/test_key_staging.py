"""Staged keys: handed out once, in order, and overwritten; compared whatever the order of their words."""

import itertools
import random

import pytest

from cbit.keys.staging import KeyStaging
from cbit_sim.streams import simulate

KEY_BITS = pytest.mark.parametrize("key_bits", [128, 256])
JUDGE_CYCLES = 4


async def idle(ctx, dut):
    cycles = 0
    while ctx.get(dut.busy):
        await ctx.tick()
        cycles += 1
    return cycles


async def write(ctx, dut, words):
    """Writes words one a cycle: place in K1 and K2 together, and data."""
    ctx.set(dut.enable, 1)
    ctx.set(dut.word.valid, 1)
    for place, word in words:
        ctx.set(dut.word.tweak_key, place // dut.words_per_key)
        ctx.set(dut.word.index, place % dut.words_per_key)
        ctx.set(dut.word.data, word)
        await ctx.tick()
    ctx.set(dut.word.valid, 0)


def stored(ctx, dut):
    return [ctx.get(dut.words.data[place]) for place in range(2 * dut.words_per_key)]


@KEY_BITS
@pytest.mark.parametrize("in_block_ram", [False, True])
@pytest.mark.parametrize("stalls", [0, 0.6])
def test_words_are_handed_out_in_order_and_overwritten(key_bits, stalls, in_block_ram):
    dut = KeyStaging(key_bits=key_bits, in_block_ram=in_block_ram)
    rng = random.Random(3)
    words = [rng.getrandbits(32) for _ in range(key_bits // 16)]

    async def testbench(ctx):
        assert await idle(ctx, dut) == len(words)
        await write(ctx, dut, rng.sample(list(enumerate(words)), len(words)))
        await ctx.tick().repeat(JUDGE_CYCLES)
        assert (ctx.get(dut.complete), ctx.get(dut.equal)) == (1, 0)
        assert stored(ctx, dut) == words
        ctx.set(dut.unload, 1)
        await ctx.tick()
        ctx.set(dut.unload, 0)
        taken = []
        while len(taken) < len(words):
            assert not ctx.get(dut.word.ready)
            ctx.set(dut.o.ready, rng.random() >= stalls)
            *_, valid, ready, word = await ctx.tick().sample(dut.o.valid, dut.o.ready, dut.o.payload)
            if valid and ready:
                taken.append(word)
        assert taken == words
        assert stored(ctx, dut) == [0] * len(words)
        assert not ctx.get(dut.o.valid)
        assert not ctx.get(dut.busy)
        assert not ctx.get(dut.complete)

    simulate(dut, testbench)


@KEY_BITS
def test_erase_overwrites_every_word(key_bits):
    dut = KeyStaging(key_bits=key_bits)
    count = key_bits // 16

    async def testbench(ctx):
        await idle(ctx, dut)
        await write(ctx, dut, [(place, place + 1) for place in range(count - 1)])
        ctx.set(dut.erase, 1)
        ctx.set(dut.unload, 1)
        await write(ctx, dut, [(count - 1, count)])
        ctx.set(dut.erase, 0)
        ctx.set(dut.unload, 0)
        assert await idle(ctx, dut) == count
        assert stored(ctx, dut) == [0] * count
        await ctx.tick().repeat(JUDGE_CYCLES)
        assert not ctx.get(dut.complete)

    simulate(dut, testbench)


@pytest.mark.parametrize("difference", [None, 0, 31, 64, 127])
def test_keys_are_compared_whatever_the_order_of_their_words(difference):
    """The last word of all makes them equal, or different in one bit."""
    dut = KeyStaging(key_bits=128)
    rng = random.Random(4)

    async def testbench(ctx):
        await idle(ctx, dut)
        for round_ in range(30):
            key = rng.getrandbits(128)
            other = key if difference is None else key ^ 1 << difference
            words = [key >> 32 * place & 0xffff_ffff for place in range(4)]
            words += [other >> 32 * place & 0xffff_ffff for place in range(4)]
            wrong = [(place, rng.getrandbits(32)) for place in range(8)]
            order = rng.sample(list(enumerate(words)), 8)
            if round_ % 2:
                order = list(itertools.chain(*((pair, pair_of) for pair, pair_of in zip(
                    list(enumerate(words))[:4], list(enumerate(words))[4:]))))
            await write(ctx, dut, rng.sample(wrong, 4) + order)
            await ctx.tick().repeat(JUDGE_CYCLES)
            assert (ctx.get(dut.complete), ctx.get(dut.equal)) == (1, difference is None)

    simulate(dut, testbench)


@KEY_BITS
@pytest.mark.parametrize("starts", ["erase", "unload"])
def test_no_word_is_taken_while_words_are_overwritten(key_bits, starts):
    """Nor in the cycle in which that begins, although `enable` is high."""
    dut = KeyStaging(key_bits=key_bits)
    words = list(range(1, key_bits // 16 + 1))

    async def testbench(ctx):
        await idle(ctx, dut)
        await write(ctx, dut, enumerate(words))
        await ctx.tick().repeat(JUDGE_CYCLES)
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.word.valid, 1)
        ctx.set(dut.word.data, 0x55)
        ctx.set(getattr(dut, starts), 1)
        handed_out = []
        for cycle in range(1 + len(words)):
            ctx.set(dut.word.tweak_key, cycle // dut.words_per_key % 2)
            ctx.set(dut.word.index, cycle % dut.words_per_key)
            if ctx.get(dut.o.valid):
                handed_out.append(ctx.get(dut.o.payload))
            await ctx.tick()
            ctx.set(getattr(dut, starts), 0)
        ctx.set(dut.word.valid, 0)
        assert handed_out == (words if starts == "unload" else [])
        await ctx.tick().repeat(JUDGE_CYCLES)
        assert stored(ctx, dut) == [0] * len(words)
        assert not ctx.get(dut.complete)

    simulate(dut, testbench)
