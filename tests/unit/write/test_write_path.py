"""The write path as a whole, between managers, a lane, a tweak engine, reads and DRAM that are all models."""

import functools
import random
from collections import deque

import pytest

from cbit.access.request import Route
from cbit.axi.ports import Response
from cbit.write.path import WritePath
from cbit_model.access import Access, Burst, burst_beats
from cbit_sim.requests import request
from cbit_sim.together import offered, set_together
from cbit_sim.watch import simulate_watched

C_BIT = 34
WRITES = 80
IDS = 4
SLOTS = 4
LANE_CYCLES = 10
TWEAK_CYCLES = 14
LINES = range(0x40, 0x4A)
PLAIN_LINES = range(0x4A, 0x50)
PIPELINED = pytest.mark.parametrize("pipelined", [False, True], ids=["short", "pipelined"])


def path(*, entries=8, id_width=2, pipelined=False):
    return WritePath(addr_width=36, data_width=128, c_bit=C_BIT, id_width=id_width, slot_width=2, slots=SLOTS,
                     entries=entries, patience=3, pipelined=pipelined)


@functools.cache
def tweak_of(line, slot):
    return random.Random(f"{line} {slot}").getrandbits(128)


@functools.cache
def mask_of(slot, tweak, number):
    return random.Random(f"{slot} {tweak} {number}").getrandbits(128)


