# amaranth: UnusedElaboratable=no

"""What is asked of DRAM: plain bursts as they came, chunks of encrypted ones, blocks for partial writes."""

import random
import re

import pytest

from cbit.access.request import Route
from cbit.axi.ports import Burst as AxiBurst
from cbit.axi.ports import Response
from cbit.read.entry import ReadKind
from cbit.read.issue import ReadIssue
from cbit_model.access import Access, Burst, burst_beats, malformed
from cbit_sim.requests import request
from cbit_sim.streams import send
from cbit_sim.watch import simulate_watched

C_BIT = 34
PLAIN_BEATS = 256
ATTRIBUTES = {"cache": 3, "prot": 2, "qos": 5, "region": 6}


def issue(*, patience=3):
    return ReadIssue(addr_width=36, c_bit=C_BIT, id_width=2, slot_width=2, blocks=16, plain_beats=PLAIN_BEATS,
                     patience=patience)


def chunks(access):
    """For each burst to DRAM its address, and the beats that each of its blocks serves."""
    found = []
    previous = -1
    for container, lanes in burst_beats(access.address, access.length, access.size, access.burst):
        start = container + (lanes & -lanes).bit_length()
        follows = found and container >> 6 == found[-1][0] >> 6 and (start > previous or access.burst == Burst.FIXED)
        if not follows:
            found.append((container, [0]))
        elif container > found[-1][0] + 16 * (len(found[-1][1]) - 1):
            found[-1][1].append(0)
        found[-1][1][-1] += 1
        previous = start
    return found


def random_access(rng):
    while True:
        access = Access(address=rng.getrandbits(C_BIT - 12) << 12 | rng.randrange(4096), id=rng.randrange(3),
                        length=rng.choice([1, 1, 2, 4, 8, 16, 32, rng.randint(1, 256)]), size=rng.randrange(5),
                        burst=rng.choice([Burst.INCR, Burst.INCR, Burst.WRAP, Burst.FIXED]))
        if not malformed(access):
            return access


def expected_of(access, route, slot):
    """What an access leads to, in order."""
    if route is Route.DENIED:
        return [("denied", access.length - 1, Response.DECERR)]
    if route is Route.PLAIN:
        return [("plain", access.address, access.length - 1, access.size, access.burst)]
    parts = chunks(access)
    return [("encrypted", address, repeats, slot, number == len(parts))
            for number, (address, repeats) in enumerate(parts, start=1)]


def repeats_of(entry):
    """The beats that each block of a burst serves, as its entry says."""
    inner = entry.last_block - entry.first_block - 1
    if inner < 0:
        return [entry.first_repeat + 1]
    return [entry.first_repeat + 1, *[entry.inner_repeat + 1] * inner, entry.last_repeat + 1]


class Surroundings:
    """The table, DRAM and the answers to denied reads; sorts what comes by ID."""

    def __init__(self, dut, rng, *, stalls):
        self.dut, self.rng, self.stalls = dut, rng, stalls
        self.seen = {identity: [] for identity in range(4)}
        self.merges = []
        self.plain_stored = 0
        self.cycle = 0

    async def step(self, ctx):
        dut, rng = self.dut, self.rng
        free = rng.random() >= self.stalls
        held = ctx.get(dut.ar.valid) and not ctx.get(dut.ar.ready)
        if not held:
            ctx.set(dut.manager_free, free)
            ctx.set(dut.merge_free, rng.random() >= self.stalls)
        ctx.set(dut.ar.ready, rng.random() >= self.stalls)
        ctx.set(dut.denied.ready, not ctx.get(dut.denied_busy))
        if ctx.get(dut.denied_busy) and rng.random() >= self.stalls:
            ctx.set(dut.denied_busy, 0)
        leaves = self.plain_stored > 0 and rng.random() >= self.stalls
        ctx.set(dut.plain_delivered, leaves)
        _, _, allocate, address, entry, line, denied, denied_taken = await ctx.tick().sample(
            dut.allocate, dut.ar.payload, dut.entry, dut.line, dut.denied.payload,
            dut.denied.valid & dut.denied.ready)
        self.cycle += 1
        self.plain_stored -= leaves
        if denied_taken:
            self.seen[denied.id].append(("denied", denied.len, denied.resp))
            ctx.set(dut.denied_busy, 1)
            ctx.set(dut.denied_id, denied.id)
        if allocate:
            self._note_burst(address, entry, line)

    def _note_burst(self, address, entry, line):
        assert {name: address[name] for name in ATTRIBUTES} == ATTRIBUTES
        assert entry.id == address.id
        if entry.kind is ReadKind.PLAIN:
            self.plain_stored += address.len + 1
            assert self.plain_stored <= PLAIN_BEATS
            self.seen[address.id].append(("plain", address.addr, address.len, address.size, address.burst.value))
            return
        assert (address.size, address.burst, address.lock) == (4, AxiBurst.INCR, 0)
        assert address.addr == line << 6 | entry.first_block << 4
        assert address.len == entry.last_block - entry.first_block
        if entry.kind is ReadKind.MERGE:
            self.merges.append((address.addr, entry.slot, entry.place))
        else:
            self.seen[address.id].append(("encrypted", address.addr, repeats_of(entry), entry.slot, entry.is_final))


