# amaranth: UnusedElaboratable=no

"""The whole read path between models of managers, DRAM, tweaks and lane."""

import itertools
import random
from collections import deque

import pytest

from cbit.access.request import Route
from cbit.axi.ports import Response
from cbit.read.path import ReadPath
from cbit_model.access import Access, Burst, burst_beats, malformed
from cbit_sim.requests import request
from cbit_sim.together import offered, set_together
from cbit_sim.watch import simulate_watched

C_BIT = 34
SLOTS = 3
LANE_CYCLES = 6

CONFIGURATIONS = {
    "direct": {"pipelined": False, "id_width": 2, "entries": 8, "ids": range(4)},
    "direct many": {"pipelined": False, "id_width": 8, "entries": 32, "ids": [0, 1, 3, *range(5, 256, 50)]},
    "pipelined": {"pipelined": True, "id_width": 2, "entries": 8, "ids": range(4)},
    "pipelined many": {"pipelined": True, "id_width": 8, "entries": 32, "ids": [0, 1, 3, *range(5, 256, 50)]},
    "direct wide": {"pipelined": False, "id_width": 2, "entries": 8, "ids": range(4), "data_width": 256},
    "pipelined widest": {"pipelined": True, "id_width": 2, "entries": 8, "ids": range(4), "data_width": 512},
}


def tweak_of(line, slot):
    return random.Random(line << 8 | slot).getrandbits(128)


class Content:
    """What there is in beats of some width."""

    def __init__(self, data_width):
        self.data_width = data_width
        self.bus_bytes = data_width // 8
        self.size = self.bus_bytes.bit_length() - 1
        self.per_line = 64 // self.bus_bytes
        self.ones = (1 << data_width) - 1

    def stored(self, address):
        """What DRAM holds."""
        return random.Random(address).getrandbits(self.data_width)

    def unscrambled(self, data, slot, tweak, number):
        """What a lane makes of a beat."""
        return (data + (slot << 32) + tweak * (2 * number + 1)) & self.ones

    def decrypted(self, address, slot):
        line, number = address >> 6, address % 64 // self.bus_bytes
        return self.unscrambled(self.stored(address), slot, tweak_of(line, slot), number)

    def beats(self, access):
        return burst_beats(access.address, access.length, access.size, access.burst, self.bus_bytes)


