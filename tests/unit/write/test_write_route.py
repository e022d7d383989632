"""Write data find the access they belong to, whichever comes first."""

import random
from collections import deque

import pytest

from cbit.access.request import Route
from cbit.axi.ports import Response
from cbit.write.route import WriteRoute
from cbit_model.access import Access
from cbit_sim.requests import request as fields_of
from cbit_sim.streams import send
from cbit_sim.watch import simulate_watched

C_BIT = 34


def route():
    return WriteRoute(c_bit=C_BIT, id_width=4, slot_width=2)


def request(kind, *, identity=0, length=1, address=0x4000, slot=0):
    return {"route": kind, "slot": slot, "resp": Response.OKAY if kind is Route.DISCARDED else Response.SLVERR,
            **fields_of(Access(address=address, id=identity, length=length))}


class Sinks:
    """The plain way, the gatherer and the answers behind the component."""

    def __init__(self, dut, rng, *, stalls):
        self.dut, self.rng, self.stalls = dut, rng, stalls
        self.plain, self.encrypted, self.refused = [], [], []
        self.plain_beats = []
        self.chunk_beats = []
        self.chunk_left = None
        self.answering = deque()
        self.order = []
        self.cycle = 0

    async def step(self, ctx):
        dut, rng = self.dut, self.rng
        goes = rng.random() >= self.stalls
        ctx.set(dut.refused_busy, bool(self.answering))
        if self.answering:
            ctx.set(dut.refused_id, self.answering[0])
        ctx.set(dut.refused.ready, not self.answering)
        for name in ("plain_w", "chunk_w"):
            ctx.set(getattr(dut, name).ready, goes)
        is_plain_end = ctx.get(dut.plain_w.valid) and ctx.get(dut.plain_w.payload.last) and goes
        ctx.set(dut.plain.ready, ctx.get(dut.plain.valid) and is_plain_end)
        is_chunk_end = (ctx.get(dut.chunk.valid) and ctx.get(dut.chunk_w.valid) and goes
                        and len(self.chunk_beats) == ctx.get(dut.chunk.payload.beats))
        ctx.set(dut.chunk.ready, is_chunk_end)
        (_, _, plain, plain_taken, plain_data, plain_w_taken, chunk, chunk_taken, chunk_data, chunk_w_taken, refused,
         refused_taken) = await ctx.tick().sample(
            dut.plain.payload, dut.plain.valid & dut.plain.ready, dut.plain_w.payload.data,
            dut.plain_w.valid & dut.plain_w.ready, dut.chunk.payload, dut.chunk.valid & dut.chunk.ready,
            dut.chunk_w.payload.data, dut.chunk_w.valid & dut.chunk_w.ready, dut.refused.payload,
            dut.refused.valid & dut.refused.ready)
        assert not (plain_w_taken and chunk_w_taken)
        if self.answering and rng.random() >= self.stalls:
            self.answering.popleft()
        if plain_w_taken:
            self.plain_beats.append(plain_data)
        if plain_taken:
            self.order.append((plain.id, "plain", self.plain_beats))
            self.plain_beats = []
        if chunk_w_taken:
            self.chunk_beats.append(chunk_data)
        if chunk_taken:
            assert len(self.chunk_beats) == chunk.beats + 1
            self.order.append((chunk.id, "chunk", self.chunk_beats))
            self.chunk_beats = []
        if refused_taken:
            self.order.append((refused.id, refused.resp, []))
            self.answering.append(refused.id)
        self.cycle += 1


def expected_order(requests):
    """Where the beats of each access go; every beat carries its number."""
    number = 0
    for item in requests:
        beats = list(range(number, number + item["len"] + 1))
        number += len(beats)
        match item["route"]:
            case Route.PLAIN:
                yield item["id"], "plain", beats
            case Route.ENCRYPTED:
                yield from ((item["id"], "chunk", beats[place:place + 4]) for place in range(0, len(beats), 4))
            case _:
                yield item["id"], item["resp"], []


