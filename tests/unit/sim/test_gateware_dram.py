# amaranth: UnusedElaboratable=no
"""DRAM in gateware: what is written is read, in an order that AXI4 allows, and not only in the simplest."""

import random

import pytest
from amaranth.sim import Simulator

from cbit.axi.ports import Burst, Response
from cbit_model.access import Burst as ModelBurst
from cbit_model.access import burst_beats
from cbit_sim.gateware.dram import RandomDram
from cbit_sim.gateware.unordered import Unordered
from cbit_sim.streams import collect, send

IDS = 4
BURSTS = 40


def random_burst(rng, region):
    """A burst within 512 bytes of its own."""
    size, burst = rng.choice([0, 2, 4, 4, 4]), rng.choice([*Burst])
    length = rng.choice([2, 4, 8]) if burst is Burst.WRAP else rng.randrange(1, 9)
    offset = rng.randrange(256) & (-(1 << size) if burst is Burst.WRAP else -1)
    return {"id": rng.randrange(IDS), "addr": 1 << 40 | 512 * region + offset, "len": length - 1, "size": size,
            "burst": burst}


def beats_of(address):
    return burst_beats(address["addr"] % (1 << 16), address["len"] + 1, address["size"],
                       ModelBurst(address["burst"].value))


def run(dut, *testbenches):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.run()


def test_what_is_written_is_read():
    dut = RandomDram(addr_width=48, id_width=2, size_bytes=1 << 16)
    rng = random.Random(154)
    content = bytearray(1 << 16)
    addresses = [random_burst(rng, region) for region in range(BURSTS)]
    data = []
    for address in addresses:
        beats = beats_of(address)
        for number, (container, lanes) in enumerate(beats, 1):
            word, strobe = rng.randbytes(16), lanes & rng.getrandbits(16)
            for lane in range(16):
                if strobe >> lane & 1:
                    content[container + lane] = word[lane]
            data.append({"data": int.from_bytes(word, "little"), "strb": strobe, "last": number == len(beats)})
    expected = {identity: [(container, lanes, number == address["len"])
                           for address in addresses if address["id"] == identity
                           for number, (container, lanes) in enumerate(beats_of(address))] for identity in range(IDS)}
    interleaved = 0

    async def write(ctx):
        await send(ctx, dut.axi.aw, addresses)

    async def write_data(ctx):
        await send(ctx, dut.axi.w, data)

    async def use(ctx):
        nonlocal interleaved
        answers = await collect(ctx, dut.axi.b, BURSTS, pace=lambda: rng.random() < 0.7)
        assert {answer.resp for _, answer in answers} == {Response.OKAY}
        ids = [answer.id for _, answer in answers]
        assert sorted(ids) == sorted(address["id"] for address in addresses)
        assert ids != [address["id"] for address in addresses]
        ctx.set(dut.axi.r.ready, 1)
        left, opened = sum(map(len, expected.values())), set()
        asked = 0
        while left:
            ctx.set(dut.axi.ar.valid, asked < BURSTS)
            if asked < BURSTS:
                ctx.set(dut.axi.ar.payload, addresses[asked])
            *_, ready, valid, beat = await ctx.tick().sample(dut.axi.ar.ready, dut.axi.r.valid, dut.axi.r.payload)
            asked += ready and asked < BURSTS
            if valid:
                left -= 1
                container, lanes, last = expected[beat.id].pop(0)
                for lane in range(16):
                    assert not lanes >> lane & 1 or beat.data >> 8 * lane & 0xFF == content[container + lane]
                assert beat.last == last
                interleaved += bool(opened - {beat.id})
                opened = opened - {beat.id} if last else opened | {beat.id}

    run(dut, write, write_data, use)
    assert interleaved > 10


def test_what_waits_comes_in_any_order_but_for_one_id():
    dut = Unordered(shape=8, id_width=2, entries=4)
    rng = random.Random(155)
    entries = [{"id": rng.randrange(IDS), "entry": number} for number in range(120)]
    taken = []

    async def draw(ctx):
        while True:
            ctx.set(dut.wait_cycles, rng.randrange(12))
            ctx.set(dut.turn, rng.randrange(4))
            await ctx.tick()

    async def give(ctx):
        await send(ctx, dut.i, entries, pace=lambda: rng.random() < 0.8)

    async def take(ctx):
        taken.extend(payload for _, payload in await collect(ctx, dut.o, len(entries), pace=lambda: rng.random() < 0.8))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(draw, background=True)
    for testbench in (give, take):
        simulator.add_testbench(testbench)
    simulator.run()
    for identity in range(IDS):
        assert [one.entry for one in taken if one.id == identity] == [
            one["entry"] for one in entries if one["id"] == identity]
    assert [one.entry for one in taken] != [one["entry"] for one in entries]


@pytest.mark.parametrize("size_bytes", [4096, 3 << 13])
def test_other_sizes_are_refused(size_bytes):
    with pytest.raises(ValueError, match=f"^size_bytes must be a power of two of at least 8192, not {size_bytes}$"):
        RandomDram(addr_width=48, id_width=2, size_bytes=size_bytes)
