"""From DRAM's ciphertext to the manager's beats and the blocks of partial writes."""

import random

import pytest

from cbit.axi.ports import Response
from cbit.read.decrypt import ReadDecrypt
from cbit.read.entry import ReadKind
from cbit_sim.watch import simulate_watched

ENTRIES = 4
SLOTS = 3
LANE_CYCLES = 5
ONES = (1 << 128) - 1
EVERY_SLOT = (1 << SLOTS) - 1


def times_alpha(tweak, power):
    for _ in range(power):
        tweak = tweak << 1 ^ (tweak >> 127) * (1 << 128 | 0x87)
    return tweak


def unscramble(block, slot, tweak):
    """Stands for the lane's decryption."""
    return (block + (slot << 32) + tweak) % (1 << 128)


class Bench:
    """The table, DRAM, the tweak engine, the lane and the manager, cycle by cycle."""

    def __init__(self, ctx, dut, rng, *, busy=0.0, stalls=0.0, tweak_cycles=8):
        self.ctx, self.dut, self.rng = ctx, dut, rng
        self.busy, self.stalls, self.tweak_cycles = busy, stalls, tweak_cycles
        self.cycle = 0
        self.tweaks, self.lane = [], []
        self.taken, self.merged = [], []
        self.ended = []
        ctx.set(dut.serving, EVERY_SLOT)

    def allocate(self, index, *, first_block=0, last_block=3, slot=1, kind=ReadKind.ENCRYPTED, identity=0,
                 repeats=(0, 0, 0), is_final=True, place=0):
        """Enters a burst; returns the tweak that will come."""
        tweak = self.rng.getrandbits(128)
        self.ctx.set(self.dut.allocate, 1)
        self.ctx.set(self.dut.allocated, index)
        self.ctx.set(self.dut.entry, {
            "kind": kind, "id": identity, "slot": slot, "first_block": first_block, "last_block": last_block,
            "first_repeat": repeats[0], "inner_repeat": repeats[1], "last_repeat": repeats[2], "is_final": is_final,
            "place": place})
        self.ctx.set(self.dut.slots[index], slot)
        self.tweaks.append((self.cycle + self.tweak_cycles, {"index": index, "tweak": tweak}))
        return tweak

    def receive(self, index, block, data, resp=Response.OKAY):
        self.ctx.set(self.dut.i.payload, {"index": index, "block": block, "data": data, "resp": resp})
        self.ctx.set(self.dut.i.valid, 1)

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
            ctx.set(dut.lane_o.payload, {"block": unscramble(payload.block, payload.slot, tweak), "tag": payload.tag})
            ctx.set(dut.lane_o.valid, 1)
        ctx.set(dut.lane_i.ready, self.rng.random() >= self.busy)
        ctx.set(dut.o.ready, self.rng.random() >= self.stalls)
        (_, _, enters, entering, leaves, leaving, merges, merged, merge_index) = await ctx.tick().sample(
            dut.lane_i.valid & dut.lane_i.ready, dut.lane_i.payload, dut.o.valid & dut.o.ready, dut.o.payload,
            dut.merged.valid, dut.merged.payload, dut.decrypted_index)
        ctx.set(dut.allocate, 0)
        ctx.set(dut.i.valid, 0)
        if enters:
            self.lane.append((self.cycle + LANE_CYCLES, entering))
        if leaves:
            beat = leaving.beat
            self.taken.append((self.cycle, (leaving.index, leaving.is_end, beat.id, beat.data, beat.resp, beat.last)))
            if leaving.is_end:
                self.ended.append(leaving.index)
        if merges:
            self.merged.append((merged.place, merged.data, merged.failed))
            self.ended.append(merge_index)
        self.cycle += 1


def run(script, *, seed=81, **paces):
    print(f"seed {seed}")
    dut = ReadDecrypt(entries=ENTRIES, id_width=4, slot_width=2, slots=SLOTS, blocks=16)

    async def testbench(ctx):
        await script(Bench(ctx, dut, random.Random(seed), **paces))

    simulate_watched(dut, [dut.o, dut.lane_i], testbench)