class Surroundings:
    """Everything around the path, cycle by cycle; ``memory`` holds 16 bytes for each block, as an integer."""

    def __init__(self, dut, rng, *, gaps=0.0, stalls=0.0, dram_cycles=(4, 30)):
        self.dut, self.rng, self.gaps, self.stalls, self.dram_cycles = dut, rng, gaps, stalls, dram_cycles
        self.requests, self.beats, self.offers = deque(), deque(), []
        self.memory = {}
        self.lane, self.tweaks, self.reads = deque(), deque(), []
        self.addresses, self.data, self.bursts = deque(), [], []
        self.answers, self.addressed, self.log = [], [], []
        self.failing_lines = set()
        self.read_cycles = (5, 30)
        self.lane_is_ready = True
        self.last_answered = self.cycle = 0

    def add(self, route, identity, address, beats, *, slot=1, size=4, burst=Burst.INCR, resp=Response.SLVERR):
        """A write of ``beats``, each its data and strobe."""
        access = Access(address=address, id=identity, length=len(beats), size=size, burst=burst)
        self.requests.append(request(access) | {"route": route, "slot": slot, "resp": resp, "lock": 0,
                                                "attributes": {"cache": 1, "prot": 2, "qos": 3, "region": 4}})
        # WLAST is as it comes, and must not count.
        self.beats.extend({"data": data, "strb": strb, "last": self.rng.randrange(2)} for data, strb in beats)

    async def step(self, ctx):
        dut, rng = self.dut, self.rng
        set_together(
            ctx, *self._offer(dut.i, self.requests), *self._offer(dut.s_w, self.beats),
            *((stream.ready, rng.random() >= self.stalls) for stream in (dut.aw, dut.w, dut.b)),
            (dut.lane_i.ready, self.lane_is_ready or rng.random() >= 0.5),
            (dut.merge.ready, len(self.reads) < 4 and rng.random() >= self.stalls),
            *self._lane_answer(), *self._tweak_answer(), *self._read_answer(), *self._write_answer())
        streams = (dut.i, dut.s_w, dut.aw, dut.w, dut.b, dut.lane_i, dut.merge, dut.tweak_request)
        sampled = await ctx.tick().sample(*(stream.valid & stream.ready for stream in streams),
                                          *(stream.payload for stream in streams[2:]))
        taken = sampled[2:10]
        aw, w, b, lane, merge, tweak = sampled[10:]
        for stream, queue, is_taken in zip(streams, (self.requests, self.beats), taken, strict=False):
            if is_taken:
                queue.popleft()
                self.offers.remove(stream)
        if taken[2]:
            self.addressed.append((self.cycle, aw.id, aw.addr))
            self.addresses.append((aw.id, aw.addr, aw.len))
        if taken[3]:
            self.data.append((w.data, w.strb, w.last))
        if taken[4]:
            self.answers.append((self.cycle, b.id, b.resp))
        if taken[5]:
            out = lane.data ^ mask_of(lane.slot, lane.tweak, lane.number)
            self.lane.append((self.cycle + LANE_CYCLES, out, lane.tag))
        if taken[6]:
            self._read(merge)
        if taken[7]:
            self.tweaks.append((self.cycle + TWEAK_CYCLES, tweak.index, tweak_of(tweak.line, tweak.slot)))
        self._gather_burst()
        self.cycle += 1

    def _offer(self, stream, queue):
        """What was offered stays so until it is taken."""
        if queue and stream not in self.offers and self.rng.random() >= self.gaps:
            self.offers.append(stream)
        return offered(stream, queue[0] if stream in self.offers else None)

    def block_of(self, line, block, slot=1):
        """What the owner of the slot reads."""
        return self.memory.get(line << 2 | block, 0) ^ mask_of(slot, tweak_of(line, slot), block)

    def _lane_answer(self):
        answer = None
        if self.lane and self.lane[0][0] <= self.cycle:
            _, block, tag = self.lane.popleft()
            answer = {"data": block, "tag": tag}
        return offered(self.dut.lane_o, answer)

    def _tweak_answer(self):
        answer = None
        if self.tweaks and self.tweaks[0][0] <= self.cycle:
            _, index, tweak = self.tweaks.popleft()
            answer = {"index": index, "tweak": tweak}
        return offered(self.dut.tweak, answer)

    def _read(self, merge):
        block = merge.line << 2 | merge.beat
        plain = self.memory.get(block, 0) ^ mask_of(merge.slot, tweak_of(merge.line, merge.slot), merge.beat)
        self.reads.append((self.cycle + self.rng.randint(*self.read_cycles), merge.place, plain,
                           merge.line in self.failing_lines))
        self.log.append(("read", self.cycle, block))

    def _read_answer(self):
        ready, answer = [read for read in self.reads if read[0] <= self.cycle], None
        if ready:
            read = self.rng.choice(ready)
            self.reads.remove(read)
            answer = {"place": read[1], "data": read[2], "failed": read[3]}
        return offered(self.dut.merged, answer)

    def _gather_burst(self):
        """A burst changes the memory at any time until it is answered."""
        if self.addresses and self.data and len(self.data) > self.addresses[0][2]:
            identity, address, length = self.addresses.popleft()
            beats, self.data = self.data[:length + 1], self.data[length + 1:]
            assert [last for _, _, last in beats] == [0] * length + [1]
            answered = self.cycle + self.rng.randint(*self.dram_cycles)
            self.bursts.append([self.rng.randint(self.cycle, answered), answered, identity, address >> 4, beats])
        for burst in self.bursts:
            if burst[4] and burst[0] <= self.cycle and not any(
                    other[4] for other in self.bursts[:self.bursts.index(burst)] if other[2] == burst[2]):
                for offset, (data, strb, _) in enumerate(burst[4]):
                    self._store(burst[3] + offset, data, strb)
                burst[4] = []

    def _store(self, block, data, strb):
        mask = sum(0xFF << 8 * lane for lane in range(16) if strb >> lane & 1)
        self.memory[block] = self.memory.get(block, 0) & ~mask | data & mask
        self.log.append(("write", self.cycle, block))

    def _write_answer(self):
        first, answer = {}, None
        for burst in self.bursts:
            first.setdefault(burst[2], burst)
        ready = [burst for burst in first.values() if burst[1] <= self.cycle and not burst[4]]
        if ready:
            burst = self.rng.choice(ready)
            self.bursts.remove(burst)
            self.last_answered = self.cycle
            answer = {"id": burst[2], "resp": Response.OKAY}
        return offered(self.dut.dram_b, answer)


def play(dut, surroundings, script):
    async def testbench(ctx):
        ctx.set(dut.serving, (1 << SLOTS) - 1)
        await script(ctx, surroundings)

    simulate_watched(dut, [dut.aw, dut.w, dut.b, dut.lane_i, dut.merge], testbench)


async def until_answered(ctx, surroundings, count, limit=12000):
    while len(surroundings.answers) < count:
        await surroundings.step(ctx)
        assert surroundings.cycle < limit, f"{len(surroundings.answers)} of {count} answered"


