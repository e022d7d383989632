"""DRAM's write channels: plain and encrypted bursts, one after the other."""

import random
from collections import deque

import pytest

from cbit.axi.ports import Burst
from cbit.write.issue import WriteIssue
from cbit_sim.watch import simulate_watched

ENTRIES = 4
SLOTS = 3
ATTRIBUTES = {"cache": 3, "prot": 2, "qos": 5, "region": 6}
PACES = pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (0.6, 0), (0, 0.6), (0.5, 0.5)],
                                ids=["full speed", "gaps", "stalls", "gaps and stalls"])


def issue(*, patience=2):
    return WriteIssue(entries=ENTRIES, addr_width=48, c_bit=47, id_width=4, slot_width=2, slots=SLOTS,
                      patience=patience)


def ciphertext(place):
    return place + 1 << 100 | place


class Bench:
    """Surroundings of the component, cycle by cycle; remembers what should reach DRAM and what does."""

    def __init__(self, ctx, dut, rng, *, gaps=0.0, stalls=0.0):
        self.ctx, self.dut, self.rng, self.gaps, self.stalls = ctx, dut, rng, gaps, stalls
        self.plain, self.jobs = deque(), deque()
        self.free = set(range(ENTRIES))
        self.starts, self.addresses, self.beats = [], [], []
        self.cycle = 0
        ctx.set(dut.serving, (1 << SLOTS) - 1)

    def add_job(self, index, first_block, last_block, *, written=0b1111, failed=False, key_is_gone=False,
                is_ready=True):
        ctx, dut = self.ctx, self.dut
        job = {"index": index, "line": 0x1000 + index, "first_block": first_block, "last_block": last_block, "slot": 1,
               "id": index, "is_final": 1, "attributes": ATTRIBUTES}
        self._set_bits(dut.is_written, 4 * index, 4, written)
        self._set_bits(dut.is_ready, 4 * index, 4, 0b1111 if is_ready else 0)
        self._set_bits(dut.may_go, index, 1, 1)
        self._set_bits(dut.failed, index, 1, failed)
        self._set_bits(dut.serving, 1, 1, not key_is_gone)
        ctx.set(dut.job.payload, job)
        ctx.set(dut.job.valid, 1)
        beats = []
        for block in range(first_block, last_block + 1):
            goes = written >> block & 1 and not failed and not key_is_gone
            beats.append((ciphertext(4 * index + block) if goes else 0, 0xFFFF if goes else 0, block == last_block))
        self.jobs.append((index, (index, 0x1000 + index << 6 | first_block << 4, last_block - first_block, 0), beats))
        self.free.remove(index)

    def make_ready(self, index):
        self._set_bits(self.dut.is_ready, 4 * index, 4, 0b1111)

    def add_plain(self, length):
        address = self.rng.getrandbits(40) << 4
        lock = self.rng.randrange(2)
        beats = [(self.rng.getrandbits(128), self.rng.getrandbits(16), n == length - 1) for n in range(length)]
        self.plain.append(((8, address, length - 1, lock), deque(beats), list(beats)))

    def _set_bits(self, port, offset, count, value):
        mask = (1 << count) - 1 << offset
        self.ctx.set(port, self.ctx.get(port) & ~mask | value << offset)

    def _offer_plain(self, *, begins):
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.plain.valid, bool(self.plain))
        has_beat = bool(self.plain and self.plain[0][1])
        is_offered = has_beat and (ctx.get(dut.plain_w.valid) or self.rng.random() >= self.gaps)
        ctx.set(dut.plain_w.valid, is_offered)
        ctx.set(dut.plain_may_go, begins)
        if self.plain:
            identity, address, length, lock = self.plain[0][0]
            ctx.set(dut.plain.payload, {"id": identity, "addr": address, "len": length, "size": 4,
                                        "burst": Burst.INCR, "lock": lock, "attributes": ATTRIBUTES})
        if has_beat:
            data, strobes, last = self.plain[0][1][0]
            ctx.set(dut.plain_w.payload, {"data": data, "strb": strobes, "last": last})

    async def step(self):
        ctx, dut, rng = self.ctx, self.dut, self.rng
        self._offer_plain(begins=rng.random() >= self.gaps)
        ctx.set(dut.aw.ready, rng.random() >= self.stalls)
        ctx.set(dut.w.ready, rng.random() >= self.stalls)
        ctx.set(dut.ciphertext, ciphertext(ctx.get(dut.place)))
        (_, _, aw, aw_taken, w, w_taken, plain_starts, plain_ready, beat_taken, sends, index,
         sends_in_vain) = await ctx.tick().sample(
            dut.aw.payload, dut.aw.valid & dut.aw.ready, dut.w.payload, dut.w.valid & dut.w.ready, dut.plain_starts,
            dut.plain.ready, dut.plain_w.valid & dut.plain_w.ready, dut.send, dut.send_index, dut.send_failed)
        ctx.set(dut.job.valid, 0)
        assert not (plain_starts and sends)
        if plain_starts:
            self.starts.append(("plain", *self.plain[0][0::2]))
        if sends:
            assert index == self.jobs[0][0]
            self.starts.append(self.jobs.popleft())
            assert not (sends_in_vain and any(strobes for _, strobes, _ in self.starts[-1][2]))
        if plain_ready and self.plain:
            assert not self.plain[0][1] or (beat_taken and len(self.plain[0][1]) == 1)
        if beat_taken:
            self.plain[0][1].popleft()
        if plain_ready and self.plain:
            self.plain.popleft()
        if aw_taken:
            assert {field: aw[field] for field in ATTRIBUTES} == ATTRIBUTES
            assert (aw.size, aw.burst) == (4, Burst.INCR)
            self.addresses.append((aw.id, aw.addr, aw.len, aw.lock))
        if w_taken:
            self.beats.append((w.data, w.strb, w.last))
        if len(self.addresses) == sum(last for *_, last in self.beats) == len(self.starts):
            self.free = set(range(ENTRIES)) - {job[0] for job in self.jobs}
        self.cycle += 1

    def check(self):
        """What reached DRAM is what was started, in that order."""
        assert self.addresses == [address for _, address, _ in self.starts]
        assert self.beats == [beat for _, _, beats in self.starts for beat in beats]


