"""Answers to denied reads: all ones, the error in every beat, in the order of the ID."""

import random

import pytest

from cbit.axi.ports import Response
from cbit.read.deny import DeniedReads
from cbit_sim.streams import collect, send
from cbit_sim.watch import simulate_watched


@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (0.6, 0), (0, 0.6), (0.5, 0.5)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_every_beat_is_all_ones_with_the_error(gaps, stalls):
    dut = DeniedReads(id_width=4, data_width=128)
    rng = random.Random(61)
    work = [{"id": n % 16, "len": rng.choice([0, 0, 1, 3, 7]),
             "resp": rng.choice([Response.SLVERR, Response.DECERR])} for n in range(40)] + [
            {"id": 3, "len": 255, "resp": Response.SLVERR}]
    expected = [(read["id"], (1 << 128) - 1, read["resp"], beat == read["len"])
                for read in work for beat in range(read["len"] + 1)]
    taken = []

    async def offer(ctx):
        await send(ctx, dut.i, work, pace=lambda: rng.random() >= gaps)

    async def take(ctx):
        ctx.set(dut.turns, 1)
        taken.extend(await collect(ctx, dut.o, len(expected), pace=lambda: rng.random() >= stalls))

    simulate_watched(dut, [dut.o], offer, take)
    assert [(beat.id, beat.data, beat.resp, beat.last) for _, beat in taken] == expected
    if not (gaps or stalls):
        assert taken[-1][0] < len(expected) + 3 * len(work)


def test_waits_for_two_turns_of_the_reads_in_flight():
    dut = DeniedReads(id_width=4, data_width=128)

    async def testbench(ctx):
        ctx.set(dut.turns, 1)
        ctx.set(dut.i.payload, {"id": 5, "len": 1, "resp": Response.SLVERR})
        ctx.set(dut.i.valid, 1)
        await ctx.tick()
        ctx.set(dut.o.ready, 1)
        for turns in (0, 0, 1, 0, 0, 1):
            ctx.set(dut.turns, turns)
            assert (ctx.get(dut.is_busy), ctx.get(dut.id), ctx.get(dut.o.valid), ctx.get(dut.i.ready)) == (1, 5, 0, 0)
            await ctx.tick()
        for _ in range(2):
            assert ctx.get(dut.o.valid)
            await ctx.tick()
        assert not ctx.get(dut.is_busy)

    simulate_watched(dut, [dut.o], testbench)