@pytest.mark.parametrize(("address_gaps", "data_gaps", "stalls"), [
    (0, 0, 0), (0.8, 0, 0), (0, 0.8, 0), (0, 0, 0.6), (0.4, 0.4, 0.4),
], ids=["full speed", "data before addresses", "addresses before data", "stalls", "gaps and stalls"])
def test_no_beat_goes_astray(address_gaps, data_gaps, stalls):
    route_random_writes(111, address_gaps, data_gaps, stalls)


@pytest.mark.parametrize("wrong_wlast", [{0}, set(), {1, 3, 5, 7}], ids=["early", "missing", "now and then"])
def test_a_wrong_wlast_leads_no_beat_astray(wrong_wlast):
    route_random_writes(112, 0.2, 0.2, 0.2, wrong_wlast)


def route_random_writes(seed, address_gaps, data_gaps, stalls, wrong_wlast=None):
    """With ``wrong_wlast``, WLAST marks the beats of these numbers instead of each write's last one."""
    dut = route()
    print(f"seed {seed}")
    rng = random.Random(seed)
    requests = [request(rng.choice(list(Route)), identity=rng.randrange(3), length=rng.choice([1, 2, 4, 9]))
                for _ in range(120)]
    beats = [{"data": 0, "strb": 0xFFFF,
              "last": number == item["len"] if wrong_wlast is None else number in wrong_wlast}
             for item in requests for number in range(item["len"] + 1)]
    for number, beat in enumerate(beats):
        beat["data"] = number
    expected = list(expected_order(requests))
    sinks = Sinks(dut, rng, stalls=stalls)

    async def offer(ctx):
        await send(ctx, dut.i, requests, pace=lambda: rng.random() >= address_gaps)

    async def offer_data(ctx):
        await send(ctx, dut.w, beats, pace=lambda: rng.random() >= data_gaps)

    async def take(ctx):
        while len(sinks.order) < len(expected):
            await sinks.step(ctx)
            assert sinks.cycle < 10000

    simulate_watched(dut, [dut.plain_w, dut.chunk_w, dut.chunk], offer, offer_data, take)
    assert sinks.order == expected


def test_a_beat_every_cycle():
    dut = route()
    requests = [request(kind, length=8) for kind in (Route.PLAIN, Route.ENCRYPTED) * 5]
    beats = [{"data": n, "strb": 0xFFFF, "last": n % 8 == 7} for n in range(80)]
    sinks = Sinks(dut, random.Random(1), stalls=0)

    async def offer(ctx):
        await send(ctx, dut.i, requests)

    async def offer_data(ctx):
        await send(ctx, dut.w, beats)

    async def take(ctx):
        while len(sinks.order) < 15:
            await sinks.step(ctx)

    simulate_watched(dut, [], offer, offer_data, take)
    assert sinks.cycle == 80


def test_no_write_passes_a_refusal_of_its_id():
    dut = route()

    async def testbench(ctx):
        ctx.set(dut.refused_busy, 1)
        ctx.set(dut.refused_id, 3)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.w.valid, 1)
        for kind, stream in ((Route.PLAIN, dut.plain), (Route.ENCRYPTED, dut.chunk)):
            for identity in (3, 4):
                ctx.set(dut.i.payload, request(kind, identity=identity))
                assert ctx.get(stream.valid) == (identity != 3)

    simulate_watched(dut, [], testbench)


def test_drain_sees_what_remains_of_an_access():
    dut = route()

    async def testbench(ctx):
        ctx.set(dut.drain_slot, 2)
        ctx.set(dut.i.payload, request(Route.ENCRYPTED, length=8, slot=2))
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.chunk.ready, 1)
        assert not ctx.get(dut.drain_busy)
        await ctx.tick()
        ctx.set(dut.i.valid, 0)
        assert ctx.get(dut.drain_busy)
        await ctx.tick()
        assert not ctx.get(dut.drain_busy)

    simulate_watched(dut, [], testbench)