class Around:
    """Everything outside, cycle by cycle."""

    def __init__(self, ctx, dut, rng, *, stalls=0.0, dram_stalls=0.0, latency=(1, 1), tweak_cycles=4, lane_busy=0.0):
        self.ctx, self.dut, self.rng = ctx, dut, rng
        self.stalls, self.dram_stalls, self.latency = stalls, dram_stalls, latency
        self.tweak_cycles, self.lane_busy = tweak_cycles, lane_busy
        self.content = Content(dut.data_width)
        self.cycle = 0
        self.requests, self.merges = deque(), deque()
        self.beats = {}
        self.merged = []
        self.lane, self.tweaks = deque(), deque()
        self.jobs = {}
        self.dram_offer = None
        self.offers = {}
        self.errors = {}
        self.dram_held = 0
        ctx.set(dut.serving, (1 << SLOTS) - 1)

    def _dram(self):
        if self.dram_offer is None and self.rng.random() >= self.dram_stalls:
            due = [identity for identity, jobs in self.jobs.items() if jobs and jobs[0][0] <= self.cycle]
            if due:
                identity = self.rng.choice(due)
                _, beats = self.jobs[identity][0]
                address = beats.popleft()
                if not beats:
                    self.jobs[identity].popleft()
                self.dram_offer = {"id": identity, "data": self.content.stored(address), "last": not beats,
                                   "resp": self.errors.get(address & -64, Response.OKAY)}
        return offered(self.dut.dram_r, self.dram_offer)

    def _request(self, stream, queue, pace):
        """What was offered stays so until it is taken."""
        if stream not in self.offers and queue and self.rng.random() >= pace:
            self.offers[stream] = queue[0]
        return offered(stream, self.offers.get(stream))

    def _tweak(self):
        comes = bool(self.tweaks) and self.tweaks[0][0] <= self.cycle
        return offered(self.dut.tweak, self.tweaks.popleft()[1] if comes else None)

    def _block(self):
        out = None
        if self.lane and self.lane[0][0] == self.cycle:
            payload = self.lane.popleft()[1]
            plain = self.content.unscrambled(payload.data, payload.slot, payload.tweak, payload.number)
            out = {"data": plain, "tag": payload.tag}
        return offered(self.dut.lane_o, out)

    async def step(self, *, gaps=0.0):
        ctx, dut, rng = self.ctx, self.dut, self.rng
        dram, request = self._dram(), self._request(dut.i, self.requests, gaps)
        following = list(itertools.islice(self.requests, 2))[dut.i in self.offers:]
        set_together(
            ctx, *dram, *request, (dut.next_id, following[0]["id"] if following else 0),
            *self._request(dut.merge, self.merges, 0.5), *self._tweak(), *self._block(),
            (dut.lane_i.ready, rng.random() >= self.lane_busy), (dut.r.ready, rng.random() >= self.stalls),
            (dut.ar.ready, rng.random() >= self.dram_stalls))
        (_, _, request, merge, ar, address, r, beat, dram, lane, lane_payload, asks, tweak, merged,
         merged_payload) = await ctx.tick().sample(
            dut.i.valid & dut.i.ready, dut.merge.valid & dut.merge.ready, dut.ar.valid & dut.ar.ready, dut.ar.payload,
            dut.r.valid & dut.r.ready, dut.r.payload, dut.dram_r.ready, dut.lane_i.valid & dut.lane_i.ready,
            dut.lane_i.payload, dut.tweak_request.valid, dut.tweak_request.payload, dut.merged.valid,
            dut.merged.payload)
        if request:
            self.requests.popleft()
            del self.offers[dut.i]
        if merge:
            self.merges.popleft()
            del self.offers[dut.merge]
        if ar:
            self._accept(address)
        if r:
            self.beats.setdefault(beat.id, []).append((beat.data, beat.resp, beat.last, self.cycle))
        if self.dram_offer is not None:
            self.dram_held = 0 if dram else self.dram_held + 1
            if dram:
                self.dram_offer = None
        if lane:
            self.lane.append((self.cycle + LANE_CYCLES, lane_payload))
        if asks:
            self.tweaks.append((self.cycle + self.tweak_cycles,
                                {"index": tweak.index, "tweak": tweak_of(tweak.line, tweak.slot)}))
        if merged:
            self.merged.append((merged_payload.place, merged_payload.data, merged_payload.failed))
        self.cycle += 1

    def _accept(self, address):
        beats = burst_beats(address.addr, address.len + 1, address.size, Burst(int(address.burst.value)),
                            self.content.bus_bytes)
        due = self.cycle + self.rng.randint(*self.latency)
        self.jobs.setdefault(address.id, deque()).append((due, deque(beat.container for beat in beats)))

    def received(self):
        """The beats of each ID without their cycles."""
        return {identity: [beat[:3] for beat in beats] for identity, beats in self.beats.items()}


