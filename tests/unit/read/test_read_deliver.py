"""The manager's beats: plain first, decrypted and denied in turn, each ID in its order."""

import random
from collections import deque

import pytest

from cbit.read.deliver import ReadDeliver
from cbit_sim.watch import simulate_watched

ENTRIES = 4
PATIENCE = 3


def deliver(**change):
    return ReadDeliver(**({"entries": ENTRIES, "id_width": 4, "data_width": 128, "plain_beats": 16,
                           "patience": PATIENCE} | change))


def delivery(data, *, index=0, is_end=False):
    return {"index": index, "is_end": is_end, "beat": {"id": index, "data": data, "last": is_end}}


def test_a_plain_beat_comes_one_cycle_later():
    dut = deliver()

    async def testbench(ctx):
        ctx.set(dut.first_in_line, 0b1111)
        ctx.set(dut.r.ready, 1)
        ctx.set(dut.plain.payload, delivery(7, index=2, is_end=True))
        ctx.set(dut.plain.valid, 1)
        assert not ctx.get(dut.r.valid)
        await ctx.tick()
        ctx.set(dut.plain.valid, 0)
        assert (ctx.get(dut.r.valid), ctx.get(dut.r.payload.data)) == (1, 7)
        assert (ctx.get(dut.deliver), ctx.get(dut.deliver_index), ctx.get(dut.plain_delivered)) == (1, 2, 1)
        await ctx.tick()
        assert (ctx.get(dut.r.valid), ctx.get(dut.deliver), ctx.get(dut.plain_delivered)) == (0, 0, 0)

    simulate_watched(dut, [dut.r], testbench)


def test_a_decrypted_beat_comes_at_once_but_not_before_its_turn():
    dut = deliver()

    async def testbench(ctx):
        ctx.set(dut.r.ready, 1)
        ctx.set(dut.decrypted.payload, delivery(9, index=1, is_end=True))
        ctx.set(dut.decrypted.valid, 1)
        ctx.set(dut.first_in_line, 0b1101)
        assert not ctx.get(dut.r.valid)
        assert not ctx.get(dut.decrypted.ready)
        ctx.set(dut.first_in_line, 0b0010)
        assert (ctx.get(dut.r.valid), ctx.get(dut.r.payload.data), ctx.get(dut.decrypted.ready)) == (1, 9, 1)
        assert (ctx.get(dut.deliver), ctx.get(dut.deliver_index), ctx.get(dut.plain_delivered)) == (1, 1, 0)

    simulate_watched(dut, [dut.r], testbench)


def test_a_plain_beat_behind_an_encrypted_one_waits_and_lets_others_pass():
    dut = deliver()

    async def testbench(ctx):
        ctx.set(dut.r.ready, 1)
        ctx.set(dut.first_in_line, 0b1100)
        ctx.set(dut.plain.valid, 1)
        ctx.set(dut.plain.payload, delivery(1, index=1))
        ctx.set(dut.plain_must_wait, 1)
        await ctx.tick()
        ctx.set(dut.plain.payload, delivery(2, index=2))
        ctx.set(dut.plain_must_wait, 0)
        await ctx.tick()
        ctx.set(dut.plain.valid, 0)
        assert ctx.get(dut.r.payload.data) == 2
        await ctx.tick()
        assert not ctx.get(dut.r.valid)
        ctx.set(dut.first_in_line, 0b1110)
        assert (ctx.get(dut.r.valid), ctx.get(dut.r.payload.data), ctx.get(dut.plain_delivered)) == (1, 1, 1)

    simulate_watched(dut, [dut.r], testbench)


def test_a_denied_beat_neither_ends_a_burst_nor_frees_a_plain_one():
    dut = deliver()

    async def testbench(ctx):
        ctx.set(dut.r.ready, 1)
        ctx.set(dut.denied.payload, {"id": 3, "data": 5, "last": 1})
        ctx.set(dut.denied.valid, 1)
        assert (ctx.get(dut.r.valid), ctx.get(dut.r.payload.data), ctx.get(dut.denied.ready)) == (1, 5, 1)
        assert (ctx.get(dut.deliver), ctx.get(dut.plain_delivered)) == (0, 0)

    simulate_watched(dut, [dut.r], testbench)


@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (0.6, 0), (0, 0.4), (0.5, 0.4)],
                         ids=["full speed", "gaps", "stalls", "gaps and stalls"])
def test_every_beat_of_every_source_comes_once_and_in_order(gaps, stalls):
    dut = deliver()
    seed = 62
    print(f"seed {seed}")
    rng = random.Random(seed)
    sources = ("plain", "waiting", "decrypted", "denied")
    todo = {source: deque(number << 8 | n for n in range(100)) for number, source in enumerate(sources)}
    received = []
    cycles = 0

    async def testbench(ctx):
        nonlocal cycles
        ctx.set(dut.first_in_line, 0b1111)
        stored = 0
        while len(received) < 400:
            source = rng.choice(["plain", "waiting"])
            comes = bool(todo[source]) and stored < 16 and rng.random() >= gaps
            ctx.set(dut.plain.valid, comes)
            ctx.set(dut.plain_must_wait, source == "waiting")
            if comes:
                ctx.set(dut.plain.payload, delivery(todo[source].popleft()))
            for name in ("decrypted", "denied"):
                stream = getattr(dut, name)
                is_offered = bool(todo[name]) and (ctx.get(stream.valid) or rng.random() >= gaps)
                ctx.set(stream.valid, is_offered)
                if is_offered:
                    item = todo[name][0]
                    ctx.set(stream.payload, delivery(item) if name == "decrypted" else {"data": item})
            ctx.set(dut.r.ready, rng.random() >= stalls)
            _, _, valid, ready, data, plain_leaves, decrypted, denied = await ctx.tick().sample(
                dut.r.valid, dut.r.ready, dut.r.payload.data, dut.plain_delivered, dut.decrypted.ready,
                dut.denied.ready)
            stored += comes - plain_leaves
            cycles += 1
            if valid and ready:
                received.append(data)
            for name, taken in (("decrypted", decrypted), ("denied", denied)):
                if taken and ctx.get(getattr(dut, name).valid):
                    todo[name].popleft()
                    ctx.set(getattr(dut, name).valid, 0)
            assert cycles < 4000

    simulate_watched(dut, [dut.r], testbench)
    for number in range(4):
        assert [data & 0xFF for data in received if data >> 8 == number] == list(range(100))
    if not (gaps or stalls):
        assert cycles == 400


def test_plain_beats_pass_others_no_more_often_than_patience_says():
    dut = deliver()

    async def testbench(ctx):
        ctx.set(dut.first_in_line, 0b1111)
        ctx.set(dut.plain.valid, 1)
        ctx.set(dut.plain.payload, delivery(0))
        ctx.set(dut.decrypted.payload, delivery(1))
        ctx.set(dut.decrypted.valid, 1)
        ctx.set(dut.denied.payload.data, 2)
        ctx.set(dut.denied.valid, 1)
        ctx.set(dut.r.ready, 0)
        await ctx.tick().repeat(12)
        ctx.set(dut.plain.valid, 0)
        ctx.set(dut.r.ready, 1)
        seen = []
        for _ in range(9):
            seen.append(ctx.get(dut.r.payload.data))
            await ctx.tick()
        assert seen == [1, 0, 0, 0, 2, 0, 0, 0, 1]

    simulate_watched(dut, [dut.r], testbench)
