"""Blocks of which a write gives some bytes: read, merged, complete."""

import random
from collections import deque

import pytest

from cbit.write.merge import WriteMerge
from cbit_sim.watch import simulate_watched

ENTRIES = 4
EVERY_LANE = 0xFFFF
SINGLE_LANES = [1 << lane for lane in range(16)]
ATTRIBUTES = {"cache": 3, "prot": 2, "qos": 5, "region": 6}


def merge_bytes(old, new, strobes):
    mask = sum(0xFF << 8 * lane for lane in range(16) if strobes >> lane & 1)
    return old & ~mask | new & mask


def dram(line, block):
    """What the read of a block brings."""
    return (line << 2 | block) * 0x0123_4567_89AB_CDEF_0011_2233_4455_6677 % (1 << 128)


class Bench:
    """The gatherer before the component, the table beside and the read path behind it, cycle by cycle."""

    def __init__(self, ctx, dut, rng, *, gaps=0.0, stalls=0.0):
        self.ctx, self.dut, self.rng, self.gaps, self.stalls = ctx, dut, rng, gaps, stalls
        self.cycle = 0
        self.fills = deque()
        self.reads = deque()
        self.requests = []
        self.partial = []
        self.failing = set()
        ctx.set(dut.may_read, (1 << ENTRIES) - 1)

    def add(self, index, line, blocks):
        """A job and its fills: for each block a list of data and strobes."""
        job = {"index": index, "line": line, "first_block": min(blocks), "last_block": max(blocks), "slot": index % 4,
               "id": index, "is_final": 1, "attributes": ATTRIBUTES}
        for block, parts in blocks.items():
            total = 0
            for number, (data, strobes) in enumerate(parts, start=1):
                total |= strobes
                self.fills.append((job, {"place": 4 * index + block, "data": data, "strb": strobes,
                                         "is_end": number == len(parts), "total": total}))
                job = None

    async def step(self):
        ctx, dut, rng = self.ctx, self.dut, self.rng
        waits = ctx.get(dut.fill.valid)
        if self.fills and not waits and rng.random() >= self.gaps:
            job, fill = self.fills[0]
            ctx.set(dut.fill.payload, fill)
            ctx.set(dut.fill.valid, 1)
            if job is not None:
                ctx.set(dut.job.payload, job)
                ctx.set(dut.job.valid, 1)
        ctx.set(dut.merged.valid, 0)
        if self.reads and rng.random() >= self.stalls:
            line, block, place = self.reads.popleft()
            ctx.set(dut.merged.payload, {"place": place, "data": dram(line, block), "failed": place in self.failing})
            ctx.set(dut.merged.valid, 1)
        ctx.set(dut.request.ready, rng.random() >= self.stalls)
        _, _, filled, partial, partial_index, asked, request = await ctx.tick().sample(
            dut.fill.valid & dut.fill.ready, dut.partial, dut.partial_index, dut.request.valid & dut.request.ready,
            dut.request.payload)
        ctx.set(dut.job.valid, 0)
        if filled:
            self.fills.popleft()
            ctx.set(dut.fill.valid, 0)
        if partial:
            assert filled
            self.partial.append(partial_index)
        if asked:
            assert {name: request.attributes[name] for name in ATTRIBUTES} == ATTRIBUTES
            index = request.place >> 2
            assert (request.id, request.slot, request.place & 3) == (index, index % 4, request.block)
            self.requests.append(request.place)
            self.reads.append((request.line, request.block, request.place))
        self.cycle += 1

    def is_complete(self, place):
        return self.ctx.get(self.dut.is_complete) >> place & 1

    def is_written(self, place):
        return self.ctx.get(self.dut.is_written) >> place & 1

    def block(self, place):
        self.ctx.set(self.dut.place, place)
        return self.ctx.get(self.dut.block)


def run(script, *, seed=101, **paces):
    print(f"seed {seed}")
    dut = WriteMerge(entries=ENTRIES, c_bit=47, id_width=4, slot_width=2)

    async def testbench(ctx):
        await script(Bench(ctx, dut, random.Random(seed), **paces))

    simulate_watched(dut, [dut.request], testbench)


