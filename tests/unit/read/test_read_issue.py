# amaranth: UnusedElaboratable=no

"""What is asked of DRAM: plain bursts as they came, chunks of encrypted ones, blocks for partial writes."""

import random
from collections import deque

import pytest

from cbit.access.request import Route
from cbit.axi.ports import Burst as AxiBurst
from cbit.axi.ports import Response
from cbit.read.entry import ReadKind
from cbit.read.issue import ReadIssue
from cbit_model.access import Access, Burst, burst_beats, malformed
from cbit_sim.requests import request
from cbit_sim.streams import always, send
from cbit_sim.watch import simulate_watched

C_BIT = 34
BEATS = 256
DENIED_ENDS = 0.2
"""How likely it is in each cycle that the answer to a denied read ends."""

ATTRIBUTES = {"cache": 3, "prot": 2, "qos": 5, "region": 6}


def issue(*, patience=3, pipelined=False):
    return ReadIssue(addr_width=36, data_width=128, c_bit=C_BIT, id_width=2, slot_width=2, places=16, beats=BEATS,
                     patience=patience, pipelined=pipelined)


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
        return [["denied", access.length - 1, Response.DECERR]]
    if route is Route.PLAIN:
        return [["plain", access.address, access.length - 1, access.size, access.burst]]
    parts = chunks(access)
    return [["encrypted", address, repeats, slot, number == len(parts)]
            for number, (address, repeats) in enumerate(parts, start=1)]


def repeats_of(plan, blocks):
    """The beats that each block of a burst serves, as its plan says."""
    if blocks == 1:
        return [plan.first_repeat + 1]
    return [plan.first_repeat + 1, *[plan.inner_repeat + 1] * (blocks - 2), plan.last_repeat + 1]


class Surroundings:
    """What is in flight, DRAM and the answers to denied reads; sorts what comes by ID."""

    def __init__(self, dut, rng, *, stalls):
        self.dut, self.rng, self.stalls = dut, rng, stalls
        self.seen = {identity: [] for identity in range(4)}
        self.sent = deque()
        self.merges = []
        self.stored = 0
        self.cycle = 0

    async def step(self, ctx):
        dut, rng = self.dut, self.rng
        if not ctx.get(dut.ar.valid) or ctx.get(dut.ar.ready):
            ctx.set(dut.may_send, rng.random() >= self.stalls)
            ctx.set(dut.may_decrypt, rng.random() >= self.stalls)
        ctx.set(dut.ar.ready, rng.random() >= self.stalls)
        ctx.set(dut.denied.ready, not ctx.get(dut.denied_busy))
        if ctx.get(dut.denied_busy) and rng.random() < DENIED_ENDS:
            ctx.set(dut.denied_busy, 0)
        answered = {ctx.get(dut.denied_id)} if ctx.get(dut.denied_busy) else set()
        leaves = self.stored > 0 and rng.random() >= self.stalls
        ctx.set(dut.give, leaves)
        _, _, send, sent, taken, address, denied, denied_taken = await ctx.tick().sample(
            dut.send, dut.sent, dut.ar.valid & dut.ar.ready, dut.ar.payload, dut.denied.payload,
            dut.denied.valid & dut.denied.ready)
        self.cycle += 1
        self.stored -= leaves
        if denied_taken:
            self.seen[denied.id].append(["denied", denied.len, denied.resp])
            ctx.set(dut.denied_busy, 1)
            ctx.set(dut.denied_id, denied.id)
        if send:
            assert sent.kind is ReadKind.MERGE or sent.plan.id not in answered
            place = []
            (self.merges if sent.kind is ReadKind.MERGE else self.seen[sent.plan.id]).append(place)
            self.sent.append((sent, place))
        if taken:
            sent, place = self.sent.popleft()
            place.extend(self._burst(address, sent))

    def _burst(self, address, sent):
        """A burst that DRAM takes, compared with what was said of it as it was sent."""
        plan = sent.plan
        assert {name: address[name] for name in ATTRIBUTES} == ATTRIBUTES
        assert plan.id == address.id
        assert plan.is_merge == (sent.kind is ReadKind.MERGE)
        if sent.kind is not ReadKind.MERGE:
            self.stored += address.len + 1
            assert self.stored <= BEATS
        if sent.kind is ReadKind.PLAIN:
            return ["plain", address.addr, address.len, address.size, address.burst.value]
        assert (address.size, address.burst, address.lock) == (4, AxiBurst.INCR, 0)
        assert address.addr == sent.line << 6 | plan.first_beat << 4
        if sent.kind is ReadKind.MERGE:
            return [address.addr, plan.slot, plan.place]
        return ["encrypted", address.addr, repeats_of(plan, address.len + 1), plan.slot, plan.is_final]