def owned_strobe(rng, identity):
    """Some of the bytes that belong to an ID."""
    mine = sum(1 << lane for lane in range(16) if lane % IDS == identity)
    return rng.choice([mine, mine & rng.getrandbits(16), 0])


@PIPELINED
@pytest.mark.parametrize(("gaps", "stalls", "entries", "id_width"), [
    (0, 0, 8, 2), pytest.param(0.6, 0, 8, 2, marks=pytest.mark.slow), (0, 0.6, 4, 2), (0.3, 0.3, 16, 8),
], ids=["full speed", "gaps", "stalls", "gaps and stalls, wide IDs"])
def test_no_byte_is_lost_between_writers_of_one_line(gaps, stalls, entries, id_width, pipelined):
    dut = path(entries=entries, id_width=id_width, pipelined=pipelined)
    seed = 31
    print(f"seed {seed}")
    rng = random.Random(seed)
    surroundings = Surroundings(dut, rng, gaps=gaps, stalls=stalls)
    surroundings.lane_is_ready = stalls == 0
    expected, ids = {}, []
    for line in LINES:
        for block in range(4):
            surroundings.memory[line << 2 | block] = mask_of(1, tweak_of(line, 1), block)
    for _ in range(WRITES):
        identity = rng.randrange(IDS)
        kind = rng.choice([Route.ENCRYPTED] * 5 + [Route.PLAIN] * 2 + [Route.DENIED])
        if kind is Route.ENCRYPTED:
            block = rng.randrange(LINES[0] << 2, LINES[-1] << 2)
            beats = [(rng.getrandbits(128), owned_strobe(rng, identity)) for _ in range(rng.randint(1, 8))]
            beats = beats[:(LINES[-1] + 1 << 2) - block]
            for offset, (data, strb) in enumerate(beats):
                for lane in range(16):
                    if strb >> lane & 1:
                        expected[block + offset, lane] = data >> 8 * lane & 0xFF
            surroundings.add(kind, identity, block << 4, beats)
        else:
            block = (PLAIN_LINES[0] << 2) + IDS * rng.randrange(4) + identity
            beats = [(rng.getrandbits(128), 0xFFFF)]
            if kind is Route.PLAIN:
                expected[block, "plain"] = beats[0][0]
            surroundings.add(kind, identity, block << 4, beats)
        ids.append((identity, Response.SLVERR if kind is Route.DENIED else Response.OKAY))

    async def script(ctx, surroundings):
        await until_answered(ctx, surroundings, WRITES)

    play(dut, surroundings, script)
    for (block, lane), value in expected.items():
        if lane == "plain":
            assert surroundings.memory[block] == value
        else:
            assert surroundings.block_of(block >> 2, block & 3) >> 8 * lane & 0xFF == value, (hex(block), lane)
    for identity in range(IDS):
        answers = [resp for _, other, resp in surroundings.answers if other == identity]
        assert answers == [resp for other, resp in ids if other == identity]


@PIPELINED
def test_every_kind_size_and_alignment(pipelined):
    """Byte for byte as the model says, whatever the strobes; the last of several bytes in one place counts."""
    dut = path(pipelined=pipelined)
    seed = 32
    print(f"seed {seed}")
    rng = random.Random(seed)
    surroundings = Surroundings(dut, rng)
    expected = {}
    for number in range(60):
        size = rng.randrange(5)
        burst = rng.choice([Burst.INCR, Burst.INCR, Burst.WRAP, Burst.FIXED])
        length = rng.choice([2, 4, 8, 16]) if burst is Burst.WRAP else rng.randint(1, 16)
        address = (number << 8) + rng.randrange(192)
        if burst is Burst.WRAP:
            address &= -(1 << size)
        beats = [(rng.getrandbits(128), 0) for _ in range(length)]
        for beat, lanes in enumerate(burst_beats(address, length, size, burst)):
            strobe = lanes.lanes & rng.choice([0xFFFF, 0xF0F3])
            beats[beat] = beats[beat][0], strobe
            for lane in range(16):
                if strobe >> lane & 1:
                    expected[lanes.container | lane] = beats[beat][0] >> 8 * lane & 0xFF
        surroundings.add(Route.ENCRYPTED, number % IDS, address, beats, size=size, burst=burst)
    untouched = {}
    for block in range(60 << 4):
        line = block >> 2
        surroundings.memory[block] = rng.getrandbits(128)
        for lane in range(16):
            untouched[block << 4 | lane] = surroundings.block_of(line, block & 3) >> 8 * lane & 0xFF

    async def script(ctx, surroundings):
        await until_answered(ctx, surroundings, 60)

    play(dut, surroundings, script)
    for address, before in untouched.items():
        block, lane = address >> 4, address & 15
        assert surroundings.block_of(block >> 2, block & 3) >> 8 * lane & 0xFF == expected.get(address, before)


