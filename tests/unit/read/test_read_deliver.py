"""The manager's beats: plain first, decrypted and denied in turn, each in its place."""

import random

import pytest

from cbit.read.deliver import ReadDeliver
from cbit_sim.watch import simulate_watched

PATIENCE = 3
pipelining = pytest.mark.parametrize("pipelined", [False, True], ids=["direct", "pipelined"])


def deliver(*, pipelined=False):
    return ReadDeliver(data_width=128, id_width=4, plain_beats=64, decrypted_beats=64, patience=PATIENCE,
                       pipelined=pipelined)


def plain(data, *, last=True, behind=None, generation=0):
    return {"beat": {"data": data, "last": last}, "generation": generation,
            "place": {"is_behind": behind is not None, "mark": behind or 0}}


def decrypted(data, *, mark=0, repeat=0, is_end=True, last=True, generation=0):
    return {"beat": {"data": data, "last": last}, "mark": mark, "repeat": repeat, "is_end": is_end,
            "generation": generation}


async def seen_after(ctx, dut, cycles):
    """The beats of these cycles, the manager taking each."""
    ctx.set(dut.r.ready, 1)
    seen = []
    for _ in range(cycles):
        _, _, valid, beat = await ctx.tick().sample(dut.r.valid, dut.r.payload)
        if valid:
            seen.append((beat.data, beat.last))
    ctx.set(dut.r.ready, 0)
    return seen


async def offer(ctx, stream, payload):
    ctx.set(stream.payload, payload)
    ctx.set(stream.valid, 1)
    await ctx.tick()
    ctx.set(stream.valid, 0)


@pipelining
def test_latency(pipelined):
    dut = deliver(pipelined=pipelined)

    async def testbench(ctx):
        ctx.set(dut.r.ready, 1)
        for stream, payload, cycles in ((dut.plain, plain(7), 3 if pipelined else 1),
                                        (dut.decrypted, decrypted(8, mark=1), 3 if pipelined else 0)):
            ctx.set(stream.payload, payload)
            ctx.set(stream.valid, 1)
            for _ in range(cycles):
                assert not ctx.get(dut.r.valid)
                await ctx.tick()
                ctx.set(stream.valid, 0)
            assert (ctx.get(dut.r.valid), ctx.get(dut.r.payload.data)) == (1, payload["beat"]["data"])
            await ctx.tick()
            ctx.set(stream.valid, 0)

    simulate_watched(dut, [dut.r], testbench)


@pipelining
def test_a_block_waits_for_the_plain_beats_that_came_before_it(pipelined):
    dut = deliver(pipelined=pipelined)

    async def testbench(ctx):
        await offer(ctx, dut.decrypted, decrypted(9, mark=2))
        await offer(ctx, dut.plain, plain(1))
        assert await seen_after(ctx, dut, 12) == [(1, 1)]
        await offer(ctx, dut.plain, plain(2))
        assert await seen_after(ctx, dut, 12) == [(2, 1), (9, 1)]

    simulate_watched(dut, [dut.r], testbench)


@pipelining
def test_a_plain_beat_behind_an_encrypted_one_waits(pipelined):
    dut = deliver(pipelined=pipelined)

    async def testbench(ctx):
        await offer(ctx, dut.plain, plain(1, behind=2))
        await offer(ctx, dut.decrypted, decrypted(8))
        assert await seen_after(ctx, dut, 12) == [(8, 1)]
        assert ctx.get(dut.encrypted_left) == 1
        await offer(ctx, dut.decrypted, decrypted(9))
        assert await seen_after(ctx, dut, 12) == [(9, 1), (1, 1)]

    simulate_watched(dut, [dut.r], testbench)


@pipelining
def test_a_block_is_given_once_for_each_beat_that_it_serves(pipelined):
    dut = deliver(pipelined=pipelined)

    async def testbench(ctx):
        await offer(ctx, dut.decrypted, decrypted(5, repeat=3, last=False))
        await offer(ctx, dut.decrypted, decrypted(6, repeat=1))
        assert await seen_after(ctx, dut, 15) == [(5, 0)] * 4 + [(6, 0), (6, 1)]

    simulate_watched(dut, [dut.r], testbench)


@pipelining
@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (0.6, 0), (0, 0.4), (0.5, 0.4)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_every_beat_comes_once_and_in_its_place(gaps, stalls, pipelined):
    dut = deliver(pipelined=pipelined)
    seed = 62
    print(f"seed {seed}")
    rng = random.Random(seed)
    arrived, received, ends = [], [], []
    cycles = 0

    async def testbench(ctx):
        nonlocal cycles
        counts = {"plain": 0, "decrypted": 0}
        denied = inside = 0
        last_encrypted = {}
        in_lane = []
        while len(received) < 400:
            ctx.set(dut.plain.valid, 0)
            ctx.set(dut.decrypted.valid, 0)
            kind = rng.choice(["plain", "decrypted"])
            if inside < 60 and sum(counts.values()) < 350 and rng.random() >= gaps:
                identity, number = rng.randrange(3), len(arrived)
                arrived.append((kind, identity))
                inside += 1
                counts[kind] += 1
                if kind == "plain":
                    ctx.set(dut.plain.valid, 1)
                    behind = last_encrypted.get(identity)
                    ctx.set(dut.plain.payload, plain(number, behind=behind, generation=number % 2))
                else:
                    last_encrypted[identity] = counts[kind]
                    in_lane.append((cycles + 6, decrypted(number, mark=counts["plain"], generation=number % 2)))
            if in_lane and in_lane[0][0] <= cycles:
                ctx.set(dut.decrypted.valid, 1)
                ctx.set(dut.decrypted.payload, in_lane.pop(0)[1])
            ctx.set(dut.denied.valid, denied < 50)
            ctx.set(dut.denied.payload.data, 1000 + denied)
            ctx.set(dut.r.ready, rng.random() >= stalls)
            _, _, valid, ready, data, left, refuses, end, ended = await ctx.tick().sample(
                dut.r.valid, dut.r.ready, dut.r.payload.data, dut.left, dut.denied.ready & dut.denied.valid, dut.end,
                dut.ended)
            inside -= left
            denied += refuses
            assert left == end
            if end:
                ends.append(ended)
            cycles += 1
            if valid and ready:
                received.append(data)
            assert cycles < 4000

    simulate_watched(dut, [dut.r], testbench)
    assert [data for data in received if data >= 1000] == list(range(1000, 1050))
    beats = [data for data in received if data < 1000]
    assert sorted(beats) == list(range(350))
    assert ends == [number % 2 for number in beats]
    for identity in range(3):
        of_id = [number for number in beats if arrived[number][1] == identity]
        assert of_id == sorted(of_id)
    for kind in ("plain", "decrypted"):
        of_kind = [number for number in beats if arrived[number][0] == kind]
        assert of_kind == sorted(of_kind)
    if not (gaps or stalls):
        assert cycles <= (480 if pipelined else 412)


def test_plain_beats_pass_others_no_more_often_than_patience_says():
    dut = deliver()

    async def testbench(ctx):
        ctx.set(dut.denied.payload.data, 2)
        ctx.set(dut.denied.valid, 1)
        for _ in range(6):
            await offer(ctx, dut.decrypted, decrypted(1))
        for _ in range(12):
            await offer(ctx, dut.plain, plain(0))
        first, *seen = [data for data, _ in await seen_after(ctx, dut, 10)]
        assert seen == [0, 0, 0, 3 - first, 0, 0, 0, first, 0]

    simulate_watched(dut, [dut.r], testbench)
