"""From DRAM's ciphertext to the manager's blocks and those of partial writes."""

import random

import pytest

from cbit.axi.ports import Response
from cbit.read.decrypt import ReadDecrypt
from cbit.read.sort import WAITING_BEATS
from cbit_sim.watch import simulate_watched

ENTRIES = 4
SLOTS = 3
LANE_CYCLES = 5
ONES = (1 << 128) - 1
EVERY_SLOT = (1 << SLOTS) - 1

pipelining = pytest.mark.parametrize("pipelined", [False, True], ids=["direct", "pipelined"])


def unscramble(block, slot, tweak, number):
    """Stands for the lane's decryption."""
    return (block + (slot << 32) + tweak + number) % (1 << 128)


class Bench:
    """DRAM, the tweak engine and the lane, cycle by cycle."""

    def __init__(self, ctx, dut, rng, *, busy=0.0, tweak_cycles=8):
        self.ctx, self.dut, self.rng = ctx, dut, rng
        self.busy, self.tweak_cycles = busy, tweak_cycles
        self.cycle = 0
        self.waiting = 0
        self.tweaks, self.lane = [], []
        self.taken, self.merged, self.freed, self.ended = [], [], [], []
        ctx.set(dut.serving, EVERY_SLOT)

    def begin(self, index, *, first_beat=0, slot=1, is_merge=0, identity=0, repeats=(0, 0, 0), is_final=True, place=0,
              key_generation=0):
        """Enters a burst; returns the tweak that will come."""
        tweak = self.rng.getrandbits(128)
        self.ctx.set(self.dut.begin, 1)
        self.ctx.set(self.dut.index, index)
        self.ctx.set(self.dut.plan, {
            "is_merge": is_merge, "id": identity, "slot": slot, "first_beat": first_beat,
            "first_repeat": repeats[0], "inner_repeat": repeats[1], "last_repeat": repeats[2], "is_final": is_final,
            "place": place})
        self.ctx.set(self.dut.generations, {"manager": index % 2, "key": key_generation})
        self.tweaks.append((self.cycle + self.tweak_cycles, {"index": index, "tweak": tweak}))
        return tweak

    def receive(self, index, number, data, *, last, resp=Response.OKAY, mark=0):
        self.ctx.set(self.dut.i.payload, {"index": index, "number": number, "data": data, "resp": resp, "last": last,
                                          "mark": mark})
        self.ctx.set(self.dut.i.valid, 1)
        self.waiting += 1

    async def step(self):
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.tweak.valid, 0)
        if self.tweaks and self.tweaks[0][0] <= self.cycle:
            ctx.set(dut.tweak.payload, self.tweaks.pop(0)[1])
            ctx.set(dut.tweak.valid, 1)
        ctx.set(dut.lane_o.valid, 0)
        if self.lane and self.lane[0][0] == self.cycle:
            _, payload = self.lane.pop(0)
            ctx.set(dut.lane_o.payload, {
                "data": unscramble(payload.data, payload.slot, payload.tweak, payload.number), "tag": payload.tag})
            ctx.set(dut.lane_o.valid, 1)
        ctx.set(dut.lane_i.ready, self.rng.random() >= self.busy)
        (_, _, enters, entering, leaves, leaving, merges, merged, left, frees, free, end, ended) = \
            await ctx.tick().sample(
                dut.lane_i.valid & dut.lane_i.ready, dut.lane_i.payload, dut.o.valid, dut.o.payload,
                dut.merged.valid, dut.merged.payload, dut.left, dut.free.valid, dut.free.payload, dut.end, dut.ended)
        ctx.set(dut.begin, 0)
        ctx.set(dut.i.valid, 0)
        self.waiting -= left
        if enters:
            self.lane.append((self.cycle + LANE_CYCLES, entering))
        if leaves:
            beat = leaving.beat
            self.taken.append((self.cycle, (leaving.repeat, leaving.is_end, beat.id, beat.data, beat.resp, beat.last,
                                            leaving.mark, leaving.generation)))
        if merges:
            self.merged.append((merged.place, merged.data, merged.failed))
        if frees:
            self.freed.append(free)
        if end:
            self.ended.append(ended)
        self.cycle += 1


def run(script, *, pipelined=False, seed=81, **paces):
    print(f"seed {seed}")
    dut = ReadDecrypt(entries=ENTRIES, data_width=128, id_width=4, slot_width=2, slots=SLOTS, places=16,
                      pipelined=pipelined)

    async def testbench(ctx):
        await script(Bench(ctx, dut, random.Random(seed), **paces))

    simulate_watched(dut, [dut.lane_i], testbench)