@PIPELINED
@pytest.mark.parametrize("kinds", [[Route.PLAIN], [Route.ENCRYPTED], [Route.PLAIN, Route.ENCRYPTED]],
                         ids=["plain", "encrypted", "mixed"])
@pytest.mark.parametrize("length", [1, 4], ids=["blocks", "lines"])
def test_a_beat_every_cycle(length, kinds, pipelined):
    dut = path(entries=64, pipelined=pipelined)
    surroundings = Surroundings(dut, random.Random(1), dram_cycles=(4, 4))
    bursts = 192 // length
    for number in range(bursts):
        surroundings.add(kinds[number % len(kinds)], number % 2, 0x1000 + (number << 6), [(number, 0xFFFF)] * length,
                         slot=number % SLOTS)

    async def script(ctx, surroundings):
        await until_answered(ctx, surroundings, bursts)

    play(dut, surroundings, script)
    assert surroundings.cycle <= 192 + 100


@pytest.mark.parametrize(("pipelined", "expected"), [(False, (1, 1)), (True, (12, 4))], ids=["short", "pipelined"])
def test_a_plain_write_and_its_answer_take_their_cycles(expected, pipelined):
    dut = path(pipelined=pipelined)
    surroundings = Surroundings(dut, random.Random(1))
    cycles = []

    async def script(ctx, surroundings):
        for _ in range(10):
            await surroundings.step(ctx)
        surroundings.add(Route.PLAIN, 1, 0x1000, [(5, 0xFFFF)])
        begun = surroundings.cycle
        await until_answered(ctx, surroundings, 1)
        cycles.extend([surroundings.addressed[0][0] - begun,
                       surroundings.answers[0][0] - surroundings.last_answered])

    play(dut, surroundings, script)
    assert tuple(cycles) == expected


@PIPELINED
@pytest.mark.parametrize("page", [0x21, 0x57, 0x7d, 0x5a7], ids=hex)
def test_a_plain_write_passes_encrypted_ones_but_for_its_id_and_for_partial_ones_of_its_page(page, pipelined):
    dut = path(pipelined=pipelined)
    surroundings = Surroundings(dut, random.Random(1))
    surroundings.add(Route.ENCRYPTED, 0, 0x10000, [(1, 0xFFFF)] * 4)
    surroundings.add(Route.ENCRYPTED, 0, page << 12, [(2, 0x00FF)])
    surroundings.add(Route.PLAIN, 1, 0x33000, [(3, 0xFFFF)])
    surroundings.add(Route.PLAIN, 2, page << 12 | 0x800, [(4, 0xFFFF)])
    surroundings.add(Route.PLAIN, 0, 0x34000, [(5, 0xFFFF)])

    async def script(ctx, surroundings):
        await until_answered(ctx, surroundings, 5)

    play(dut, surroundings, script)
    order = [address for _, _, address in surroundings.addressed]
    assert order == [0x33000, 0x10000, page << 12, page << 12 | 0x800, 0x34000]
    partial_answered = [cycle for cycle, identity, _ in surroundings.answers if identity == 0][1]
    assert surroundings.addressed[3][0] >= partial_answered


