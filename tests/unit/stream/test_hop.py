"""A register in a stream, or none."""

import random

import pytest

from cbit.stream.hop import Hop
from cbit_sim.streams import collect, send, simulate
from cbit_sim.watch import simulate_watched


@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (0.6, 0), (0, 0.6), (0.5, 0.5)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_a_register_passes_every_entry(gaps, stalls):
    dut = Hop(shape=16, registered=True)
    rng = random.Random(151)
    taken = []

    async def offer(ctx):
        await send(ctx, dut.i, range(300), pace=lambda: rng.random() >= gaps)

    async def take(ctx):
        taken.extend(await collect(ctx, dut.o, 300, pace=lambda: rng.random() >= stalls))

    simulate_watched(dut, [dut.o], offer, take)
    assert [payload for _, payload in taken] == list(range(300))
    if not (gaps or stalls):
        assert [cycle for cycle, _ in taken] == [number + 1 for number in range(300)]


def test_a_wire_joins_both_sides():
    dut = Hop(shape=16, registered=False)

    async def testbench(ctx):
        for valid, ready, payload in ((0, 0, 5), (1, 0, 6), (1, 1, 7), (0, 1, 8)):
            ctx.set(dut.i.valid, valid)
            ctx.set(dut.i.payload, payload)
            ctx.set(dut.o.ready, ready)
            assert (ctx.get(dut.o.valid), ctx.get(dut.i.ready), ctx.get(dut.o.payload)) == (valid, ready, payload)

    simulate(dut, testbench)
