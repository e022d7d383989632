"""Beats of encrypted writes gathered into blocks, against the bytes of the golden model's beats."""

import itertools
import random

import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import Component, In, connect, flipped

from cbit.access.request import Route
from cbit.access.splitter import ChunkSplitter
from cbit.write.gather import WriteGather
from cbit_model.access import Access, Burst, burst_beats, malformed
from cbit_sim.requests import request
from cbit_sim.streams import send
from cbit_sim.watch import simulate_watched

C_BIT = 34
PAGE = 0x2_3456_7000
ENTRIES = 4


class SplitAndGather(Component):
    """A splitter before the gatherer, so that the test can speak of whole bursts."""

    def __init__(self):
        widths = {"c_bit": C_BIT, "id_width": 4, "slot_width": 2}
        self.splitter = ChunkSplitter(**widths)
        self.gather = WriteGather(entries=ENTRIES, **widths)
        gathers = self.gather.signature.members
        super().__init__({
            "i": In(self.splitter.i.signature.flip()),
            **{name: gathers[name] for name in ("w", "is_free", "allocated", "job", "fill")},
        })

    def elaborate(self, _platform):
        m = Module()
        m.submodules.splitter = self.splitter
        m.submodules.gather = self.gather
        connect(m, flipped(self.i), self.splitter.i)
        connect(m, self.splitter.o, self.gather.chunk)
        connect(m, flipped(self.w), self.gather.w)
        connect(m, self.gather.job, flipped(self.job))
        connect(m, self.gather.fill, flipped(self.fill))
        m.d.comb += [self.gather.is_free.eq(self.is_free), self.gather.allocated.eq(self.allocated)]
        return m


def request_of(access):
    return request(access) | {"route": Route.ENCRYPTED, "slot": access.id % 4}


def bytes_of(data, strobes):
    """Lane and value of each byte that counts."""
    return {lane: data >> 8 * lane & 0xFF for lane in range(16) if strobes >> lane & 1}


class Collector:
    """Takes jobs and fills as the table and the block memory do; notes the bytes of each block when it ends."""

    def __init__(self, dut, rng, *, stalls):
        self.dut, self.rng, self.stalls = dut, rng, stalls
        self.jobs = []
        self.blocks = []
        self.open = {}
        self.cycle = 0

    async def step(self, ctx):
        dut = self.dut
        ctx.set(dut.is_free, self.rng.random() >= self.stalls)
        ctx.set(dut.allocated, len(self.jobs) % ENTRIES)
        ctx.set(dut.fill.ready, self.rng.random() >= self.stalls)
        _, _, starts, job, fills, fill = await ctx.tick().sample(
            dut.job.valid, dut.job.payload, dut.fill.valid & dut.fill.ready, dut.fill.payload)
        self.cycle += 1
        if starts:
            assert job.index == len(self.jobs) % ENTRIES
            self.jobs.append((job.line, job.first_block, job.last_block, job.id, job.slot, job.is_final))
        if fills:
            assert fill.place >> 2 == (len(self.jobs) - 1) % ENTRIES
            block = self.open.setdefault(fill.place, {})
            block.update(bytes_of(fill.data, fill.strb))
            if fill.is_end:
                assert fill.total == sum(1 << lane for lane in block)
                self.blocks.append((self.jobs[-1][0] << 6 | (fill.place & 3) << 4, self.open.pop(fill.place)))


def gather(bursts, *, gaps=0.0, stalls=0.0, seed=0):
    """Runs bursts, each an access and the data and strobes of its beats, through the component."""
    rng = random.Random(seed)
    dut = SplitAndGather()
    collector = Collector(dut, rng, stalls=stalls)
    beats = [{"data": data, "strb": strobes, "last": n == access.length - 1}
             for access, parts in bursts for n, (data, strobes) in enumerate(parts)]
    done = []

    async def offer(ctx):
        await send(ctx, dut.i, [request_of(access) for access, _ in bursts], pace=lambda: rng.random() >= gaps)

    async def offer_data(ctx):
        await send(ctx, dut.w, beats, pace=lambda: rng.random() >= gaps)
        done.append(True)

    async def take(ctx):
        while not done:
            await collector.step(ctx)

    simulate_watched(dut, [dut.fill], offer, offer_data, take)
    assert not collector.open
    return collector


