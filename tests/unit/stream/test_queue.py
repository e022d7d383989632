# amaranth: UnusedElaboratable=no

import random
from collections import deque

import pytest
from amaranth.lib import data
from amaranth.sim import Simulator

from cbit.stream.queue import ReservedQueue

CYCLES = 600
EACH_KIND = pytest.mark.parametrize(
    "kind", [{"bypass": False}, {"bypass": True}, {"bypass": False, "registered": True}],
    ids=["memory", "bypass", "registered"])


def run(dut, testbench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@EACH_KIND
@pytest.mark.parametrize("depth", [2, 3, 4, 7, 18, 64, 65, 100])
@pytest.mark.parametrize(("offered", "taken"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.5), (0.5, 0.5), (0.9, 0.1)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls", "mostly full"])
def test_follows_its_model_in_each_cycle(depth, kind, offered, taken):
    bypass = kind["bypass"]
    dut = ReservedQueue(shape=16, depth=depth, **kind)
    seed = depth
    print(f"seed {seed}")
    rng = random.Random(seed)
    received = []
    levels = set()

    async def testbench(ctx):
        model = deque()
        told = None
        for cycle in range(CYCLES):
            ready = rng.random() < taken
            writes = rng.random() < offered and len(model) < depth + ready
            ctx.set(dut.i.valid, writes)
            ctx.set(dut.i.payload, cycle if writes else 0xDEAD)
            ctx.set(dut.o.ready, ready)
            visible = list(model) + ([cycle] if writes and bypass else [])
            assert ctx.get(dut.o.valid) == bool(visible)
            assert not ctx.get(dut.overflow)
            if visible:
                assert ctx.get(dut.o.payload) == visible[0]
                assert told in (None, visible[0])
            told = ctx.get(dut.next) if dut.registered and (ready or not visible) else None
            if writes:
                model.append(cycle)
            if visible and ready:
                received.append(model.popleft())
            levels.add(len(model))
            await ctx.tick()

    run(dut, testbench)
    assert received == sorted(received)
    if offered == taken == 1.0:
        assert len(received) == CYCLES - (0 if bypass else 1)
    if taken < 0.5:
        assert depth in levels


@EACH_KIND
def test_payload_stays_while_stalled(kind):
    dut = ReservedQueue(shape=8, depth=3, **kind)

    async def testbench(ctx):
        seen = []
        for value in (11, 22, 33, None, None):
            ctx.set(dut.i.valid, value is not None)
            ctx.set(dut.i.payload, value or 0)
            if ctx.get(dut.o.valid):
                seen.append(ctx.get(dut.o.payload))
            await ctx.tick()
        assert seen == [11] * (5 if kind["bypass"] else 4)

    run(dut, testbench)


@EACH_KIND
def test_overflow_shows_in_the_cycle_of_the_write(kind):
    dut = ReservedQueue(shape=8, depth=3, **kind)

    async def testbench(ctx):
        ctx.set(dut.i.valid, 1)
        for _ in range(dut.depth + dut.registered):
            assert not ctx.get(dut.overflow)
            await ctx.tick()
        assert ctx.get(dut.overflow)
        ctx.set(dut.i.valid, 0)
        assert not ctx.get(dut.overflow)

    run(dut, testbench)


def test_carries_structs():
    dut = ReservedQueue(shape=data.StructLayout({"line": 4, "tag": 3}), depth=2, bypass=False)

    async def testbench(ctx):
        ctx.set(dut.i.payload, {"line": 9, "tag": 5})
        ctx.set(dut.i.valid, 1)
        await ctx.tick()
        assert ctx.get(dut.o.payload.line) == 9
        assert ctx.get(dut.o.payload.tag) == 5

    run(dut, testbench)


@pytest.mark.parametrize("depth", [1, 0, -3, "4"])
def test_refuses_a_bad_depth(depth):
    with pytest.raises(ValueError, match=rf"^Depth must be an integer of at least 2, not {depth!r}$"):
        ReservedQueue(shape=8, depth=depth, bypass=False)


def test_refuses_registers_with_bypass():
    with pytest.raises(ValueError, match=r"^Registered must be false with bypass, not true$"):
        ReservedQueue(shape=8, depth=4, bypass=True, registered=True)
