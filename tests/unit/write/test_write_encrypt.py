"""Blocks of writes through the encrypting lane, each with its own tweak."""

import random

import pytest

from cbit.write.encrypt import WriteEncrypt
from cbit_sim.watch import simulate_watched

ENTRIES = 4
SLOTS = 3
LANE_CYCLES = 5
EVERY_SLOT = (1 << SLOTS) - 1


def plaintext(place):
    return place + 1 << 64 | 0xB10C


def times_alpha(tweak, power):
    for _ in range(power):
        tweak = tweak << 1 ^ (tweak >> 127) * (1 << 128 | 0x87)
    return tweak


def scramble(block, slot, tweak):
    """Stands for the lane's encryption."""
    return (block + (slot << 32) + tweak) % (1 << 128)


class Bench:
    """The gatherer, the tweak engine and the lane around the component, cycle by cycle."""

    def __init__(self, ctx, dut, rng, *, busy=0.0, tweak_cycles=8):
        self.ctx, self.dut, self.rng, self.busy, self.tweak_cycles = ctx, dut, rng, busy, tweak_cycles
        self.cycle = 0
        self.tweaks, self.lane = [], []
        self.expected = {}
        self.entered = []
        ctx.set(dut.serving, EVERY_SLOT)

    def start(self, index, first_block, last_block, *, slot=1, complete=0b1111, written=0b1111, tweak=None):
        """A new job; its tweak comes ``tweak_cycles`` later."""
        dut = self.dut
        tweak = self.rng.getrandbits(128) if tweak is None else tweak
        self.ctx.set(dut.job.payload, {"index": index, "first_block": first_block, "last_block": last_block,
                                       "slot": slot})
        self.ctx.set(dut.job.valid, 1)
        self.tweaks.append((self.cycle + self.tweak_cycles, {"index": index, "tweak": tweak}))
        self.expected[index] = {
            4 * index + block: scramble(plaintext(4 * index + block), slot, times_alpha(tweak, block))
            for block in range(first_block, last_block + 1) if written >> block & 1}
        self.set_blocks(dut.is_complete, index, complete)
        self.set_blocks(dut.is_written, index, written)

    def set_blocks(self, port, index, bits):
        self.ctx.set(port, self.ctx.get(port) & ~(0xF << 4 * index) | bits << 4 * index)

    def is_ready(self, index, first_block, last_block):
        ready = self.ctx.get(self.dut.is_ready) >> 4 * index
        return all(ready >> block & 1 for block in range(first_block, last_block + 1))

    def check(self, index):
        for place, block in self.expected[index].items():
            self.ctx.set(self.dut.read_place, place)
            assert self.ctx.get(self.dut.ciphertext) == block, place

    async def step(self):
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.tweak.valid, 0)
        if self.tweaks and self.tweaks[0][0] <= self.cycle:
            ctx.set(dut.tweak.payload, self.tweaks.pop(0)[1])
            ctx.set(dut.tweak.valid, 1)
        ctx.set(dut.lane_o.valid, 0)
        if self.lane and self.lane[0][0] == self.cycle:
            _, payload = self.lane.pop(0)
            tweak = times_alpha(payload.tweak, payload.power)
            ctx.set(dut.lane_o.payload, {"block": scramble(payload.block, payload.slot, tweak), "tag": payload.tag})
            ctx.set(dut.lane_o.valid, 1)
        ctx.set(dut.lane_i.ready, self.rng.random() >= self.busy)
        ctx.set(dut.block, plaintext(ctx.get(dut.place)))
        _, _, enters, payload = await ctx.tick().sample(dut.lane_i.valid & dut.lane_i.ready, dut.lane_i.payload)
        ctx.set(dut.job.valid, 0)
        if enters:
            self.lane.append((self.cycle + LANE_CYCLES, payload))
            self.entered.append((self.cycle, payload.tag.place))
        self.cycle += 1


def run(script, *, seed=31, **paces):
    print(f"seed {seed}")
    dut = WriteEncrypt(entries=ENTRIES, c_bit=47, id_width=4, slot_width=2, slots=SLOTS)

    async def testbench(ctx):
        await script(Bench(ctx, dut, random.Random(seed), **paces))

    simulate_watched(dut, [dut.lane_i], testbench)


@pytest.mark.parametrize("tweak_cycles", [1, 12])
@pytest.mark.parametrize(("gaps", "busy"), [(0, 0), (0.6, 0), (0, 0.6), (0.5, 0.5)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_every_block_is_encrypted_with_its_own_tweak(gaps, busy, tweak_cycles):
    async def script(bench):
        rng, dut = bench.rng, bench.dut
        running, done = {}, 0
        while done < 60:
            free = sorted(set(range(ENTRIES)) - set(running))
            if free and rng.random() >= gaps:
                index, first = rng.choice(free), rng.randrange(4)
                running[index] = (first, rng.randint(first, 3))
                bench.start(index, *running[index], slot=rng.randrange(SLOTS), complete=0, written=rng.randrange(16))
            for index in running:
                complete = bench.ctx.get(dut.is_complete) >> 4 * index & 0xF
                bench.set_blocks(dut.is_complete, index, complete | (rng.randrange(16) if rng.random() >= gaps else 0))
            await bench.step()
            for index in [index for index, blocks in running.items() if bench.is_ready(index, *blocks)]:
                bench.check(index)
                assert not bench.ctx.get(dut.lost)
                del running[index]
                done += 1
            assert bench.cycle < 4000

    run(script, busy=busy, tweak_cycles=tweak_cycles)


def test_a_block_every_cycle():
    async def script(bench):
        for index in range(ENTRIES):
            bench.start(index, 0, 3)
            await bench.step()
        while len(bench.entered) < 4 * ENTRIES:
            await bench.step()
        first, last = bench.entered[0][0], bench.entered[-1][0]
        assert last - first == 4 * ENTRIES - 1
        assert [place for _, place in bench.entered] == list(range(4 * ENTRIES))

    run(script, tweak_cycles=4)


def test_an_entry_is_not_done_before_its_tweak_has_come_even_if_nothing_of_it_is_written():
    """Else the entry's next write could meet the tweak of this one."""
    async def script(bench):
        bench.start(0, 0, 1, written=0)
        await bench.step()
        while not bench.is_ready(0, 0, 1):
            await bench.step()
        bench.start(0, 0, 1, written=0b11)
        await bench.step()
        while not bench.is_ready(0, 0, 1):
            await bench.step()
        bench.check(0)

    run(script, tweak_cycles=20)


@pytest.mark.parametrize("serving", [EVERY_SLOT, EVERY_SLOT & ~0b10])
def test_a_block_that_leaves_the_lane_after_its_key_has_gone_is_lost(serving):
    async def script(bench):
        bench.start(2, 0, 1, slot=1)
        while not bench.lane:
            await bench.step()
        bench.ctx.set(bench.dut.serving, serving)
        while not bench.is_ready(2, 0, 1):
            await bench.step()
        assert bench.ctx.get(bench.dut.lost) == (0 if serving == EVERY_SLOT else 0b100)
        bench.ctx.set(bench.dut.serving, EVERY_SLOT)
        bench.start(2, 0, 1, slot=1)
        await bench.step()
        assert bench.ctx.get(bench.dut.lost) == 0

    run(script)