def expected_blocks(access, parts):
    """Each block that the burst touches, once for each time it comes to it, and the bytes it writes there."""
    blocks = []
    previous = -1
    for (container, lanes), (data, strobes) in zip(
            burst_beats(access.address, access.length, access.size, access.burst), parts):
        start = container + (lanes & -lanes).bit_length()
        is_same = blocks and blocks[-1][0] == container and (start > previous or access.burst == Burst.FIXED)
        if not is_same:
            blocks.append((container, {}))
        blocks[-1][1].update(bytes_of(data, strobes))
        previous = start
    return blocks


def with_data(rng, access, density):
    """The access and for each beat data and strobes, which are within the beat's lanes."""
    return access, [(rng.getrandbits(128), sum(1 << lane for lane in range(16)
                                               if lanes >> lane & 1 and rng.random() < density))
                    for _, lanes in burst_beats(access.address, access.length, access.size, access.burst)]


def check(bursts, **paces):
    collector = gather(bursts, **paces)
    assert collector.blocks == [block for access, parts in bursts for block in expected_blocks(access, parts)]
    assert sum(job[-1] for job in collector.jobs) == len(bursts)
    finals = [job for job in collector.jobs if job[-1]]
    assert [(job[3], job[4]) for job in finals] == [(access.id, access.id % 4) for access, _ in bursts]
    return collector


def every_shape():
    lengths = {Burst.INCR: (1, 2, 3, 5, 16, 64), Burst.WRAP: (2, 4, 8, 16), Burst.FIXED: (1, 2, 16)}
    for burst, size in itertools.product(lengths, range(5)):
        for length, offset in itertools.product(lengths[burst], (0, 1, 15, 24, 48, 63)):
            step = (1 << size) if burst == Burst.WRAP else 1
            access = Access(address=PAGE + offset // step * step, id=offset % 16, length=length, size=size, burst=burst)
            if not malformed(access):
                yield access


@pytest.mark.parametrize("density", [1.0, 0.5, 0.0], ids=["whole", "sparse", "empty"])
def test_every_kind_size_length_and_alignment(density):
    rng = random.Random(91)
    bursts = [with_data(rng, access, density) for access in every_shape()]
    collector = check(bursts)
    assert collector.cycle <= sum(access.length for access, _ in bursts) + 1


@pytest.mark.parametrize(("gaps", "stalls"), [(0.6, 0), (0, 0.6), (0.5, 0.5)],
                         ids=["gaps", "stalls", "gaps and stalls"])
def test_random_bursts(gaps, stalls):
    seed = 92
    print(f"seed {seed}")
    rng = random.Random(seed)
    bursts = []
    while len(bursts) < 60:
        access = Access(address=PAGE + rng.randrange(4096), id=rng.randrange(16), size=rng.randrange(5),
                        length=rng.choice([1, 2, 4, 8, 16]), burst=rng.choice(list(Burst)[:3]))
        if not malformed(access):
            bursts.append(with_data(rng, access, rng.choice([0.2, 0.8, 1.0])))
    check(bursts, gaps=gaps, stalls=stalls, seed=seed)


def test_of_fixed_beats_the_last_byte_counts():
    access = Access(address=PAGE + 4, length=3, size=2, burst=Burst.FIXED)
    collector = gather([(access, [(0x11 << 32 | 0x11 << 40, 0x30), (0x22 << 32, 0x10), (0x33 << 48, 0x40)])])
    assert collector.blocks == [(PAGE, {4: 0x22, 5: 0x11, 6: 0x33})]
    assert collector.jobs == [(PAGE >> 6, 0, 0, 0, 0, 1)]


def test_a_job_shows_the_blocks_it_touches():
    access = Access(address=PAGE + 0x30, length=6)
    collector = gather([(access, [(0, 0)] * 6)])
    line = PAGE >> 6
    assert [job[:3] for job in collector.jobs] == [(line, 3, 3), (line + 1, 0, 3), (line + 2, 0, 0)]
    assert [job[-1] for job in collector.jobs] == [0, 0, 1]
