"""The log of violations: the first one, the counts, clearing, the interrupt."""

import random

import pytest
from amaranth.sim import Simulator

from cbit.access.counts import RotatingCounts
from cbit.access.request import Violation
from cbit.access.violations import ViolationLog
from cbit.csr import map as register_map

KINDS = [kind for kind in Violation if kind is not Violation.NONE]
LOG_CYCLES = 2
"""From an event to the record and to the counts behind the turns."""
SHOW_CYCLES = 3
"""From a kind's turn to its count."""


@pytest.fixture
def log():
    return ViolationLog(asid_width=4, addr_width=48, id_width=4)


def simulate(log, testbench):
    simulator = Simulator(log)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


async def deny(ctx, log, **events):
    """One cycle with an event on ``read``, ``write`` or both: kind, ASID, address, ID."""
    for direction, (kind, asid, address, identifier) in events.items():
        event = getattr(log, direction)
        ctx.set(event.p, {"kind": kind, "asid": asid, "addr": address, "id": identifier})
        ctx.set(event.valid, 1)
    await ctx.tick()
    ctx.set(log.read.valid, 0)
    ctx.set(log.write.valid, 0)


async def deny_and_see(ctx, log, **events):
    await deny(ctx, log, **events)
    await ctx.tick()


def first(ctx, log):
    record = ctx.get(log.first)
    event = record.event
    return record.valid, record.write, event.kind, event.asid, event.addr, event.id


async def counts(ctx, log):
    """Every count but that of ``NONE``, each as its next turn shows it."""
    await ctx.tick().repeat(LOG_CYCLES + SHOW_CYCLES)
    seen = {}
    for _ in Violation:
        seen[ctx.get(log.count.kind)] = ctx.get(log.count.count)
        await ctx.tick()
    assert seen.pop(Violation.NONE.value) == 0
    return [seen[kind.value] for kind in KINDS]


EMPTY = (0, 0, Violation.NONE, 0, 0, 0)


def test_first_is_kept(log):
    async def testbench(ctx):
        ctx.set(log.read.p.addr, 0x1234)
        await ctx.tick().repeat(3)
        assert first(ctx, log) == EMPTY
        await deny_and_see(ctx, log, write=(Violation.DMA_PRIVATE, 3, 0x8000_1234_5678, 9))
        expected = (1, 1, Violation.DMA_PRIVATE, 3, 0x8000_1234_5678, 9)
        assert first(ctx, log) == expected
        await deny_and_see(ctx, log, read=(Violation.SEV_OFF, 1, 0, 2), write=(Violation.ADDRESS, 5, 1, 2))
        assert first(ctx, log) == expected

    simulate(log, testbench)


def test_read_comes_before_write_of_the_same_cycle(log):
    async def testbench(ctx):
        await deny_and_see(ctx, log, read=(Violation.SEV_OFF, 1, 0x40, 2), write=(Violation.ADDRESS, 5, 0x80, 3))
        assert first(ctx, log) == (1, 0, Violation.SEV_OFF, 1, 0x40, 2)
        assert await counts(ctx, log) == [0, 1, 0, 1, 0, 0, 0]

    simulate(log, testbench)


@pytest.mark.parametrize("wait", range(3))
def test_clear_of_the_record_arms_it_again_and_loses_nothing(log, wait):
    """An event in the cycle of the clear, and in those before and after."""
    async def testbench(ctx):
        await deny_and_see(ctx, log, read=(Violation.SEV_OFF, 1, 0x40, 2))
        for cycle in range(3):
            ctx.set(log.clear_record, cycle == 1)
            await (deny(ctx, log, write=(Violation.ADDRESS, 5, 0x80, 3)) if cycle == wait else ctx.tick())
        ctx.set(log.clear_record, 0)
        await ctx.tick()
        assert first(ctx, log) == (1, 1, Violation.ADDRESS, 5, 0x80, 3)
        ctx.set(log.clear_record, 1)
        await ctx.tick()
        ctx.set(log.clear_record, 0)
        assert first(ctx, log) == EMPTY
        assert await counts(ctx, log) == [0, 1, 0, 1, 0, 0, 0]

    simulate(log, testbench)


def test_interrupt_follows_record_and_enable(log):
    async def testbench(ctx):
        await deny_and_see(ctx, log, read=(Violation.SEV_OFF, 1, 0x40, 2))
        assert not ctx.get(log.irq)
        ctx.set(log.irq_enable, 1)
        assert ctx.get(log.irq)
        ctx.set(log.clear_record, 1)
        assert not ctx.get(log.irq)
        await ctx.tick()
        ctx.set(log.clear_record, 0)
        assert not ctx.get(log.irq)

    simulate(log, testbench)


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_counts_of_random_events(log, rate):
    """An event counts from the second cycle after it; a clear forgets what has counted before."""
    rng = random.Random(5)
    expected, under_way = dict.fromkeys(KINDS, 0), []

    async def testbench(ctx):
        for cycle in range(2000):
            events = {direction: (rng.choice(KINDS[:1] if cycle < 400 else KINDS), 0, 0, 0)
                      for direction in ("read", "write") if rng.random() < rate}
            clear = rng.random() < 0.005
            if clear:
                expected.update(dict.fromkeys(KINDS, 0))
            for kind in under_way:
                expected[kind] += 1
            under_way[:] = [kind for kind, *_ in events.values()]
            ctx.set(log.clear_counts, clear)
            await deny(ctx, log, **events)
            ctx.set(log.clear_counts, 0)
            if rng.random() < 0.02:
                for kind in under_way:
                    expected[kind] += 1
                under_way.clear()
                assert await counts(ctx, log) == list(expected.values())

    simulate(log, testbench)


def test_clear_acts_in_whatever_turn_it_comes(log):
    event = (Violation.SEV_OFF, 0, 0, 0)

    async def testbench(ctx):
        for wait in range(2 * len(Violation)):
            for _ in range(wait + 10):
                await deny(ctx, log, read=event, write=event)
            ctx.set(log.clear_counts, 1)
            await ctx.tick()
            ctx.set(log.clear_counts, 0)
            await deny(ctx, log, read=event)
            assert await counts(ctx, log) == [0, 0, 0, 2 + 1, 0, 0, 0]

    simulate(log, testbench)


@pytest.mark.parametrize("start", [0xffff_ffee, 0xffff_fffe, 0xffff_ffff])
def test_counts_saturate(start):
    counter = RotatingCounts()

    async def testbench(ctx):
        await ctx.tick().repeat(2 * len(Violation))
        ctx.set(counter.totals.data[3], start)
        ctx.set(counter.kinds, [3, 3])
        for _ in range(4):
            await ctx.tick().repeat(9)
        ctx.set(counter.kinds, [0, 0])
        await ctx.tick().repeat(16)
        for _ in range(8):
            shown = ctx.get(counter.shown)
            assert shown.count == (0xffff_ffff if shown.kind == 3 else 0)
            await ctx.tick()

    simulate(counter, testbench)


def test_register_map_names_the_same_kinds():
    (status,) = (register for register in register_map.registers("host") if register.name == "VIOLATION_STATUS")
    (kind,) = (field for field in status.fields if field.name == "KIND")
    assert kind.values == {member.name: member.value for member in KINDS}