async def offer_reads(ctx, dut, requests, *, pace=always):
    """Sends accesses, and tells the ID that comes after each."""
    ids = deque(wanted["id"] for wanted in requests)

    def foresee():
        goes = pace()
        if goes:
            ids.popleft()
        ctx.set(dut.next_id, ids[0] if ids else 0)
        return goes

    await send(ctx, dut.i, requests, pace=foresee)


@pytest.mark.parametrize("pipelined", [False, True], ids=["direct", "pipelined"])
@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (0.6, 0), (0, 0.5), (0.5, 0.4)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_every_access_reaches_dram_in_the_order_of_its_id(gaps, stalls, pipelined):
    dut = issue(pipelined=pipelined)
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
    merges = [[rng.getrandbits(C_BIT - 4) << 4, rng.randrange(4), place] for place in range(16)]
    wanted = sum(len(items) for items in expected.values())
    around = Surroundings(dut, rng, stalls=stalls)

    async def offer(ctx):
        await offer_reads(ctx, dut, requests, pace=lambda: rng.random() >= gaps)

    async def offer_merges(ctx):
        await send(ctx, dut.merge, [
            {"line": address >> 6, "beat": address >> 4 & 3, "slot": slot, "id": 3, "place": place,
             "attributes": ATTRIBUTES} for address, slot, place in merges], pace=lambda: rng.random() < 0.1)

    async def surround(ctx):
        while len(around.merges) < len(merges) or sum(map(len, around.seen.values())) < wanted or around.sent:
            await around.step(ctx)
            assert around.cycle < 20000

    simulate_watched(dut, [dut.ar, dut.denied], offer, offer_merges, surround)
    assert around.seen == expected
    assert around.merges == merges


def encrypted(identity, length=16):
    return request(Access(address=0x4000, id=identity, length=length)) | {"route": Route.ENCRYPTED}


def plain(identity, length=1):
    return {"route": Route.PLAIN, "id": identity, "addr": 0x8000, "len": length - 1, "size": 4, "burst": Burst.INCR}


def kinds_sent(*requests, cycles, patience=3, pipelined=False):
    """The kinds of the bursts that go in each cycle."""
    dut = issue(patience=patience, pipelined=pipelined)
    kinds = []

    async def offer(ctx):
        for member in (dut.may_send, dut.may_decrypt, dut.ar.ready):
            ctx.set(member, 1)
        await offer_reads(ctx, dut, requests)

    async def watch(ctx):
        for _ in range(cycles):
            _, _, sends, kind = await ctx.tick().sample(dut.send, dut.sent.kind)
            kinds.append(kind.name.lower() if sends else None)

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


def test_one_burst_a_cycle_if_pipelined():
    assert kinds_sent(*[plain(1, 4)] * 30, cycles=20, pipelined=True)[4:] == ["plain"] * 16
    assert kinds_sent(*[encrypted(1), encrypted(2)] * 3, cycles=12, pipelined=True)[3:] == ["encrypted"] * 9


def test_a_plain_access_waits_for_room_for_all_of_its_beats():
    dut = issue()

    async def testbench(ctx):
        ctx.set(dut.may_send, 1)
        ctx.set(dut.ar.ready, 1)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, plain(1, 256))
        await ctx.tick()
        ctx.set(dut.i.payload, plain(1, 2))
        ctx.set(dut.give, 1)
        for _ in range(2):
            assert not ctx.get(dut.ar.valid)
            await ctx.tick()
        assert ctx.get(dut.ar.valid)

    simulate_watched(dut, [dut.ar], testbench)


def test_managers_beats_take_no_room_from_partial_writes():
    dut = issue()

    async def testbench(ctx):
        for member in (dut.may_send, dut.may_decrypt, dut.ar.ready, dut.i.valid):
            ctx.set(member, 1)
        ctx.set(dut.i.payload, plain(1, 256))
        await ctx.tick()
        for payload in (plain(1), encrypted(1)):
            ctx.set(dut.i.payload, payload)
            assert not ctx.get(dut.ar.valid)
        ctx.set(dut.merge.valid, 1)
        assert ctx.get(dut.merge.ready)
        assert ctx.get(dut.sent.kind) == ReadKind.MERGE

    simulate_watched(dut, [dut.ar], testbench)


def test_what_need_not_be_decrypted_needs_no_entry():
    dut = issue()

    async def testbench(ctx):
        for member in (dut.may_send, dut.ar.ready, dut.i.valid, dut.merge.valid):
            ctx.set(member, 1)
        ctx.set(dut.i.payload, encrypted(1))
        assert not ctx.get(dut.ar.valid)
        assert not ctx.get(dut.merge.ready)
        ctx.set(dut.i.payload, plain(2))
        assert ctx.get(dut.ar.valid)

    simulate_watched(dut, [dut.ar], testbench)
