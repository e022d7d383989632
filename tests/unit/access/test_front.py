"""The address channel's entry: when an access is taken, and by which state it is decided."""

import random

import pytest
from amaranth.hdl import Elaboratable, Module, Signal

from cbit.access.front import AddressFront
from cbit.access.request import Route, Violation
from cbit.axi.ports import Burst
from cbit_sim.streams import collect, send
from cbit_sim.watch import foreseen, simulate_watched

C_BIT = 34
PRIVATE = 1 << C_BIT | 0x1000
LATENCY = {False: 1, True: 3}
PIPELINED = pytest.mark.parametrize("pipelined", LATENCY, ids=["one cycle", "pipelined"])


class Front(Elaboratable):
    """A front that is told which slots are active."""

    def __init__(self, *, pipelined):
        self.front = AddressFront(addr_width=36, data_width=128, c_bit=C_BIT, id_width=4, asid_count=4, is_write=False,
                                  pipelined=pipelined)
        self.active = Signal(4)

    def __getattr__(self, name):
        return getattr(self.front, name)

    def elaborate(self, _platform):
        m = Module()
        m.submodules.front = self.front
        m.d.comb += [
            self.front.own_is_active.eq(self.active.bit_select(self.front.asid, 1)),
            self.front.host_is_active.eq(self.active[0]),
        ]
        return m


def access(*, asid=1, identity=0, address=PRIVATE):
    return {"id": identity, "addr": address, "size": 4, "burst": Burst.INCR, "user": asid}


def play(testbench, *, pipelined):
    dut = Front(pipelined=pipelined)

    async def switched_on(ctx):
        ctx.set(dut.released, 1)
        ctx.set(dut.mode, {"sme": 1, "tsme": 0, "sev": 1})
        ctx.set(dut.active, 0b1111)
        await testbench(ctx, dut)

    simulate_watched(dut, [dut.o], switched_on)


@PIPELINED
def test_nothing_is_taken_or_logged_before_release(pipelined):
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
        for _ in range(LATENCY[pipelined] - 1):
            await ctx.tick()
        assert ctx.get(dut.violation.valid)

    play(testbench, pipelined=pipelined)


@PIPELINED
@pytest.mark.parametrize("was_active", [True, False])
def test_the_state_of_the_cycle_of_acceptance_decides(was_active, pipelined):
    async def testbench(ctx, dut):
        ctx.set(dut.active, 0b1111 if not was_active else 0b1101)
        ctx.set(dut.i.payload, access())
        await ctx.tick()
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.active, 0b1111 if was_active else 0b1101)
        await ctx.tick()
        ctx.set(dut.i.valid, 0)
        ctx.set(dut.active, 0b1101 if was_active else 0b1111)
        for _ in range(LATENCY[pipelined] - 1):
            await ctx.tick()
        for _ in range(3):
            assert ctx.get(dut.o.valid)
            assert ctx.get(dut.o.payload.route) == (Route.ENCRYPTED if was_active else Route.DENIED)
            await ctx.tick()

    play(testbench, pipelined=pipelined)


@PIPELINED
@pytest.mark.parametrize(("identity", "address"), [
    (7, PRIVATE), *((pattern & 0xF, 1 << C_BIT | pattern & (1 << C_BIT) - 1)
                    for pattern in (0x5_5555_5555, 0xA_AAAA_AAAA))])  # each bit with either value
def test_each_denied_access_is_logged_once_and_as_it_was_given(identity, address, pipelined):
    async def testbench(ctx, dut):
        events = []
        ctx.set(dut.active, 0b1101)
        ctx.set(dut.i.payload, access(asid=1, identity=identity, address=address))
        ctx.set(dut.i.valid, 1)
        accepted = 0
        for _ in range(8):
            *_, event, logged, ready = await ctx.tick().sample(dut.violation.payload, dut.violation.valid, dut.i.ready)
            accepted += ready
            if logged:
                events.append((event.kind, event.asid, event.id, event.addr))
        assert events == [(Violation.SLOT_INACTIVE, 1, identity, address)] * 2
        assert accepted == LATENCY[pipelined] + 1
        ctx.set(dut.i.valid, 0)
        ctx.set(dut.o.ready, 1)
        for _ in range(8):
            _, _, logged = await ctx.tick().sample(dut.violation.valid)
            accepted -= logged
        assert accepted == 2

    play(testbench, pipelined=pipelined)


@PIPELINED
@pytest.mark.parametrize(("asid", "npt_c"), [(2, 0), (0, 0), (2, 1)], ids=["guest", "host", "shared page of a guest"])
def test_drain_sees_an_access_from_the_cycle_after_its_acceptance_until_it_leaves(asid, npt_c, pipelined):
    async def testbench(ctx, dut):
        own = access(asid=asid) if not npt_c else access(asid=asid | 0b100, address=0x1000)
        ctx.set(dut.drain_slot, 0 if npt_c else asid)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, access(asid=1))
        await ctx.tick()
        ctx.set(dut.i.payload, own)
        await ctx.tick()
        ctx.set(dut.i.valid, 0)
        for _ in range(3):
            assert ctx.get(dut.drain_busy)
            await ctx.tick()
        ctx.set(dut.o.ready, 1)
        for _ in range(2):
            assert ctx.get(dut.drain_busy)
            await ctx.tick()
        assert not ctx.get(dut.drain_busy)

    play(testbench, pipelined=pipelined)


@PIPELINED
@pytest.mark.parametrize("slot", [0, 2])
def test_drain_ends_while_accesses_go_on(slot, pipelined):
    """Accesses under the slot and under others, all the time; those under the slot are denied from some cycle on."""
    async def testbench(ctx, dut):
        ctx.set(dut.drain_slot, slot)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        busy = []
        for cycle in range(24):
            if cycle == 8:
                ctx.set(dut.active, 0b1111 & ~(1 << slot))
            ctx.set(dut.i.payload, access(asid=(slot, 1, 3)[cycle % 3]))
            *_, shown = await ctx.tick().sample(dut.drain_busy)
            busy.append(shown)
        assert any(busy[:8])
        assert not any(busy[8 + LATENCY[pipelined]:])

    play(testbench, pipelined=pipelined)


@PIPELINED
@pytest.mark.parametrize("address", [0x1000, 1 << 35], ids=["plain", "denied"])
def test_drain_does_not_wait_for_what_uses_no_key(address, pipelined):
    async def testbench(ctx, dut):
        ctx.set(dut.i.payload, access(asid=0, address=address))
        ctx.set(dut.i.valid, 1)
        await ctx.tick().repeat(LATENCY[pipelined])
        ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(LATENCY[pipelined])
        assert ctx.get(dut.o.valid)
        assert not ctx.get(dut.drain_busy)

    play(testbench, pipelined=pipelined)


@PIPELINED
@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (0.6, 0), (0, 0.6), (0.5, 0.5)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_accesses_stay_in_order(gaps, stalls, pipelined):
    dut = Front(pipelined=pipelined)
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

    simulate_watched(dut, [dut.o], offer, take, foreseen(dut.o, dut.next_id, len(work)))
    assert [(request.addr, request.route) for _, request in taken] == [
        (item["addr"], Route.DENIED if item["user"] == 2 else Route.PLAIN) for item in work]
    if not (gaps or stalls):
        assert taken[-1][0] == len(work) - 1 + LATENCY[pipelined]
