"""The log of violations: the first one, the counts, clearing, the interrupt."""

import random

import pytest
from amaranth.sim import Simulator

from cbit.access.request import Violation
from cbit.access.violations import ViolationLog
from cbit.csr import map as register_map

KINDS = [kind for kind in Violation if kind is not Violation.NONE]


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


def first(ctx, log):
    record = ctx.get(log.first)
    event = record.event
    return record.valid, record.write, event.kind, event.asid, event.addr, event.id


EMPTY = (0, 0, Violation.NONE, 0, 0, 0)


def test_first_is_kept(log):
    async def testbench(ctx):
        ctx.set(log.read.p.addr, 0x1234)
        await ctx.tick().repeat(3)
        assert first(ctx, log) == EMPTY
        await deny(ctx, log, write=(Violation.DMA_PRIVATE, 3, 0x8000_1234_5678, 9))
        expected = (1, 1, Violation.DMA_PRIVATE, 3, 0x8000_1234_5678, 9)
        assert first(ctx, log) == expected
        await deny(ctx, log, read=(Violation.SEV_OFF, 1, 0, 2), write=(Violation.ADDRESS, 5, 1, 2))
        assert first(ctx, log) == expected

    simulate(log, testbench)


def test_read_comes_before_write_of_the_same_cycle(log):
    async def testbench(ctx):
        await deny(ctx, log, read=(Violation.SEV_OFF, 1, 0x40, 2), write=(Violation.ADDRESS, 5, 0x80, 3))
        assert first(ctx, log) == (1, 0, Violation.SEV_OFF, 1, 0x40, 2)
        assert [ctx.get(log.counts[kind.value]) for kind in KINDS] == [0, 1, 0, 1, 0, 0, 0]

    simulate(log, testbench)


def test_clear_of_the_record_arms_it_again_and_loses_nothing(log):
    async def testbench(ctx):
        await deny(ctx, log, read=(Violation.SEV_OFF, 1, 0x40, 2))
        ctx.set(log.clear_record, 1)
        await deny(ctx, log, write=(Violation.ADDRESS, 5, 0x80, 3))
        assert first(ctx, log) == (1, 1, Violation.ADDRESS, 5, 0x80, 3)
        await ctx.tick()
        assert first(ctx, log) == EMPTY
        assert ctx.get(log.counts[Violation.ADDRESS.value]) == 1

    simulate(log, testbench)


def test_interrupt_follows_record_and_enable(log):
    async def testbench(ctx):
        await deny(ctx, log, read=(Violation.SEV_OFF, 1, 0x40, 2))
        assert not ctx.get(log.irq)
        ctx.set(log.irq_enable, 1)
        assert ctx.get(log.irq)
        ctx.set(log.clear_record, 1)
        await ctx.tick()
        assert not ctx.get(log.irq)

    simulate(log, testbench)


def test_counts_of_random_events(log):
    rng = random.Random(5)
    expected = dict.fromkeys(Violation, 0)

    async def testbench(ctx):
        for _ in range(500):
            events = {direction: (rng.choice(KINDS), 0, 0, 0)
                      for direction in ("read", "write") if rng.random() < 0.5}
            clear = rng.random() < 0.01
            ctx.set(log.clear_counts, clear)
            if clear:
                expected.update(dict.fromkeys(Violation, 0))
            for kind, *_ in events.values():
                expected[kind] += 1
            await deny(ctx, log, **events)
            assert {kind: ctx.get(log.counts[kind.value]) for kind in Violation} == expected

    simulate(log, testbench)


@pytest.mark.parametrize("start", [0xffff_fffe, 0xffff_ffff])
def test_counts_saturate(log, start):
    async def testbench(ctx):
        ctx.set(log.counts[Violation.MALFORMED.value], start)
        for _ in range(3):
            event = (Violation.MALFORMED, 0, 0, 0)
            await deny(ctx, log, read=event, write=event)
            assert ctx.get(log.counts[Violation.MALFORMED.value]) == 0xffff_ffff

    simulate(log, testbench)


def test_register_map_names_the_same_kinds():
    (status,) = (register for register in register_map.registers("host") if register.name == "VIOLATION_STATUS")
    (kind,) = (field for field in status.fields if field.name == "KIND")
    assert kind.values == {member.name: member.value for member in KINDS}