class Traffic:
    """Random reads and what must come of them."""

    def __init__(self, around, rng, ids):
        self.around, self.rng, self.ids = around, rng, ids
        self.content = around.content
        self.expected = {}
        self.merges = []

    def request(self, route=None, *, access=None, slot=None):
        rng = self.rng
        route = route or rng.choice([Route.PLAIN, Route.PLAIN, Route.ENCRYPTED, Route.ENCRYPTED, Route.DENIED])
        access = access or self._access()
        slot = rng.randrange(SLOTS) if slot is None else slot
        self.around.requests.append(request(access, self.content.bus_bytes) | {
            "route": route, "slot": slot, "resp": Response.SLVERR})
        beats = self.expected.setdefault(access.id, [])
        for number, (place, _) in enumerate(self.content.beats(access), 1):
            resp = self.around.errors.get(place & -64, Response.OKAY)
            if route is Route.PLAIN:
                beats.append((self.content.stored(place), resp, number == access.length))
            elif route is Route.DENIED:
                beats.append((self.content.ones, Response.SLVERR, number == access.length))
            else:
                failed = resp != Response.OKAY
                data = self.content.ones if failed else self.content.decrypted(place, slot)
                beats.append((data, resp, number == access.length))

    def _access(self):
        rng, size = self.rng, self.content.size
        while True:
            access = Access(address=rng.randrange(16) << 12 | rng.randrange(4096), id=rng.choice(self.ids),
                            length=rng.choice([1, 1, 2, 4, 4, 8, rng.randint(1, 40)]),
                            size=rng.choice([size, size, 4, 2, 0]),
                            burst=rng.choice([Burst.INCR, Burst.INCR, Burst.WRAP, Burst.FIXED]))
            if not malformed(access, self.content.bus_bytes):
                return access

    def merge(self):
        place, line, beat, slot = (self.rng.randrange(limit) for limit in (16, 512, self.content.per_line, SLOTS))
        address = line << 6 | beat * self.content.bus_bytes
        self.around.merges.append({"line": line, "beat": beat, "slot": slot, "id": self.rng.choice(self.ids),
                                   "place": place})
        resp = self.around.errors.get(address & -64)
        self.merges.append((place, resp is not None, None if resp else self.content.decrypted(address, slot)))


def build(name):
    sizes = {field: value for field, value in CONFIGURATIONS[name].items() if field != "ids"}
    return ReadPath(**({"addr_width": 36, "data_width": 128, "c_bit": C_BIT, "slot_width": 2, "slots": SLOTS,
                        "places": 16, "patience": 3} | sizes))


def run(name, script, *, seed=91, limit_cycles=30_000, **paces):
    print(f"seed {seed}")
    dut = build(name)

    async def testbench(ctx):
        around = Around(ctx, dut, random.Random(seed), **paces)
        await script(around, Traffic(around, random.Random(seed + 1), CONFIGURATIONS[name]["ids"]))

    simulate_watched(dut, [dut.ar, dut.r, dut.lane_i], testbench, limit_cycles=limit_cycles)


async def settle(around, traffic, *, gaps=0.0):
    wanted = {identity: len(beats) for identity, beats in traffic.expected.items()}
    while ({identity: len(beats) for identity, beats in around.beats.items()} != wanted
           or len(around.merged) < len(traffic.merges)):
        await around.step(gaps=gaps)
    received = around.received()
    for identity, beats in traffic.expected.items():
        assert received[identity] == beats, f"ID {identity}"
    merged = [(place, bool(failed), None if failed else data) for place, data, failed in around.merged]
    assert sorted(map(repr, merged)) == sorted(map(repr, traffic.merges))


PACES = {"swift": {}, "unordered": {"latency": (1, 60), "dram_stalls": 0.3},
         "stalled": {"stalls": 0.5, "latency": (1, 20)},
         "late tweaks": {"tweak_cycles": 40, "lane_busy": 0.3, "stalls": 0.2}}


@pytest.mark.parametrize(("name", "pace"), [
    pytest.param(name, pace, marks=pytest.mark.slow if " " in name and pace in ("swift", "stalled") else ())
    for name, pace in itertools.product(CONFIGURATIONS, PACES)])
