"""From slot to way: who passes at once, who waits, and who is denied."""

import random

import pytest

from cbit.access.lookup import KeyLookup
from cbit.access.request import Route
from cbit.axi.ports import Response
from cbit_sim.streams import collect, send
from cbit_sim.watch import foreseen, simulate_watched

ASID_COUNT, WAYS = 11, 3


def lookup():
    return KeyLookup(c_bit=40, id_width=4, asid_count=ASID_COUNT, key_ways=WAYS)


def request(slot, *, route=Route.ENCRYPTED, number=0):
    return {"route": route, "slot": slot, "addr": 64 * number, "id": number % 16, "resp": Response.OKAY}


def set_ways(ctx, dut, *slots):
    """The slot of each way, or none."""
    ctx.set(dut.keys.ways, [{"valid": slot is not None, "slot": slot or 0} for slot in slots])


def test_what_finds_its_key_passes_in_a_cycle_with_its_way():
    dut = lookup()

    async def testbench(ctx):
        set_ways(ctx, dut, 7, 0, 10)
        ctx.set(dut.o.ready, 1)
        for slot, way in ((10, 2), (7, 0), (0, 1)):
            ctx.set(dut.i.payload, request(slot))
            ctx.set(dut.i.valid, 1)
            assert ctx.get(dut.i.ready)
            assert ctx.get(dut.keys.used) == 1 << way
            assert not ctx.get(dut.keys.wanted.valid)
            await ctx.tick()
            ctx.set(dut.i.valid, 0)
            assert ctx.get(dut.o.valid)
            assert ctx.get(dut.o.payload.slot) == way
            assert ctx.get(dut.o.payload.route) == Route.ENCRYPTED
            assert ctx.get(dut.keys.used) == 0

    simulate_watched(dut, [dut.o], testbench)


@pytest.mark.parametrize("route", [route for route in Route if route != Route.ENCRYPTED])
def test_what_needs_no_key_passes_whatever_its_slot(route):
    dut = lookup()

    async def testbench(ctx):
        set_ways(ctx, dut, None, 4, None)
        ctx.set(dut.o.ready, 1)
        for slot in (0, 4):
            ctx.set(dut.i.payload, request(slot, route=route))
            ctx.set(dut.i.valid, 1)
            assert (ctx.get(dut.i.ready), ctx.get(dut.keys.wanted.valid), ctx.get(dut.keys.used)) == (1, 0, 0)
            await ctx.tick()
            assert ctx.get(dut.o.payload.route) == route

    simulate_watched(dut, [dut.o], testbench)


def test_what_finds_no_key_waits_for_it_and_holds_the_others_back():
    dut = lookup()

    async def testbench(ctx):
        set_ways(ctx, dut, 7, None, 10)
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.keys.ways[1].slot, 3)  # not valid
        ctx.set(dut.i.payload, request(3))
        ctx.set(dut.i.valid, 1)
        for _ in range(20):
            assert (ctx.get(dut.i.ready), ctx.get(dut.o.valid), ctx.get(dut.keys.used)) == (0, 0, 0)
            wanted = ctx.get(dut.keys.wanted)
            assert (wanted.valid, wanted.slot) == (1, 3)
            ctx.set(dut.keys.absent, {"valid": 1, "slot": 7})  # another's
            await ctx.tick()
        ctx.set(dut.keys.absent, {"valid": 0, "slot": 3})
        assert not ctx.get(dut.i.ready)
        set_ways(ctx, dut, 7, 3, 10)
        assert ctx.get(dut.i.ready)
        await ctx.tick()
        assert ctx.get(dut.o.payload.slot) == 1

    simulate_watched(dut, [dut.o], testbench)


def test_what_has_no_key_any_more_is_denied():
    dut = lookup()

    async def testbench(ctx):
        set_ways(ctx, dut, 7, None, 10)
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.i.payload, request(3))
        ctx.set(dut.i.valid, 1)
        await ctx.tick()
        ctx.set(dut.keys.absent, {"valid": 1, "slot": 3})
        assert ctx.get(dut.i.ready)
        await ctx.tick()
        assert ctx.get(dut.o.payload.route) == Route.DENIED
        assert ctx.get(dut.o.payload.resp) == Response.SLVERR

    simulate_watched(dut, [dut.o], testbench)


@pytest.mark.parametrize(("accesses", "ways"), [
    ([(10, Route.ENCRYPTED), (3, Route.PLAIN)], {2}), ([(3, Route.PLAIN), (10, Route.ENCRYPTED)], {2}),
    ([(10, Route.ENCRYPTED), (7, Route.ENCRYPTED)], {2, 0}), ([(3, Route.ENCRYPTED)], {1}), ([], set())])
def test_a_way_is_busy_while_an_access_under_it_is_here(accesses, ways):
    dut = lookup()

    async def testbench(ctx):
        set_ways(ctx, dut, 7, 3, 10)
        for slot, route in accesses:
            ctx.set(dut.i.payload, request(slot, route=route))
            ctx.set(dut.i.valid, 1)
            await ctx.tick()
        ctx.set(dut.i.valid, 0)
        for way in range(WAYS):
            ctx.set(dut.drain_way, way)
            assert ctx.get(dut.drain_busy) == (way in ways)
        ctx.set(dut.o.ready, 1)
        await ctx.tick().repeat(2)
        for way in range(WAYS):
            ctx.set(dut.drain_way, way)
            assert not ctx.get(dut.drain_busy)

    simulate_watched(dut, [dut.o], testbench)


@pytest.mark.parametrize("stalls", [0, 0.5])
def test_order_is_kept(stalls):
    dut = lookup()
    rng = random.Random(4)
    slots = [rng.randrange(ASID_COUNT) for _ in range(200)]
    ways = [None] * WAYS
    seen = []

    async def sender(ctx):
        await send(ctx, dut.i, [request(slot, number=number) for number, slot in enumerate(slots)])

    async def keeper(ctx):
        """Finds a way for what is wanted, after a while."""
        while len(seen) < len(slots):
            wanted = ctx.get(dut.keys.wanted)
            if wanted.valid and rng.random() < 0.3:
                ways[rng.randrange(WAYS)] = wanted.slot
                set_ways(ctx, dut, *ways)
            await ctx.tick()

    async def receiver(ctx):
        for number, slot in enumerate(slots):
            ((_, taken),) = await collect(ctx, dut.o, 1, pace=lambda: rng.random() >= stalls)
            assert taken.addr == 64 * number
            assert taken.route == Route.ENCRYPTED
            seen.append((slot, taken.slot))

    simulate_watched(dut, [dut.o], sender, keeper, receiver, foreseen(dut.o, dut.next_id, len(slots)))
    assert len(seen) == len(slots)
