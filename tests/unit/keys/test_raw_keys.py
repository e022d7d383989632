"""Keys as they came: kept whole, handed out in order, and gone once erased."""

import random

import pytest

from cbit.keys.raw import RawKeys
from cbit_sim.streams import collect, simulate

ASID_COUNT = 5
SIZES = pytest.mark.parametrize("key_bits", [128, 256])


async def keep(ctx, dut, slot, words):
    ctx.set(dut.slot, slot)
    ctx.set(dut.words.valid, 1)
    for word in words:
        ctx.set(dut.words.payload, word)
        assert not ctx.get(dut.loaded)
        await ctx.tick()
    ctx.set(dut.words.valid, 0)
    assert ctx.get(dut.loaded)
    await ctx.tick()


async def erase(ctx, dut, slot):
    ctx.set(dut.slot, slot)
    ctx.set(dut.erase, 1)
    cycles = 1
    while not ctx.get(dut.erased):
        await ctx.tick()
        cycles += 1
    await ctx.tick()
    ctx.set(dut.erase, 0)
    return cycles


async def handed_out(ctx, dut, slot, pace=lambda: True):
    ctx.set(dut.read_slot, slot)
    ctx.set(dut.read, 1)
    await ctx.tick()
    ctx.set(dut.read, 0)
    assert ctx.get(dut.is_reading)
    taken = await collect(ctx, dut.o, dut.words_per_slot, pace=pace)
    ctx.set(dut.o.ready, 0)
    assert not ctx.get(dut.is_reading)
    return [(word.word, word.present) for _, word in taken]


@SIZES
@pytest.mark.parametrize("stalls", [0, 0.5])
def test_each_slot_has_its_words_and_none_once_erased(key_bits, stalls):
    dut = RawKeys(asid_count=ASID_COUNT, key_bits=key_bits)
    rng = random.Random(key_bits)
    words = [[rng.getrandbits(32) for _ in range(dut.words_per_slot)] for _ in range(ASID_COUNT)]

    async def testbench(ctx):
        for slot in (3, 0, 4, 1):
            await keep(ctx, dut, slot, words[slot])
        assert await erase(ctx, dut, 0) == dut.words_per_slot == key_bits // 16
        for slot in (0, 1, 2, 3, 4, 1):
            expected = [(word, 1) for word in words[slot]] if slot not in (0, 2) else [(0, 0)] * dut.words_per_slot
            assert await handed_out(ctx, dut, slot, lambda: rng.random() >= stalls) == expected
        await keep(ctx, dut, 0, words[2])
        assert await handed_out(ctx, dut, 0) == [(word, 1) for word in words[2]]

    simulate(dut, testbench)


@SIZES
def test_an_erase_leaves_nothing_at_the_port_that_reads(key_bits):
    dut = RawKeys(asid_count=ASID_COUNT, key_bits=key_bits)

    async def testbench(ctx):
        await keep(ctx, dut, 2, range(1, dut.words_per_slot + 1))
        await handed_out(ctx, dut, 2)
        assert ctx.get(dut.o.payload.word) == dut.words_per_slot
        await erase(ctx, dut, 2)
        await ctx.tick()
        assert (ctx.get(dut.o.payload.word), ctx.get(dut.o.payload.present)) == (0, 0)
        assert all(ctx.get(dut.memory.data[row].word) == 0 for row in range(ASID_COUNT * dut.words_per_slot))

    simulate(dut, testbench)