def test_every_read_gets_its_data_in_the_order_of_its_id(name, pace):
    async def script(around, traffic):
        for line in range(0, 16 << 12, 64 * 9):
            around.errors[line] = traffic.rng.choice([Response.SLVERR, Response.DECERR])
        for number in range(120):
            traffic.request()
            if number % 3 == 0:
                traffic.merge()
        await settle(around, traffic, gaps=0.2)

    run(name, script, **PACES[pace])


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_manager_that_takes_nothing_stops_no_partial_write(name):
    async def script(around, traffic):
        around.stalls = 1.0
        for number in range(480 // traffic.content.per_line):
            access = Access(address=number % 512 << 6, id=number % 2, length=traffic.content.per_line,
                            size=traffic.content.size, burst=Burst.INCR)
            traffic.request(Route.ENCRYPTED if number % 2 else Route.PLAIN, access=access)
        for _ in range(400):
            await around.step()
        assert around.requests
        assert around.dram_held == 0
        for _ in range(40):
            traffic.merge()
        while len(around.merged) < 40:
            await around.step()
        around.stalls = 0.0
        await settle(around, traffic)

    run(name, script, latency=(3, 30))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_slot_is_busy_until_its_last_read_is_decrypted(name):
    slot = 1

    async def script(around, traffic):
        around.ctx.set(around.dut.drain_slot, slot)
        for length in (1, 4, 40, 7):
            for _ in range(600):
                await around.step()
                if not around.ctx.get(around.dut.drain_busy):
                    break
            assert not around.ctx.get(around.dut.drain_busy)
            access = Access(address=length << 12, id=1, length=length, size=traffic.content.size, burst=Burst.INCR)
            traffic.request(Route.ENCRYPTED, access=access, slot=slot)
            while around.requests:
                await around.step()
            inside = length
            while inside:
                assert around.ctx.get(around.dut.drain_busy), f"{inside} of {length} are still inside"
                await around.step()
                inside -= around.ctx.get(around.dut.lane_o.valid)
        await settle(around, traffic)

    run(name, script, latency=(5, 40), tweak_cycles=9)


SORTED_CYCLES = 25
"""A single read has gone to DRAM by then, been answered and been sorted."""


@pytest.mark.parametrize("name", ["direct", "pipelined"])
def test_a_plain_read_waits_for_encrypted_ones_of_its_id_alone(name):
    async def script(around, traffic):
        for first, second in itertools.product(range(4), repeat=2):
            for route, identity in ((Route.ENCRYPTED, first), (Route.PLAIN, second)):
                access = Access(address=0x1000, id=identity, length=1, size=4, burst=Burst.INCR)
                traffic.request(route, access=access)
                for _ in range(SORTED_CYCLES):
                    await around.step()
            await settle(around, traffic)
            encrypted, plain = (around.beats[identity][place][3] for identity, place in (
                (first, -1 - (first == second)), (second, -1)))
            assert (plain > encrypted) == (first == second), f"IDs {first} and {second}"

    run(name, script, tweak_cycles=3 * SORTED_CYCLES)


CHANGE_CYCLES = 4
"""What a change between plain and encrypted costs an ID at most, if pipelined."""


@pytest.mark.parametrize("name", ["direct many", "pipelined many"])
@pytest.mark.parametrize("routes", [(Route.PLAIN,), (Route.ENCRYPTED,), (Route.PLAIN, Route.ENCRYPTED)],
                         ids=["plain", "encrypted", "in turn"])
@pytest.mark.parametrize("length", [4, 1], ids=["lines", "single beats"])
@pytest.mark.parametrize("ids", [1, 4], ids=["one ID", "IDs in turn"])
def test_a_beat_every_cycle(name, routes, length, ids):
    async def script(around, traffic):
        for number in range(300 // length):
            access = Access(address=number % 64 << 6, id=number % ids, length=length, size=4, burst=Burst.INCR)
            traffic.request(routes[number % len(routes)], access=access, slot=number % SLOTS)
        await settle(around, traffic)
        cycles = sorted(beat[3] for beats in around.beats.values() for beat in beats)
        changes = (len(cycles) - 120) // length if len(routes) > 1 and ids == 1 and "pipelined" in name else 0
        assert cycles[-60] - cycles[60] <= 1.1 * (len(cycles) - 120) + CHANGE_CYCLES * changes

    run(name, script, limit_cycles=4000)