@PIPELINED
@pytest.mark.parametrize("page", [0x21, 0x57, 0x7d, 0x5a7], ids=hex)
def test_a_partial_write_reads_once_the_plain_writes_to_its_page_are_answered(page, pipelined):
    dut = path(pipelined=pipelined)
    surroundings = Surroundings(dut, random.Random(1), dram_cycles=(200, 200))
    surroundings.read_cycles = (1, 1)
    surroundings.add(Route.PLAIN, 1, page << 12 | 0x40, [(3, 0xFFFF)])
    surroundings.add(Route.ENCRYPTED, 0, page << 12 | 0x40, [(4, 0x00FF)])

    async def script(ctx, surroundings):
        await until_answered(ctx, surroundings, 2)

    play(dut, surroundings, script)
    (read,) = [cycle for kind, cycle, _ in surroundings.log if kind == "read"]
    assert read >= surroundings.addressed[0][0] + 200


@PIPELINED
@pytest.mark.parametrize("plains", [20, 45, 70])
def test_a_line_that_waits_for_its_read_goes_however_many_plain_writes_pass(plains, pipelined):
    dut = path(pipelined=pipelined)
    surroundings = Surroundings(dut, random.Random(1), dram_cycles=(2, 4))
    surroundings.read_cycles = (600, 600)
    surroundings.add(Route.ENCRYPTED, 0, 0x10000, [(1, 0x00FF)])
    for number in range(plains):
        surroundings.add(Route.PLAIN, 1 + number % 3, 0x20000, [(number, 0xFFFF)])

    async def script(ctx, surroundings):
        await until_answered(ctx, surroundings, plains + 1, limit=2000)

    play(dut, surroundings, script)


@PIPELINED
@pytest.mark.parametrize("cause", ["read", "key"])
def test_what_fails_is_not_written_and_others_are(cause, pipelined):
    """A read of DRAM that fails, or a key that goes while a line is in the lane: nothing of the line is written."""
    dut = path(pipelined=pipelined)
    surroundings = Surroundings(dut, random.Random(1))
    for block in range(0x40 << 2, 0x48 << 2):
        surroundings.memory[block] = block
    if cause == "read":
        surroundings.failing_lines.add(0x41)
    for line in range(0x40, 0x44):
        strobes = [0x00FF if line == 0x41 else 0xFFFF, 0xFFFF]
        surroundings.add(Route.ENCRYPTED, line % 2, line << 6, [(line, strobe) for strobe in strobes],
                         slot=2 if line == 0x41 else 1)
    surroundings.add(Route.ENCRYPTED, 2, 0x45 << 6, [(0x45, 0xFFFF)] * 8, slot=2 if cause == "key" else 1)

    async def script(ctx, surroundings):
        while cause == "key" and not surroundings.lane:
            await surroundings.step(ctx)
        if cause == "key":
            ctx.set(dut.serving, 0b1011)
        await until_answered(ctx, surroundings, 5)

    play(dut, surroundings, script)
    answers = {(identity, resp) for _, identity, resp in surroundings.answers}
    gone = {0x41, 0x45, 0x46} if cause == "key" else {0x41}
    assert answers == {(0, Response.OKAY), (1, Response.OKAY), (1, Response.SLVERR),
                       (2, Response.SLVERR if cause == "key" else Response.OKAY)}
    for line in (0x40, 0x41, 0x42, 0x43, 0x45, 0x46):
        for block in range(2):
            if line in gone:
                assert surroundings.memory[line << 2 | block] == line << 2 | block
            else:
                assert surroundings.block_of(line, block) & (1 << 64) - 1 == min(line, 0x45)


@PIPELINED
def test_a_slot_is_busy_until_its_writes_are_sent_though_others_go_on(pipelined):
    dut = path(pipelined=pipelined)
    surroundings = Surroundings(dut, random.Random(1))
    busy = []

    async def script(ctx, surroundings):
        ctx.set(dut.drain_slot, 2)
        for number in range(12):
            surroundings.add(Route.ENCRYPTED, 0, number << 6, [(1, 0xFFFF)] * 4, slot=2 if number == 3 else 1)
        while len(surroundings.answers) < 12:
            await surroundings.step(ctx)
            busy.append((ctx.get(dut.drain_busy), len(surroundings.requests), len(surroundings.addressed)))

    play(dut, surroundings, script)
    during = [is_busy for is_busy, left, sent in busy if left < 8 and sent < 4]
    after = [is_busy for is_busy, _, sent in busy if sent >= 5]
    assert set(during) == {1}
    assert set(after) == {0}
