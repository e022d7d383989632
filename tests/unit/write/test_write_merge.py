"""Lines pass the reads for their partial blocks in order, and no read goes too early."""

import pytest

from cbit.write.merge import WriteMerge
from cbit_sim.watch import simulate_watched

ENTRIES = 4
NEAR = 32
PATIENCE_CYCLES = 8


PIPELINED = pytest.mark.parametrize("pipelined", [False, True], ids=["short", "pipelined"])


def merge(*, pipelined):
    return WriteMerge(entries=ENTRIES, data_width=128, c_bit=34, id_width=4, slot_width=2, pipelined=pipelined)


def offer(ctx, dut, *, partial, settled=None, plains=0, line=0x55):
    ctx.set(dut.record.payload, {"written": 0b1111, "partial": partial, "waits": settled is not None,
                                 "settled": settled or 0, "is_held": 0})
    ctx.set(dut.line.payload, {"line": line, "slot": 2, "id": 5, "plains": plains})
    ctx.set(dut.record.valid, 1)
    ctx.set(dut.line.valid, 1)


async def step(ctx, dut):
    """One cycle; returns the read that is taken, or nothing. What is taken of a line is no longer offered."""
    _, _, taken, request, passes, line_goes = await ctx.tick().sample(
        dut.request.valid & dut.request.ready, dut.request.payload, dut.ready_line.valid, dut.line.ready)
    if passes:
        ctx.set(dut.record.valid, 0)
    if line_goes:
        ctx.set(dut.line.valid, 0)
    return request if taken else None


async def is_read_soon(ctx, dut):
    for _ in range(PATIENCE_CYCLES):
        if ctx.get(dut.request.valid):
            return True
        await step(ctx, dut)
    return False


async def read_all(ctx, dut):
    """Takes the reads of a line, and returns beat and place of each."""
    reads = []
    ctx.set(dut.request.ready, 1)
    while ctx.get(dut.line.valid) or ctx.get(dut.request.valid):
        if (request := await step(ctx, dut)) is not None:
            reads.append((request.beat, request.place))
    ctx.set(dut.request.ready, 0)
    return reads


@PIPELINED
def test_a_read_waits_until_the_line_it_meets_is_settled_whatever_its_number(pipelined):
    dut = merge(pipelined=pipelined)

    async def testbench(ctx):
        for number in range(NEAR):
            for place in range(4):
                ctx.set(dut.settled, number - place & NEAR - 1)
                offer(ctx, dut, partial=1, settled=number)
                assert not await is_read_soon(ctx, dut)
            for place in range(1, 3):
                ctx.set(dut.settled, number + place & NEAR - 1)
            assert await is_read_soon(ctx, dut)
            assert len(await read_all(ctx, dut)) == 1
            ctx.set(dut.take, 1)
            await ctx.tick()
            ctx.set(dut.take, 0)

    simulate_watched(dut, [dut.request], testbench)


@PIPELINED
def test_a_read_waits_for_plain_writes_before_it_and_to_its_page(pipelined):
    dut = merge(pipelined=pipelined)

    async def testbench(ctx):
        for number in range(NEAR):
            ctx.set(dut.plains_sent, number - 1 & NEAR - 1)
            offer(ctx, dut, partial=1, plains=number)
            assert not await is_read_soon(ctx, dut)
            ctx.set(dut.page_is_busy, 1)
            ctx.set(dut.plains_sent, number)
            assert not await is_read_soon(ctx, dut)
            ctx.set(dut.page_is_busy, 0)
            assert await is_read_soon(ctx, dut)
            await read_all(ctx, dut)
            ctx.set(dut.take, 1)
            await ctx.tick()
            ctx.set(dut.take, 0)

    simulate_watched(dut, [dut.request], testbench)


@pytest.mark.parametrize("partial", range(16))
@PIPELINED
def test_each_partial_block_is_read_once_and_what_comes_waits_in_order(partial, pipelined):
    dut = merge(pipelined=pipelined)
    blocks = [block for block in range(4) if partial >> block & 1]

    async def testbench(ctx):
        for turn in range(5):
            offer(ctx, dut, partial=partial)
            reads = await read_all(ctx, dut)
            assert [block for block, _ in reads] == blocks
            for block, place in reversed(reads):
                assert not ctx.get(dut.is_there)
                ctx.set(dut.merged.payload, {"place": place, "data": block << 100 | turn, "failed": block == 2})
                ctx.set(dut.merged.valid, 1)
                await ctx.tick()
                ctx.set(dut.merged.valid, 0)
                await ctx.tick()
            for block in blocks:
                await ctx.tick().repeat(2)
                assert ctx.get(dut.is_there)
                assert ctx.get(dut.data) == block << 100 | turn
                assert ctx.get(dut.failed) == (block == 2)
                ctx.set(dut.take, 1)
                await ctx.tick()
                ctx.set(dut.take, 0)

    simulate_watched(dut, [dut.request], testbench)


@PIPELINED
def test_lines_without_partial_blocks_pass_one_a_cycle(pipelined):
    dut = merge(pipelined=pipelined)

    async def testbench(ctx):
        for number in range(10):
            offer(ctx, dut, partial=0, line=number)
            assert ctx.get(dut.record.ready)
            assert ctx.get(dut.ready_line.valid)
            await ctx.tick()

    simulate_watched(dut, [dut.request], testbench)