@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (0.6, 0), (0, 0.5), (0.5, 0.4)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_every_access_reaches_dram_in_the_order_of_its_id(gaps, stalls):
    dut = issue()
    seed = 71
    print(f"seed {seed}")
    rng = random.Random(seed)
    requests, expected = [], {identity: [] for identity in range(4)}
    for _ in range(120):
        access, slot = random_access(rng), rng.randrange(4)
        route = rng.choice([Route.PLAIN, Route.ENCRYPTED, Route.ENCRYPTED, Route.DENIED])
        requests.append(request(access) | {"route": route, "slot": slot, "resp": Response.DECERR,
                                           "attributes": ATTRIBUTES})
        expected[access.id] += expected_of(access, route, slot)
    merges = [(rng.getrandbits(C_BIT - 4) << 4, rng.randrange(4), place) for place in range(16)]
    wanted = sum(len(items) for items in expected.values())
    around = Surroundings(dut, rng, stalls=stalls)

    async def offer(ctx):
        await send(ctx, dut.i, requests, pace=lambda: rng.random() >= gaps)

    async def offer_merges(ctx):
        await send(ctx, dut.merge, [
            {"line": address >> 6, "block": address >> 4 & 3, "slot": slot, "id": 3, "place": place,
             "attributes": ATTRIBUTES} for address, slot, place in merges], pace=lambda: rng.random() < 0.1)

    async def surround(ctx):
        while len(around.merges) < len(merges) or sum(map(len, around.seen.values())) < wanted:
            await around.step(ctx)
            assert around.cycle < 20000

    simulate_watched(dut, [dut.ar, dut.denied], offer, offer_merges, surround)
    assert around.seen == expected
    assert around.merges == merges


def encrypted(identity, length=16):
    return request(Access(address=0x4000, id=identity, length=length)) | {"route": Route.ENCRYPTED}


def plain(identity, length=1):
    return {"route": Route.PLAIN, "id": identity, "addr": 0x8000, "len": length - 1, "size": 4, "burst": Burst.INCR}


def kinds_sent(*requests, cycles, patience=3):
    """The kinds of the bursts that DRAM takes in each cycle."""
    dut = issue(patience=patience)
    kinds = []

    async def offer(ctx):
        ctx.set(dut.manager_free, 1)
        ctx.set(dut.merge_free, 1)
        ctx.set(dut.ar.ready, 1)
        await send(ctx, dut.i, requests)

    async def watch(ctx):
        for _ in range(cycles):
            _, _, allocate, kind = await ctx.tick().sample(dut.allocate, dut.entry.kind)
            kinds.append(kind.name.lower() if allocate else None)

    simulate_watched(dut, [dut.ar], offer, watch)
    return kinds


def test_a_chunk_every_cycle():
    assert kinds_sent(encrypted(1), encrypted(1), encrypted(2), cycles=12) == ["encrypted"] * 12


def test_a_plain_access_passes_chunks_of_another_id_but_not_of_its_own():
    assert kinds_sent(encrypted(1), plain(2), cycles=5) == ["encrypted", "plain", *["encrypted"] * 3]
    assert kinds_sent(encrypted(1), plain(1), cycles=5) == [*["encrypted"] * 4, "plain"]


def test_plain_accesses_pass_no_more_often_than_patience_says():
    assert kinds_sent(encrypted(1), *[plain(2)] * 4, cycles=8, patience=2) == [
        "encrypted", "plain", "plain", "encrypted", "plain", "plain", "encrypted", "encrypted"]


def test_a_plain_access_waits_for_room_for_all_of_its_beats():
    dut = issue()

    async def testbench(ctx):
        ctx.set(dut.manager_free, 1)
        ctx.set(dut.ar.ready, 1)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, plain(1, 256))
        await ctx.tick()
        ctx.set(dut.i.payload, plain(1, 2))
        ctx.set(dut.plain_delivered, 1)
        for _ in range(2):
            assert not ctx.get(dut.ar.valid)
            await ctx.tick()
        assert ctx.get(dut.ar.valid)

    simulate_watched(dut, [dut.ar], testbench)


def test_a_full_table_stops_managers_and_not_partial_writes():
    dut = issue()

    async def testbench(ctx):
        ctx.set(dut.merge_free, 1)
        ctx.set(dut.ar.ready, 1)
        ctx.set(dut.i.valid, 1)
        for payload, kept_waiting in ((plain(1), True), (encrypted(1), False)):
            ctx.set(dut.i.payload, payload)
            assert not ctx.get(dut.ar.valid)
            assert ctx.get(dut.i.ready) != kept_waiting
        ctx.set(dut.merge.valid, 1)
        assert ctx.get(dut.merge.ready)
        assert ctx.get(dut.entry.kind) == ReadKind.MERGE

    simulate_watched(dut, [dut.ar], testbench)


def test_refuses_too_little_room_for_plain_beats():
    with pytest.raises(ValueError, match=re.escape("Plain beats must be at least 256, not 255")):
        ReadIssue(addr_width=36, c_bit=C_BIT, id_width=2, slot_width=2, blocks=16, plain_beats=255, patience=1)
