"""What is awaited, and what of memory must not be seen twice."""

import random

import pytest
from amaranth.sim import Simulator

from cbit.axi.ports import Burst, Response
from cbit.traffic.expectations import Expectations
from cbit.traffic.findings import Findings, Kind
from cbit.traffic.pauses import Pace, Pauses
from cbit.traffic.read_check import ReadCheck
from cbit.traffic.write_check import WriteCheck
from cbit.traffic.xorshift import RandomBits
from cbit_sim.streams import collect, send, simulate

READS = {"region_width": 2, "offset_width": 8, "place_width": 4, "asid_width": 2, "id_width": 3, "ids": 4, "depth": 4}
WRITES = {"memory_width": 14, "region_width": 2, "id_width": 3, "ids": 4, "depth": 4}
LINE = {"offset": 0, "len": 0, "size": 4, "burst": Burst.INCR, "halves": 3, "stripe": 0}


def is_found(dut, *testbenches):
    """Kinds that are found while testbenches run, and some cycles on."""
    kinds = []

    async def watch(ctx):
        async for *_, valid, finding in ctx.tick().sample(dut.finding.valid, dut.finding.payload):
            if valid:
                kinds.append(finding.kind)

    async def rest(ctx):
        await ctx.tick().repeat(60)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(watch, background=True)
    for testbench in (*testbenches, rest):
        simulator.add_testbench(testbench)
    simulator.run()
    return kinds


@pytest.mark.parametrize(("second", "kinds"), [
    ({"slot": 1, "place": 2, "data": 77}, []),
    ({"slot": 2, "place": 2, "data": 77}, [Kind.REPEATED]),
    ({"slot": 1, "place": 3, "data": 77}, [Kind.REPEATED]),
    ({"slot": 2, "place": 2, "data": 78}, []),
    ({"slot": 2, "place": 2, "data": 0}, [Kind.EXPOSED])])
def test_memory_that_looks_the_same_under_another_key_or_elsewhere_is_found(second, kinds):
    """The copy holds zeros."""
    dut = ReadCheck(**READS)

    async def testbench(ctx):
        for look in ({"slot": 1, "place": 2, "data": 77}, second):
            entry = {"burst": {"region": 1, **LINE}, "slot": look["slot"], "place": look["place"], "is_denied": 0,
                     "is_hidden": 1, "is_seal": 1}
            await send(ctx, dut.expect, [{"id": 3, "entry": entry}])
            await send(ctx, dut.i, [{"id": 3, "data": look["data"], "resp": Response.OKAY, "last": 1}])
            await ctx.tick().repeat(3)

    assert is_found(dut, testbench) == kinds


def test_beats_of_several_reads_may_come_between_each_other():
    dut = ReadCheck(**READS)
    rng = random.Random(151)
    data = [rng.getrandbits(128) for _ in range(16)]
    bursts = {identity: {"region": 0, **LINE, "offset": 64 * identity, "len": 3} for identity in range(4)}
    order = [identity for identity in bursts for _ in range(4)]
    rng.shuffle(order)

    async def testbench(ctx):
        await send(ctx, dut.written, [{"block": block, "data": word, "strb": 0xFFFF}
                                      for block, word in enumerate(data)])
        await send(ctx, dut.expect, [{"id": identity, "entry": {"burst": burst, "is_denied": 0, "is_hidden": 0,
                                                                "is_seal": 0, "slot": 0, "place": 0}}
                                     for identity, burst in bursts.items()])
        done = [0] * 4
        for identity in order:
            beat = 4 * identity + done[identity]
            done[identity] += 1
            await send(ctx, dut.i, [{"id": identity, "data": data[beat], "resp": Response.OKAY,
                                     "last": done[identity] == 4}])

    assert is_found(dut, testbench) == []


@pytest.mark.parametrize(("sent", "kinds"), [(1, []), (0, [Kind.UNASKED])])
def test_a_write_must_not_be_answered_before_its_data(sent, kinds):
    dut = WriteCheck(**WRITES)

    async def testbench(ctx):
        await send(ctx, dut.expect, [{"id": 2, "entry": {"is_denied": 0}}])
        ctx.set(dut.data_ended, sent)
        await ctx.tick()
        ctx.set(dut.data_ended, 0)
        await ctx.tick()
        await send(ctx, dut.i, [{"id": 2, "resp": Response.OKAY}])

    assert is_found(dut, testbench) == kinds


