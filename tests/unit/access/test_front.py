"""The address channel's entry: when an access is taken, and by which state it is decided."""

import random

import pytest

from cbit.access.front import AddressFront
from cbit.access.request import Route, Violation
from cbit.axi.ports import Burst
from cbit_sim.streams import collect, send
from cbit_sim.watch import simulate_watched

C_BIT = 34
PRIVATE = 1 << C_BIT | 0x1000


def front():
    return AddressFront(addr_width=36, c_bit=C_BIT, id_width=4, asid_count=4, is_write=False)


def access(*, asid=1, identity=0, address=PRIVATE):
    return {"id": identity, "addr": address, "size": 4, "burst": Burst.INCR, "user": asid}


def play(testbench):
    dut = front()

    async def switched_on(ctx):
        ctx.set(dut.released, 1)
        ctx.set(dut.mode, {"sme": 1, "tsme": 0, "sev": 1})
        ctx.set(dut.active, 0b1111)
        await testbench(ctx, dut)

    simulate_watched(dut, [dut.o], switched_on)


def test_nothing_is_taken_or_logged_before_release():
    async def testbench(ctx, dut):
        ctx.set(dut.released, 0)
        ctx.set(dut.active, 0)
        ctx.set(dut.i.payload, access())
        ctx.set(dut.i.valid, 1)
        for _ in range(4):
            _, _, ready, shown, logged = await ctx.tick().sample(dut.i.ready, dut.o.valid, dut.violation.valid)
            assert (ready, shown, logged) == (0, 0, 0)
        ctx.set(dut.released, 1)
        assert ctx.get(dut.i.ready)
        assert ctx.get(dut.violation.valid)

    play(testbench)


@pytest.mark.parametrize("was_active", [True, False])
def test_the_state_of_the_cycle_of_acceptance_decides(was_active):
    async def testbench(ctx, dut):
        ctx.set(dut.active, 0b1111 if not was_active else 0b1101)
        ctx.set(dut.i.payload, access())
        await ctx.tick()
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.active, 0b1111 if was_active else 0b1101)
        await ctx.tick()
        ctx.set(dut.i.valid, 0)
        ctx.set(dut.active, 0b1101 if was_active else 0b1111)
        for _ in range(3):
            assert ctx.get(dut.o.payload.route) == (Route.ENCRYPTED if was_active else Route.DENIED)
            await ctx.tick()

    play(testbench)


def test_each_denied_access_is_logged_once_and_as_it_was_given():
    async def testbench(ctx, dut):
        events = []
        ctx.set(dut.active, 0b1101)
        ctx.set(dut.i.payload, access(asid=1, identity=7))
        ctx.set(dut.i.valid, 1)
        for _ in range(6):
            _, _, event, logged = await ctx.tick().sample(dut.violation.payload, dut.violation.valid)
            if logged:
                events.append((event.kind, event.asid, event.id, event.addr))
        assert events == [(Violation.SLOT_INACTIVE, 1, 7, PRIVATE)] * 2

    play(testbench)


def test_drain_sees_an_access_from_the_cycle_after_its_acceptance_until_it_leaves():
    async def testbench(ctx, dut):
        ctx.set(dut.drain_slot, 2)
        ctx.set(dut.i.valid, 1)
        for asid in (1, 2):
            ctx.set(dut.i.payload, access(asid=asid))
            assert not ctx.get(dut.drain_busy)
            await ctx.tick()
        ctx.set(dut.i.valid, 0)
        ctx.set(dut.o.ready, 1)
        for _ in range(2):
            assert ctx.get(dut.drain_busy)
            await ctx.tick()
        assert not ctx.get(dut.drain_busy)

    play(testbench)


@pytest.mark.parametrize("address", [0x1000, 1 << 35], ids=["plain", "denied"])
def test_drain_does_not_wait_for_what_uses_no_key(address):
    async def testbench(ctx, dut):
        ctx.set(dut.i.payload, access(asid=0, address=address))
        ctx.set(dut.i.valid, 1)
        await ctx.tick()
        assert ctx.get(dut.o.valid)
        assert not ctx.get(dut.drain_busy)

    play(testbench)


@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (0.6, 0), (0, 0.6), (0.5, 0.5)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_accesses_stay_in_order(gaps, stalls):
    dut = front()
    rng = random.Random(5)
    work = [access(asid=rng.randrange(4), identity=n % 16, address=n << 6) for n in range(100)]
    taken = []

    async def offer(ctx):
        ctx.set(dut.released, 1)
        ctx.set(dut.mode.sev, 1)
        ctx.set(dut.active, 0b1011)
        await send(ctx, dut.i, work, pace=lambda: rng.random() >= gaps)

    async def take(ctx):
        taken.extend(await collect(ctx, dut.o, len(work), pace=lambda: rng.random() >= stalls))

    simulate_watched(dut, [dut.o], offer, take)
    assert [(request.addr, request.route) for _, request in taken] == [
        (item["addr"], Route.DENIED if item["user"] == 2 else Route.PLAIN) for item in work]
    if not (gaps or stalls):
        assert taken[-1][0] == len(work)