def play(dut, script):
    """Runs a script on a watched component and then checks DRAM's side."""
    async def testbench(ctx):
        bench = Bench(ctx, dut, random.Random(1))
        await script(bench)
        bench.check()

    simulate_watched(dut, [dut.aw, dut.w], testbench)


@PACES
def test_bursts_reach_dram_whole_and_in_the_order_of_their_starts(gaps, stalls):
    dut = issue()
    seed = 21
    print(f"seed {seed}")
    rng = random.Random(seed)
    kinds = set()

    async def testbench(ctx):
        bench = Bench(ctx, dut, rng, gaps=gaps, stalls=stalls)
        todo = 150
        waiting_jobs = []
        while todo or bench.plain or bench.jobs:
            if todo and rng.random() < 0.2:
                bench.add_plain(rng.choice([1, 1, 2, 4]))
                todo -= 1
            if todo and bench.free and rng.random() < 0.2:
                first = rng.randrange(4)
                index = rng.choice(sorted(bench.free))
                bench.add_job(index, first, rng.randint(first, 3), written=rng.randrange(16), is_ready=False,
                              failed=rng.random() < 0.2)
                waiting_jobs.append(index)
                todo -= 1
            for index in [index for index in waiting_jobs if rng.random() < 0.2]:
                bench.make_ready(index)
                waiting_jobs.remove(index)
            await bench.step()
            assert bench.cycle < 8000
        for _ in range(100):
            await bench.step()
        bench.check()
        kinds.update("plain" if start[0] == "plain" else "encrypted" for start in bench.starts)
        assert len(bench.starts) == 150

    simulate_watched(dut, [dut.aw, dut.w], testbench)
    assert kinds == {"plain", "encrypted"}


def test_a_plain_write_that_follows_an_encrypted_one_is_not_mistaken_for_it():
    async def script(bench):
        bench.add_job(0, 0, 3)
        for _ in range(3):
            await bench.step()
        bench.add_plain(2)
        for _ in range(10):
            await bench.step()
        assert [start[0] for start in bench.starts] == [0, "plain"]

    play(issue(), script)


def test_an_encrypted_write_that_follows_a_plain_one_is_not_mistaken_for_it():
    async def script(bench):
        bench.add_plain(4)
        await bench.step()
        bench.add_job(0, 0, 3)
        for _ in range(12):
            await bench.step()
        assert [start[0] for start in bench.starts] == ["plain", 0]

    play(issue(), script)


def test_a_beat_every_cycle_from_burst_to_burst():
    async def script(bench):
        for index in range(ENTRIES):
            bench.add_job(index, 0, 3)
            bench.add_plain(4)
            await bench.step()
        while len(bench.beats) < 8 * ENTRIES:
            await bench.step()
        assert bench.cycle == len(bench.beats)

    play(issue(), script)


def test_encrypted_writes_go_after_as_many_plain_ones_as_patience_says():
    async def script(bench):
        for _ in range(9):
            bench.add_plain(1)
        for index in range(3):
            bench.add_job(index, 0, 0)
            await bench.step()
        for _ in range(20):
            await bench.step()
        assert [start[0] for start in bench.starts] == ["plain", *["plain", "plain", 0], *["plain", "plain", 1],
                                                        *["plain", "plain", 2], *["plain", "plain"]]

    play(issue(patience=2), script)


@pytest.mark.parametrize("stalled", ["aw", "w"])
def test_address_and_data_do_not_wait_for_each_other(stalled):
    dut = issue()
    other = {"aw": dut.w, "w": dut.aw}[stalled]

    async def testbench(ctx):
        bench = Bench(ctx, dut, random.Random(1))
        bench.add_job(2, 1, 2)
        await bench.step()
        ctx.set(other.ready, 1)
        ctx.set(getattr(dut, stalled).ready, 0)
        taken = 0
        for _ in range(6):
            ctx.set(dut.ciphertext, ciphertext(ctx.get(dut.place)))
            _, _, valid = await ctx.tick().sample(other.valid)
            taken += valid
        assert taken == {"aw": 2, "w": 1}[stalled]
        assert ctx.get(getattr(dut, stalled).valid)

    simulate_watched(dut, [dut.aw, dut.w], testbench)


def test_a_write_whose_key_has_gone_before_its_start_is_sent_without_strobes():
    async def script(bench):
        bench.add_job(0, 0, 1, key_is_gone=True)
        while len(bench.beats) < 2:
            await bench.step()

    play(issue(), script)


def test_a_write_whose_key_goes_after_its_start_is_written_whole():
    async def script(bench):
        bench.add_job(0, 0, 3)
        while not bench.starts:
            await bench.step()
        bench.ctx.set(bench.dut.serving, 0)
        for _ in range(6):
            await bench.step()

    play(issue(), script)
