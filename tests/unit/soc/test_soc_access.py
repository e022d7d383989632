# amaranth: UnusedElaboratable=no

"""Ranges of bytes and single registers: exactly what was asked for is accessed, and errors end it."""

import random

import pytest
from amaranth.sim import Simulator

from cbit.axi.ports import Response
from cbit.soc.byte_range import ByteRange
from cbit.soc.register_word import RegisterWord
from cbit_sim.axi_memory import AxiMemory
from cbit_sim.streams import always

MEMORY_BYTES = 1 << 12
SEED = 63


async def perform(ctx, unit, *, data=b"", pace=always, limit=20_000, **inputs):
    """An access from start to end; the bytes that it gave, and its cycles."""
    for name, value in inputs.items():
        ctx.set(getattr(unit, name), value)
    ctx.set(unit.start, 1)
    await ctx.tick()
    ctx.set(unit.start, 0)
    got, left, cycles = bytearray(), list(data), 0
    while ctx.get(unit.busy):
        goes = pace()
        ctx.set(unit.o.ready, goes)
        ctx.set(unit.i.valid, bool(left) and goes)
        ctx.set(unit.i.payload, left[0] if left else 0)
        _, _, valid, byte, ready = await ctx.tick().sample(unit.o.valid, unit.o.payload, unit.i.ready)
        got += bytes([byte] * (valid and goes))
        if left and goes and ready:
            left.pop(0)
        cycles += 1
        assert cycles < limit
    return bytes(got), cycles


class Ranges:
    """A memory with a unit in front of it."""

    def __init__(self, *, stalls=0.0):
        self.rng = random.Random(SEED)
        self.unit = ByteRange(addr_width=32, id_width=2, user_width=3)
        self.axi = AxiMemory(self.unit.m_axi, size_bytes=MEMORY_BYTES, rng=self.rng, stalls=stalls)
        self.stalls = stalls

    def pace(self):
        return self.rng.random() >= self.stalls

    def run(self, testbench):
        simulator = Simulator(self.unit)
        simulator.add_clock(1e-6)
        simulator.add_testbench(testbench)
        simulator.add_testbench(self.axi.serve, background=True)
        simulator.run()


def ranges(rng, count):
    for _ in range(count):
        length = rng.choice((1, 2, 15, 16, 17, 31, 64, rng.randrange(1, 100)))
        yield rng.choice((0, 16, 15, rng.randrange(MEMORY_BYTES - length), MEMORY_BYTES - length)), length


@pytest.mark.parametrize("stalls", [0.0, 0.5])
def test_reads_give_the_range(stalls):
    bench = Ranges(stalls=stalls)

    async def testbench(ctx):
        for address, length in ranges(bench.rng, 20):
            got, cycles = await perform(ctx, bench.unit, address=address, length=length, is_write=0, pace=bench.pace)
            assert got == bench.axi.memory[address:address + length]
            assert ctx.get(bench.unit.response) is Response.OKAY
            beats = (address + length - 1) // 16 - address // 16 + 1
            assert stalls or cycles <= length + 5 * beats + 2

    bench.run(testbench)
    assert not bench.axi.writes


@pytest.mark.parametrize("stalls", [0.0, 0.5])
def test_writes_change_the_range_and_nothing_else(stalls):
    bench = Ranges(stalls=stalls)

    async def testbench(ctx):
        for address, length in ranges(bench.rng, 20):
            data, expected = bench.rng.randbytes(length), bytearray(bench.axi.memory)
            expected[address:address + length] = data
            bench.axi.strobed.clear()
            _, cycles = await perform(ctx, bench.unit, address=address, length=length, is_write=1, data=data,
                                      pace=bench.pace)
            assert ctx.get(bench.unit.response) is Response.OKAY
            assert bench.axi.memory == expected
            assert bench.axi.strobed == {*range(address, address + length)}
            beats = (address + length - 1) // 16 - address // 16 + 1
            assert stalls or cycles <= length + 5 * beats + 2

    bench.run(testbench)
    assert all((burst.len, burst.size, burst.burst, burst.id, burst.user, burst.prot) == (0, 4, 1, 0, 0, 0)
               for burst in bench.axi.writes)


@pytest.mark.parametrize("response", [Response.SLVERR, Response.DECERR])
@pytest.mark.parametrize("is_write", [False, True])
def test_the_first_error_ends_it(response, is_write):
    bench = Ranges()
    bench.axi.errors[0x120] = response.value

    async def testbench(ctx):
        before = bytes(bench.axi.memory)
        data = bench.rng.randbytes(64) if is_write else b""
        got, _ = await perform(ctx, bench.unit, address=0x108, length=64, is_write=is_write, data=data)
        assert ctx.get(bench.unit.response) is response
        if is_write:
            assert bench.axi.memory == before[:0x108] + data[:0x18] + before[0x120:]
        else:
            assert got == before[0x108:0x120]
        assert len(bench.axi.writes if is_write else bench.axi.reads) == 3
        # The next one is as if nothing had been.
        got, _ = await perform(ctx, bench.unit, address=0, length=20, is_write=0)
        assert (got, ctx.get(bench.unit.response)) == (bench.axi.memory[:20], Response.OKAY)

    bench.run(testbench)


@pytest.mark.parametrize("stalls", [0.0, 0.5])
@pytest.mark.parametrize("response", [Response.OKAY, Response.SLVERR, Response.DECERR])
def test_a_register_is_read_and_written_once(stalls, response):
    rng = random.Random(SEED)
    unit, seen = RegisterWord(addr_width=12), []

    async def serve(ctx):
        port, pending = unit.m_axil, {}
        while True:
            for name in ("aw", "w", "ar"):
                ctx.set(getattr(port, name).ready, rng.random() >= stalls)
            _, _, *values = await ctx.tick().sample(*(part for name in ("aw", "w", "ar", "b", "r") for part in (
                getattr(port, name).valid, getattr(port, name).ready, getattr(port, name).payload)))
            channels = dict(zip(("aw", "w", "ar", "b", "r"), zip(*[iter(values)] * 3)))
            for name in ("aw", "w", "ar"):
                if channels[name][0] and channels[name][1]:
                    assert name not in pending
                    pending[name] = channels[name][2]
            for name in ("b", "r"):
                if channels[name][0] and channels[name][1]:
                    ctx.set(getattr(port, name).valid, 0)
            if "ar" in pending and rng.random() >= stalls:
                seen.append(pending.pop("ar").addr)
                ctx.set(port.r.payload, {"data": 0x8765_4321, "resp": response})
                ctx.set(port.r.valid, 1)
            if {"aw", "w"} <= pending.keys() and rng.random() >= stalls:
                data = pending.pop("w")
                seen.append((pending.pop("aw").addr, data.data, data.strb))
                ctx.set(port.b.payload, {"resp": response})
                ctx.set(port.b.valid, 1)

    async def testbench(ctx):
        for _ in range(5):
            seen.clear()
            got, _ = await perform(ctx, unit, address=0x124, is_write=0, pace=lambda: rng.random() >= stalls)
            assert got == (b"\x21\x43\x65\x87" if response is Response.OKAY else b"")
            assert seen == [0x124]
            assert ctx.get(unit.response) is response
            seen.clear()
            await perform(ctx, unit, address=0xFFC, is_write=1, data=b"\x01\x02\x03\x04",
                          pace=lambda: rng.random() >= stalls)
            assert seen == [(0xFFC, 0x0403_0201, 0xF)]
            assert ctx.get(unit.response) is response

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.add_testbench(serve, background=True)
    simulator.run()