class Traffic:
    """Random bursts, their beats interleaved as DRAM may do, and what must come of them."""

    def __init__(self, bench):
        self.bench, self.rng = bench, bench.rng
        self.open = {}
        self.taken, self.merged, self.ended = [], [], []
        self.started = 0

    def start(self):
        index = self.rng.choice(sorted(set(range(ENTRIES)) - set(self.open)))
        is_merge = self.rng.random() < 0.3
        first = self.rng.randrange(4)
        burst = {"first_beat": first, "slot": self.rng.randrange(SLOTS), "is_merge": is_merge, "identity": index + 8,
                 "repeats": tuple(self.rng.choice([0, 0, 1, 15]) for _ in range(3)),
                 "is_final": self.rng.random() < 0.5, "place": self.rng.randrange(16),
                 "key_generation": self.rng.randrange(2)}
        last = 0 if is_merge else self.rng.randint(0, 3 - first)
        self.open[index] = [0, last, self.bench.begin(index, **burst), burst]
        self.started += 1

    def answer(self):
        """The next beat of one of the bursts."""
        waiting = sorted(index for index, (number, last, _, _) in self.open.items() if number <= last)
        if not waiting or self.bench.waiting >= WAITING_BEATS:
            return
        index = self.rng.choice(waiting)
        number, last, tweak, burst = self.open[index]
        self.open[index][0] += 1
        data, mark = self.rng.getrandbits(128), self.rng.randrange(2048)
        resp = self.rng.choice([Response.OKAY] * 6 + [Response.EXOKAY, Response.SLVERR, Response.DECERR])
        is_end = number == last
        self.bench.receive(index, number, data, last=is_end, resp=resp, mark=mark)
        failed = resp in (Response.SLVERR, Response.DECERR)
        plaintext = unscramble(data, burst["slot"], tweak, burst["first_beat"] + number)
        if is_end:
            self.ended.append(burst["key_generation"])
        if burst["is_merge"]:
            self.merged.append((burst["place"], plaintext, failed))
            return
        repeat = burst["repeats"][0 if number == 0 else 2 if is_end else 1]
        self.taken.append((repeat, is_end, burst["identity"], ONES if failed else plaintext,
                           resp if failed else Response.OKAY, is_end and burst["is_final"], mark, index % 2))


@pipelining
@pytest.mark.parametrize("tweak_cycles", [2, 20])
@pytest.mark.parametrize(("gaps", "busy"), [(0, 0), (0.6, 0), (0, 0.5), (0.5, 0.4)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_each_beat_gets_its_own_block_and_each_partial_write_its_own(gaps, busy, tweak_cycles, pipelined):
    async def script(bench):
        traffic = Traffic(bench)
        while traffic.started < 80 or len(bench.ended) < 80:
            if traffic.started < 80 and len(traffic.open) < ENTRIES and bench.rng.random() >= gaps:
                traffic.start()
            elif bench.rng.random() >= gaps:
                traffic.answer()
            await bench.step()
            for index in bench.freed:
                del traffic.open[index]
            bench.freed.clear()
            assert bench.cycle < 6000
        assert [beat for _, beat in bench.taken] == traffic.taken
        assert [merged[::2] for merged in bench.merged] == [merged[::2] for merged in traffic.merged]
        assert [merged for merged in bench.merged if not merged[2]] == [
            merged for merged in traffic.merged if not merged[2]]
        assert bench.ended == traffic.ended
        assert not traffic.open

    run(script, busy=busy, tweak_cycles=tweak_cycles, pipelined=pipelined)


@pipelining
def test_a_block_every_cycle_and_no_latency_but_the_lanes_and_the_registers(pipelined):
    async def script(bench):
        for index in range(ENTRIES):
            bench.begin(index)
            await bench.step()
        while bench.tweaks:
            await bench.step()
        start = bench.cycle
        for beat in range(4 * ENTRIES):
            bench.receive(beat // 4, beat % 4, beat, last=beat % 4 == 3)
            await bench.step()
        while len(bench.taken) < 4 * ENTRIES:
            await bench.step()
        latency = LANE_CYCLES + 4 * pipelined
        assert [cycle for cycle, _ in bench.taken] == [start + latency + n for n in range(4 * ENTRIES)]

    run(script, pipelined=pipelined)


@pipelining
def test_a_block_whose_key_has_gone_is_all_ones_with_an_error(pipelined):
    async def script(bench):
        bench.begin(0, slot=1)
        await bench.step()
        bench.begin(1, slot=1, first_beat=1, is_merge=1, place=4)
        await bench.step()
        bench.begin(2, slot=2, first_beat=3)
        await bench.step()
        for index in range(3):
            bench.receive(index, 0, 77, last=1)
            await bench.step()
        while not bench.lane:
            await bench.step()
        bench.ctx.set(bench.dut.serving, EVERY_SLOT & ~0b10)
        for _ in range(30):
            await bench.step()
        assert [(beat[3] == ONES, beat[4]) for _, beat in bench.taken] == [
            (True, Response.SLVERR), (False, Response.OKAY)]
        assert [(place, failed) for place, _, failed in bench.merged] == [(4, 1)]

    run(script, pipelined=pipelined)