def random_parts(rng):
    """The fills of a block, as often as not whole or empty in the end."""
    kind = rng.choice(["whole", "whole in two", "empty", "partial", "partial", "twice"])
    strobes = {"whole": [EVERY_LANE], "whole in two": [0x0FFF, 0xF000], "empty": [0, 0],
               "partial": [rng.randrange(1, EVERY_LANE)],
               "twice": [rng.randrange(EVERY_LANE), rng.randrange(EVERY_LANE)]}[kind]
    return [(rng.getrandbits(128), lanes) for lanes in strobes]


@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (0.6, 0), (0, 0.6), (0.5, 0.5)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_blocks_are_whole_and_bytes_outside_the_strobes_unchanged(gaps, stalls):
    async def script(bench):
        for number in range(60):
            index = number % ENTRIES
            line = bench.rng.getrandbits(41)
            first = bench.rng.randrange(4)
            blocks = {block: random_parts(bench.rng) for block in range(first, bench.rng.randint(first, 3) + 1)}
            bench.add(index, line, blocks)
            await bench.step()
            while bench.fills or not all(bench.is_complete(4 * index + block) for block in blocks):
                await bench.step()
                assert bench.cycle < 3000
            for block, parts in blocks.items():
                check_block(bench, 4 * index + block, parts, dram(line, block))
            assert not bench.ctx.get(bench.dut.failed)
            assert bench.partial == [index] * sum(is_partial(parts) for parts in blocks.values())
            bench.partial.clear()

    run(script, gaps=gaps, stalls=stalls)


def written_lanes(parts):
    total = 0
    for _, strobes in parts:
        total |= strobes
    return total


def is_partial(parts):
    return written_lanes(parts) not in (0, EVERY_LANE)


def check_block(bench, place, parts, old):
    for data, strobes in parts:
        old = merge_bytes(old, data, strobes)
    assert bench.is_written(place) == (written_lanes(parts) != 0)
    assert (place in bench.requests) == is_partial(parts)
    if written_lanes(parts):
        assert bench.block(place) == old
    bench.requests = [request for request in bench.requests if request != place]


@pytest.mark.parametrize("strobes", SINGLE_LANES + [EVERY_LANE & ~lane for lane in SINGLE_LANES], ids=hex)
def test_a_lane_alone_and_all_but_one(strobes):
    async def script(bench):
        bench.add(1, 0x1234, {2: [((1 << 128) - 1, strobes)]})
        while not bench.is_complete(6):
            await bench.step()
            assert bench.cycle < 10
        assert bench.block(6) == merge_bytes(dram(0x1234, 2), (1 << 128) - 1, strobes)

    run(script)


def test_a_beat_every_cycle_while_nothing_is_missing():
    async def script(bench):
        for index in range(ENTRIES):
            bench.add(index, index, {block: [(7, EVERY_LANE)] for block in range(4)})
        while bench.fills:
            await bench.step()
        assert bench.cycle == 4 * ENTRIES
        assert bench.ctx.get(bench.dut.is_complete) == (1 << 4 * ENTRIES) - 1

    run(script)


def test_a_read_waits_until_its_write_may_read():
    async def script(bench):
        bench.ctx.set(bench.dut.may_read, 0b1101)
        bench.add(1, 0x1234, {0: [(7, 1)]})
        bench.add(2, 0x4321, {0: [(7, 1)]})
        for _ in range(6):
            await bench.step()
        assert not bench.requests
        bench.ctx.set(bench.dut.may_read, 0b1111)
        for _ in range(3):
            await bench.step()
        assert bench.requests == [4, 8]

    run(script)


def test_a_failed_read_fails_its_write_and_no_other():
    async def script(bench):
        bench.failing.add(5)
        bench.add(1, 0x1234, {0: [(7, EVERY_LANE)], 1: [(7, 1)], 2: [(7, 2)]})
        bench.add(2, 0x4321, {0: [(7, 1)]})
        while not (bench.is_complete(6) and bench.is_complete(8)):
            await bench.step()
        assert bench.is_complete(5)
        assert bench.ctx.get(bench.dut.failed) == 0b0010
        bench.failing.clear()
        bench.add(1, 0x1234, {0: [(7, EVERY_LANE)]})
        await bench.step()
        assert bench.ctx.get(bench.dut.failed) == 0

    run(script)
