# amaranth: UnusedElaboratable=no
"""The store with one port: each move, byte for byte, and whose turn it is."""

import random

import pytest
from amaranth.hdl import Const

from cbit.axi.ports import Response
from cbit.serial.narrow_store import Move, NarrowStore, beat_place
from cbit.serial.ports import MERGE_PLACE
from cbit_sim.streams import simulate

WRITE_CYCLES, READ_CYCLES, COPY_CYCLES = 5, 6, 9
ONES = (1 << 128) - 1


def put(ctx, dut, place, block):
    for word in range(4):
        ctx.set(dut.ram.memory.data[4 * place + word], block >> 32 * word & 0xFFFF_FFFF)


def get(ctx, dut, place):
    return sum(ctx.get(dut.ram.memory.data[4 * place + word]) << 32 * word for word in range(4))


async def move(ctx, dut, kind, place):
    """Does it, and returns in how many cycles."""
    ctx.set(dut.places[kind.value], place)
    ctx.set(dut.wants[kind.value], 1)
    cycles = 1
    while not ctx.get(dut.heard[kind.value]):
        await ctx.tick()
        cycles += 1
    await ctx.tick()
    ctx.set(dut.wants[kind.value], 0)
    return cycles


def masked(strobes):
    return sum(0xFF << 8 * byte for byte in range(16) if strobes >> byte & 1)


def test_beats_are_written_and_read():
    rng = random.Random(1)
    dut = NarrowStore()
    tail = beat_place(Const(0x55, 8))

    async def testbench(ctx):
        blocks = [rng.getrandbits(128) for _ in range(4)]
        place = ctx.get(tail)
        ctx.set(dut.arrival, blocks[0])
        ctx.set(dut.arrival_resp, Response.DECERR)
        assert await move(ctx, dut, Move.ARRIVE, 0x155) == WRITE_CYCLES
        ctx.set(dut.beat, blocks[1])
        assert await move(ctx, dut, Move.BEAT, place) == WRITE_CYCLES
        assert (get(ctx, dut, 0x155), get(ctx, dut, place)) == (blocks[0], blocks[1])
        assert await move(ctx, dut, Move.DELIVER, 0x155) == READ_CYCLES
        assert (ctx.get(dut.delivered), ctx.get(dut.resp)) == (blocks[0], Response.DECERR)
        assert await move(ctx, dut, Move.SEND, place) == READ_CYCLES
        assert (ctx.get(dut.sent), ctx.get(dut.delivered)) == (blocks[1], blocks[0])
        ctx.set(dut.ones, 1)
        await move(ctx, dut, Move.DELIVER, 0x155)
        assert (ctx.get(dut.sent), ctx.get(dut.delivered)) == (blocks[1], ONES)

    simulate(dut, testbench)


@pytest.mark.parametrize("kind", [Move.GATHER, Move.MERGE])
def test_a_copy_takes_its_bytes_and_no_neighbor(kind):
    rng = random.Random(2)
    dut = NarrowStore()
    target = 0x304

    async def testbench(ctx):
        for _ in range(10):
            before, source, mask = rng.getrandbits(128), rng.getrandbits(128), rng.getrandbits(16)
            neighbors = [rng.getrandbits(128) for _ in range(2)]
            place = MERGE_PLACE if kind is Move.MERGE else 0x4A1
            for where, block in ((target - 1, neighbors[0]), (target, before), (target + 1, neighbors[1]),
                                 (place, source)):
                put(ctx, dut, where, block)
            ctx.set(dut.copy_place, target)
            ctx.set(dut.strobes, mask if kind is Move.GATHER else ~mask)
            ctx.set(dut.brought, ~mask if kind is Move.MERGE else mask)
            assert await move(ctx, dut, kind, place) == COPY_CYCLES
            taken = masked(mask)
            assert get(ctx, dut, target) == source & taken | before & ~taken
            assert [get(ctx, dut, target - 1), get(ctx, dut, target + 1)] == neighbors
            assert get(ctx, dut, place) == source

    simulate(dut, testbench)


@pytest.mark.parametrize("hide", [0, 1])
def test_a_result_is_stored_word_by_word_or_as_ones(hide):
    rng = random.Random(3)
    dut = NarrowStore()
    block = rng.getrandbits(128)

    async def testbench(ctx):
        ctx.set(dut.hide, hide)
        ctx.set(dut.result_resp, Response.SLVERR if hide else Response.OKAY)
        ctx.set(dut.places[Move.RESULT.value], 0x123)
        ctx.set(dut.wants[Move.RESULT.value], 1)
        taken = 0
        while not ctx.get(dut.heard[Move.RESULT.value]):
            column = ctx.get(dut.column)
            await ctx.tick()
            ctx.set(dut.result, block >> 32 * column & 0xFFFF_FFFF)
            taken += ctx.get(dut.takes_result)
        await ctx.tick()
        ctx.set(dut.wants[Move.RESULT.value], 0)
        assert taken == 4
        assert get(ctx, dut, 0x123) == (ONES if hide else block)
        await move(ctx, dut, Move.FEED, 0x123)
        assert ctx.get(dut.resp) == (Response.SLVERR if hide else Response.OKAY)

    simulate(dut, testbench)


def test_what_is_fed_comes_in_order():
    rng = random.Random(4)
    dut = NarrowStore()
    block = rng.getrandbits(128)

    async def testbench(ctx):
        put(ctx, dut, 0x2F0, block)
        ctx.set(dut.places[Move.FEED.value], 0x2F0)
        ctx.set(dut.wants[Move.FEED.value], 1)
        found = {}
        while not ctx.get(dut.heard[Move.FEED.value]):
            feeds, column = ctx.get(dut.feeds), ctx.get(dut.column)
            await ctx.tick()
            if feeds:
                found[column] = ctx.get(dut.word)
        assert [*found.items()] == [(word, block >> 32 * word & 0xFFFF_FFFF) for word in range(4)]

    simulate(dut, testbench)


def test_nobody_is_heard_twice_before_all_others_that_want_to_be():
    dut = NarrowStore()

    async def testbench(ctx):
        ctx.set(dut.wants, (1 << len(Move)) - 1)
        heard = []
        while len(heard) < 3 * len(Move):
            heard += [kind for kind in range(len(Move)) if ctx.get(dut.heard[kind])]
            await ctx.tick()
        assert all(sorted(heard[at:at + len(Move)]) == [*range(len(Move))] for at in range(0, len(heard), len(Move)))

    simulate(dut, testbench)
