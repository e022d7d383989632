"""Random bursts: legal, within their region, and about the bytes that AXI4 says."""

import random

import pytest

from cbit.axi.ports import Burst
from cbit.traffic.burst import BeatPlace
from cbit.traffic.shape import RandomShape, Style
from cbit_model.access import Access, burst_beats, malformed
from cbit_model.access import Burst as ModelBurst
from cbit_sim.streams import simulate

REGION_WIDTH, OFFSET_WIDTH = 2, 8
REGION_BYTES = 1 << OFFSET_WIDTH


def random_bursts(rng, count):
    """Bursts that lie within a region."""
    while count:
        size, burst = rng.randrange(5), rng.choice([*Burst])
        length = rng.choice([2, 4, 8, 16]) if burst is Burst.WRAP else rng.randrange(1, 17)
        offset = rng.randrange(REGION_BYTES)
        if burst is Burst.WRAP:
            offset &= -(1 << size)
        last = max(container + 16 for container, _ in burst_beats(offset, length, size, ModelBurst(burst.value)))
        if last <= REGION_BYTES:
            count -= 1
            yield {"region": rng.randrange(4), "offset": offset, "len": length - 1, "size": size, "burst": burst,
                   "halves": rng.randrange(4), "stripe": rng.randrange(8)}


def lanes_of_half(start, stripe, half):
    bit = min(stripe, OFFSET_WIDTH - 1)
    return sum(1 << lane for lane in range(16) if (start + lane) >> bit & 1 == half)


def test_beats_are_where_axi_has_them():
    dut = BeatPlace(region_width=REGION_WIDTH, offset_width=OFFSET_WIDTH)
    rng = random.Random(141)

    async def testbench(ctx):
        for burst in random_bursts(rng, 150):
            ctx.set(dut.burst, burst)
            length = burst["len"] + 1
            expected = burst_beats(burst["offset"], length, burst["size"], ModelBurst(burst["burst"].value))
            for index, (container, lanes) in enumerate(expected):
                ctx.set(dut.index, index)
                await ctx.delay(1e-9)
                assert ctx.get(dut.block) == (burst["region"] * REGION_BYTES + container) // 16
                assert ctx.get(dut.lanes) == lanes
                assert ctx.get(dut.byte) == container + (lanes & -lanes).bit_length() - 1
                halves = sum(lanes_of_half(container, burst["stripe"], half)
                             for half in range(2) if burst["halves"] >> half & 1)
                assert ctx.get(dut.half_lanes) == lanes & halves

    simulate(dut, testbench)


@pytest.mark.parametrize("offset_width", [8, 10])
def test_bursts_that_fit_are_legal_and_of_all_kinds(offset_width):
    dut = RandomShape(offset_width=offset_width)
    rng = random.Random(142)
    seen = set()

    async def testbench(ctx):
        for number in range(600):
            style = Style(number % len(Style))
            ctx.set(dut.bits, {"style": style, "offset": rng.randrange(1 << offset_width), "len": rng.randrange(256),
                               "size": rng.randrange(4), "is_narrow": rng.randrange(2)})
            await ctx.delay(1e-9)
            burst, offset, size = ctx.get(dut.burst), ctx.get(dut.offset), ctx.get(dut.size)
            access = Access(address=offset, length=ctx.get(dut.len) + 1, size=size, burst=ModelBurst(burst.value))
            lies_within = all(container < 1 << offset_width for container, _ in burst_beats(
                offset, access.length, size, access.burst))
            assert ctx.get(dut.fits) == lies_within
            if not lies_within:
                continue
            assert not malformed(access)
            seen.add((burst, size))
            is_whole = size == 4 and offset % 16 == 0 and burst is not Burst.FIXED
            assert ctx.get(dut.is_whole) == is_whole

    simulate(dut, testbench)
    assert seen == {(burst, size) for burst in Burst for size in range(5)}