def test_expectations_are_a_queue_for_each_id():
    dut = Expectations(shape=8, id_width=3, ids=4, depth=2)
    rng = random.Random(152)
    queues = [[] for _ in range(4)]

    async def testbench(ctx):
        for number in range(600):
            asked, seen, comes, goes = rng.randrange(4), rng.randrange(8), rng.random() < 0.6, rng.random() < 0.6
            ctx.set(dut.asked_id, asked)
            ctx.set(dut.id, seen)
            assert ctx.get(dut.has_room) == (len(queues[asked]) < 2)
            queue = queues[seen] if seen < 4 else []
            assert ctx.get(dut.is_expected) == bool(queue)
            assert ctx.get(dut.some) == any(queues)
            if queue:
                assert ctx.get(dut.entry) == queue[0]
            comes = comes and len(queues[asked]) < 2
            goes = goes and bool(queue)
            ctx.set(dut.i.valid, comes)
            ctx.set(dut.i.payload, {"id": asked, "entry": number % 256})
            ctx.set(dut.remove, goes)
            await ctx.tick()
            if goes:
                queue.pop(0)
            if comes:
                queues[asked].append(number % 256)
            ctx.set(dut.i.valid, 0)
            ctx.set(dut.remove, 0)

    simulate(dut, testbench)


def test_the_first_finding_stays_and_all_are_counted():
    dut = Findings(memory_width=14, id_width=3)

    async def testbench(ctx):
        for port, kind in ((dut.write, Kind.RESPONSE), (dut.read, Kind.DATA)):
            ctx.set(port.valid, 1)
            ctx.set(port.payload, {"kind": kind, "address": 9})
        await ctx.tick()
        for port in (dut.write, dut.read):
            ctx.set(port.valid, 0)
        ctx.set(dut.silence.valid, 1)
        ctx.set(dut.silence.payload, {"kind": Kind.SILENCE})
        await ctx.tick()
        ctx.set(dut.silence.valid, 0)
        await ctx.tick()
        assert (ctx.get(dut.first.kind), ctx.get(dut.first.address), ctx.get(dut.count)) == (Kind.DATA, 9, 3)
        assert ctx.get(dut.kinds) == sum(1 << kind.value for kind in (Kind.RESPONSE, Kind.DATA, Kind.SILENCE))
        ctx.set(dut.clear, 1)
        await ctx.tick()
        assert (ctx.get(dut.first.kind), ctx.get(dut.count), ctx.get(dut.kinds)) == (Kind.NONE, 0, 0)

    simulate(dut, testbench)


@pytest.mark.parametrize("pace", Pace)
def test_pauses_keep_what_is_offered(pace):
    dut = Pauses(shape=8)
    rng = random.Random(153)

    async def draw(ctx):
        ctx.set(dut.pace, pace)
        while True:
            ctx.set(dut.bits, rng.randrange(4))
            await ctx.tick()

    async def watch(ctx):
        offered = None
        async for *_, valid, ready, payload in ctx.tick().sample(dut.o.valid, dut.o.ready, dut.o.payload):
            assert offered is None or (valid and payload == offered)
            offered = payload if valid and not ready else None

    taken = []

    async def take(ctx):
        taken.extend(await collect(ctx, dut.o, 100, pace=lambda: rng.random() < 0.7))

    async def give(ctx):
        await send(ctx, dut.i, range(100))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(draw, background=True)
    simulator.add_testbench(watch, background=True)
    simulator.add_testbench(take)
    simulator.add_testbench(give)
    simulator.run()
    assert [payload for _, payload in taken] == [*range(100)]
    assert (taken[-1][0] > 300) == (pace is Pace.QUARTER)


def test_random_bits_follow_their_seed_and_are_never_stuck():
    dut = RandomBits(width=80, first=3)
    golden = 0x9E3779B9
    seeds = [1, 1, 2, 4 * golden % (1 << 32), 0]
    sequences = []

    async def testbench(ctx):
        for seed in seeds:
            ctx.set(dut.seed, seed)
            ctx.set(dut.load, 1)
            await ctx.tick()
            ctx.set(dut.load, 0)
            ctx.set(dut.advance, 1)
            sequences.append([ctx.get(dut.o)])
            for _ in range(20):
                await ctx.tick()
                sequences[-1].append(ctx.get(dut.o))
            ctx.set(dut.advance, 0)
            await ctx.tick()
            assert ctx.get(dut.o) == sequences[-1][-1]

    simulate(dut, testbench)
    assert sequences[0] == sequences[1]
    assert len({tuple(one) for one in sequences}) == len(seeds) - 1
    for sequence in sequences:
        for word in range(2):
            assert len({bits >> 32 * word & 0xFFFFFFFF for bits in sequence}) == len(sequence)


def test_each_word_is_marsaglias_xorshift():
    """From 2463534242, as in section 4 of "Xorshift RNGs": the seed that his program begins with."""
    dut = RandomBits(width=32, first=0)
    word, expected = 2463534242, []
    for _ in range(5):
        word = (word ^ word << 13) % (1 << 32)
        word ^= word >> 17
        word = (word ^ word << 5) % (1 << 32)
        expected.append(word)
    assert expected[0] == 723471715

    async def testbench(ctx):
        ctx.set(dut.seed, 2463534242 ^ 0x9E3779B9)
        ctx.set(dut.load, 1)
        await ctx.tick()
        ctx.set(dut.load, 0)
        ctx.set(dut.advance, 1)
        for value in expected:
            await ctx.tick()
            assert ctx.get(dut.o) == value

    simulate(dut, testbench)