class Traffic:
    """Random bursts, their beats interleaved as DRAM may do, and what must come of them."""

    def __init__(self, bench):
        self.bench, self.rng = bench, bench.rng
        self.open = {}
        self.taken = []
        self.merged = []
        self.started = 0

    def start(self):
        index = self.rng.choice(sorted(set(range(ENTRIES)) - set(self.open)))
        is_merge = self.rng.random() < 0.3
        first = self.rng.randrange(4)
        burst = {"first_block": first, "last_block": first if is_merge else self.rng.randint(first, 3),
                 "slot": self.rng.randrange(SLOTS), "kind": ReadKind.MERGE if is_merge else ReadKind.ENCRYPTED,
                 "identity": index + 8, "repeats": tuple(self.rng.choice([0, 0, 1, 15]) for _ in range(3)),
                 "is_final": self.rng.random() < 0.5, "place": self.rng.randrange(16)}
        tweak = self.bench.allocate(index, **burst)
        self.open[index] = [first, tweak, burst]
        self.started += 1

    def answer(self):
        """The next beat of one of the bursts."""
        waiting = sorted(index for index, (block, _, burst) in self.open.items() if block <= burst["last_block"])
        if not waiting:
            return
        index = self.rng.choice(waiting)
        block, tweak, burst = self.open[index]
        self.open[index][0] += 1
        data = self.rng.getrandbits(128)
        resp = self.rng.choice([Response.OKAY] * 6 + [Response.EXOKAY, Response.SLVERR, Response.DECERR])
        self.bench.receive(index, block, data, resp)
        failed = resp in (Response.SLVERR, Response.DECERR)
        plaintext = unscramble(data, burst["slot"], times_alpha(tweak, block))
        if burst["kind"] is ReadKind.MERGE:
            self.merged.append((burst["place"], plaintext, failed))
            return
        is_end = block == burst["last_block"]
        which = 0 if block == burst["first_block"] else 2 if is_end else 1
        for beat in range(burst["repeats"][which] + 1):
            is_last_beat = is_end and beat == burst["repeats"][which]
            self.taken.append((index, is_last_beat, burst["identity"], ONES if failed else plaintext,
                               resp if failed else Response.OKAY, is_last_beat and burst["is_final"]))


@pytest.mark.parametrize("tweak_cycles", [2, 20])
@pytest.mark.parametrize(("gaps", "busy", "stalls"), [(0, 0, 0), (0.6, 0, 0), (0, 0.5, 0.5), (0.5, 0.4, 0.4)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_each_beat_gets_its_own_block_and_each_partial_write_its_own(gaps, busy, stalls, tweak_cycles):
    async def script(bench):
        traffic = Traffic(bench)
        while traffic.started < 80 or traffic.open:
            if traffic.started < 80 and len(traffic.open) < ENTRIES and bench.rng.random() >= gaps:
                traffic.start()
            elif bench.rng.random() >= gaps:
                traffic.answer()
            await bench.step()
            for index in bench.ended:
                del traffic.open[index]
            bench.ended.clear()
            assert bench.cycle < 6000
        assert [beat for _, beat in bench.taken] == traffic.taken
        assert [merged[::2] for merged in bench.merged] == [merged[::2] for merged in traffic.merged]
        assert [merged for merged in bench.merged if not merged[2]] == [
            merged for merged in traffic.merged if not merged[2]]

    run(script, busy=busy, stalls=stalls, tweak_cycles=tweak_cycles)


def test_a_beat_every_cycle_and_no_latency_but_the_lanes():
    async def script(bench):
        for index in range(ENTRIES):
            bench.allocate(index)
            await bench.step()
        while bench.tweaks:
            await bench.step()
        start = bench.cycle
        for beat in range(4 * ENTRIES):
            bench.receive(beat // 4, beat % 4, beat)
            await bench.step()
        while len(bench.taken) < 4 * ENTRIES:
            await bench.step()
        assert [cycle for cycle, _ in bench.taken] == [start + LANE_CYCLES + n for n in range(4 * ENTRIES)]

    run(script)


def test_a_manager_that_takes_nothing_does_not_hold_up_partial_writes():
    async def script(bench):
        for index in range(3):
            bench.allocate(index)
            await bench.step()
        bench.allocate(3, first_block=2, last_block=2, kind=ReadKind.MERGE, place=9)
        for beat in range(12):
            await bench.step()
            bench.receive(beat // 4, beat % 4, beat)
        await bench.step()
        bench.receive(3, 2, 0)
        for _ in range(30):
            await bench.step()
        assert [place for place, _, _ in bench.merged] == [9]
        assert not bench.taken

    run(script, stalls=1.0)


def test_a_block_whose_key_has_gone_is_all_ones_with_an_error():
    async def script(bench):
        bench.allocate(0, slot=1, first_block=0, last_block=0)
        await bench.step()
        bench.allocate(1, slot=1, first_block=1, last_block=1, kind=ReadKind.MERGE, place=4)
        await bench.step()
        bench.allocate(2, slot=2, first_block=3, last_block=3)
        await bench.step()
        for index, block in ((0, 0), (1, 1), (2, 3)):
            bench.receive(index, block, 77)
            await bench.step()
        while not bench.lane:
            await bench.step()
        bench.ctx.set(bench.dut.serving, EVERY_SLOT & ~0b10)
        for _ in range(30):
            await bench.step()
        assert [(beat[3] == ONES, beat[4]) for _, beat in bench.taken] == [
            (True, Response.SLVERR), (False, Response.OKAY)]
        assert [(place, failed) for place, _, failed in bench.merged] == [(4, 1)]

    run(script)
