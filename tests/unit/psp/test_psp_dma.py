# amaranth: UnusedElaboratable=no

"""The DMA moves exactly the bytes that it is told to, in bursts that AXI4 and the engine like, or tells of an error."""

import random

import pytest
from amaranth.sim import Simulator

from cbit.axi.ports import Response
from cbit.psp.dma import Dma
from cbit_sim.axi_memory import AxiMemory
from cbit_sim.unit_bench import UnitBench

C = 1 << 47
MEMORY_BYTES = 1 << 14
SEED = 23


class Bench(UnitBench):
    """A DMA between buffer and memory, of which it knows what both must hold."""

    def __init__(self, *, stalls=0.0, seed=SEED, **widths):
        super().__init__(Dma(**{"addr_width": 48, "id_width": 4, "asid_width": 4} | widths))
        self.rng = random.Random(seed)
        self.axi = AxiMemory(self.unit.m_axi, size_bytes=MEMORY_BYTES, rng=self.rng, stalls=stalls)

    def run(self, testbench):
        simulator = Simulator(self)
        simulator.add_clock(1e-6)
        simulator.add_testbench(testbench)
        simulator.add_testbench(self.axi.serve, background=True)
        simulator.run()

    async def start(self, ctx, *, address, offset, length, write, asid=0):
        """Whether it was not refused."""
        await self.write(ctx, "DMA_LOW", address=address & 0xFFFF_FFFF)
        await self.write(ctx, "DMA_HIGH", address=address >> 32)
        await self.write(ctx, "DMA_ASID", asid=asid)
        return await self.write(ctx, "DMA_START", offset=offset, length=length, write=write)

    async def move(self, ctx, **fields):
        """A whole move; whether it ended in an error."""
        assert await self.start(ctx, **fields)
        await self.finish(ctx, "DMA_STATUS", 20_000)
        return bool(ctx.get(self.unit.dma_status.value.error))


def ranges(rng, count):
    """Address, offset and length that fit together."""
    for _ in range(count):
        length = rng.choice((1, 2, 15, 16, 17, 64, rng.randrange(1, 300)))
        address = rng.choice((0, 16, 48, 63, 4096 - rng.randrange(1, 80), rng.randrange(MEMORY_BYTES - length)))
        offset = rng.choice((rng.randrange(8192 - length), 8192 - length, 0)) & ~15 | address & 15
        if offset + length <= 8192:
            yield address, offset, length


def check_bursts(bursts, address, length):
    """Each burst stays in a line, none is empty, and together they are the blocks of the range."""
    blocks = [burst.addr + 16 * beat for burst in bursts for beat in range(burst.len + 1)]
    assert blocks == [*range(address & ~15, address + length, 16)]
    for burst in bursts:
        assert burst.addr // 64 == (burst.addr + 16 * burst.len) // 64
        assert (burst.id, burst.size, burst.burst, burst.prot, burst.lock) == (0, 4, 1, 0, 0)
    assert len(bursts) == (address + length - 1) // 64 - address // 64 + 1


@pytest.mark.parametrize("stalls", [0.0, 0.5])
def test_reads_store_the_range_and_nothing_else(stalls):
    bench = Bench(stalls=stalls)

    async def testbench(ctx):
        for address, offset, length in ranges(bench.rng, 25):
            first, last = max(0, (offset & ~15) - 16), min(8192, (offset + length + 31) & ~15)
            before = bench.rng.randbytes(last - first)
            await bench.load(ctx, first, before)
            bench.axi.reads.clear()
            assert not await bench.move(ctx, address=C | address, offset=offset, length=length, write=0)
            check_bursts(bench.axi.reads, C | address, length)
            expected = bytearray(before)
            expected[offset - first:offset - first + length] = bench.axi.memory[address:address + length]
            assert await bench.dump(ctx, first, last - first) == expected, (address, offset, length, SEED)
        assert not bench.axi.writes

    bench.run(testbench)


@pytest.mark.parametrize("stalls", [0.0, 0.5])
def test_writes_change_the_range_and_nothing_else(stalls):
    bench = Bench(stalls=stalls)

    async def testbench(ctx):
        for address, offset, length in ranges(bench.rng, 25):
            first, last = offset & ~15, (offset + length + 15) & ~15
            data = bench.rng.randbytes(last - first)
            await bench.load(ctx, first, data)
            bench.axi.writes.clear()
            bench.axi.strobed.clear()
            expected = bytearray(bench.axi.memory)
            expected[address:address + length] = data[offset - first:offset - first + length]
            assert not await bench.move(ctx, address=C | address, offset=offset, length=length, write=1)
            check_bursts(bench.axi.writes, C | address, length)
            assert bench.axi.memory == expected, (address, offset, length, SEED)
            assert bench.axi.strobed == {*range(C | address, (C | address) + length)}
        assert not bench.axi.reads
        assert await bench.dump(ctx, first, last - first) == data

    bench.run(testbench)


@pytest.mark.parametrize("write", [0, 1])
def test_a_whole_page_moves(write):
    bench = Bench()

    async def testbench(ctx):
        data = bench.rng.randbytes(4096)
        await bench.load(ctx, 4096, data)
        assert not await bench.move(ctx, address=8192, offset=4096, length=4096, write=write)
        bursts = bench.axi.writes if write else bench.axi.reads
        assert len(bursts) == 64
        assert await bench.dump(ctx, 4096, 4096) == bench.axi.memory[8192:12288]
        assert (bench.axi.memory[8192:12288] == data) == bool(write)

    bench.run(testbench)


@pytest.mark.parametrize("write", [0, 1])
def test_accesses_have_the_asid_and_are_the_processors(write):
    bench = Bench(asid_width=6)

    async def testbench(ctx):
        for asid in (0, 1, 41, 63):
            assert not await bench.move(ctx, address=0x40, offset=0, length=64, write=write, asid=asid)
            burst = (bench.axi.writes if write else bench.axi.reads)[-1]
            assert burst.user == asid
            assert burst.cache == 0b0010

    bench.run(testbench)


@pytest.mark.parametrize("response", [Response.SLVERR, Response.DECERR, Response.EXOKAY])
@pytest.mark.parametrize("bad", [0x100, 0x140, 0x1F0])
def test_a_read_that_fails_leaves_zeros(response, bad):
    bench = Bench()
    bench.axi.checker._check_exokay = lambda *_: None

    async def testbench(ctx):
        before = bench.rng.randbytes(0x200)
        await bench.load(ctx, 0, before)
        bench.axi.errors[bad] = response.value
        assert await bench.move(ctx, address=0x105, offset=0x45, length=0xF6, write=0)
        expected = bytearray(before)
        expected[0x45:0x45 + 0xF6] = bytes(0xF6)
        assert await bench.dump(ctx, 0, 0x200) == expected
        assert all(burst.addr // 64 <= bad // 64 for burst in bench.axi.reads)
        bench.axi.errors.clear()
        assert not await bench.move(ctx, address=0x105, offset=0x45, length=0xF6, write=0)
        assert await bench.dump(ctx, 0x50, 16) == bench.axi.memory[0x110:0x120]

    bench.run(testbench)


@pytest.mark.parametrize("bad", [0x100, 0x150, 0x1F0])
def test_a_write_that_fails_ends(bad):
    bench = Bench()

    async def testbench(ctx):
        bench.axi.errors[bad] = Response.SLVERR.value
        assert await bench.move(ctx, address=0x100, offset=0, length=0x100, write=1)
        assert bench.axi.writes[-1].addr // 64 == bad // 64
        bench.axi.errors.clear()
        assert not await bench.move(ctx, address=0x100, offset=0, length=0x100, write=1)

    bench.run(testbench)


@pytest.mark.parametrize("fields", [
    {"length": 0}, {"length": 4097}, {"length": 8191}, {"offset": 8176, "length": 17}, {"offset": 4112, "length": 4096},
    {"offset": 1}, {"address": 0x2004}, {"address": 1 << 48}, {"address": 1 << 63},
    {"address": (1 << 48) - 16, "length": 17}, {"address": (1 << 64) - 16, "length": 32},
    {"address": (1 << 64) - 16, "length": 16}, {"asid": 16},
    {"asid": 512},
], ids=str)
@pytest.mark.parametrize("write", [0, 1])
def test_starts_out_of_range_do_nothing_but_tell(fields, write):
    bench = Bench()

    async def testbench(ctx):
        await bench.load(ctx, 0, bytes(range(64)))
        before = bytes(bench.axi.memory)
        assert await bench.start(ctx, **{"address": 0x2000, "offset": 0, "length": 16, "write": write} | fields)
        assert not ctx.get(bench.unit.dma_status.value.busy)
        assert ctx.get(bench.unit.dma_status.value.error)
        await ctx.tick().repeat(20)
        assert not bench.axi.reads
        assert not bench.axi.writes
        assert bench.axi.memory == before
        assert await bench.dump(ctx, 0, 64) == bytes(range(64))
        assert not await bench.move(ctx, address=0x2000, offset=0, length=16, write=write)

    bench.run(testbench)


@pytest.mark.parametrize("addr_width", [48, 64])
def test_the_last_bytes_of_everything_can_be_moved(addr_width):
    bench = Bench(addr_width=addr_width)

    async def testbench(ctx):
        address = (1 << addr_width) - 20
        assert not await bench.move(ctx, address=address, offset=8172, length=20, write=0, asid=15)
        assert (await bench.dump(ctx, 8172, 20)) == bench.axi.memory[-20:]
        assert await bench.move(ctx, address=address, offset=8156, length=21, write=0)

    bench.run(testbench)


def test_nothing_is_written_while_it_runs():
    bench = Bench()

    async def testbench(ctx):
        assert await bench.start(ctx, address=0x100, offset=0, length=64, write=0, asid=3)
        while ctx.get(bench.unit.dma_status.value.busy):
            assert not await bench.write(ctx, "DMA_START", offset=0, length=0)
            assert not await bench.write(ctx, "DMA_LOW", address=0)
            assert not await bench.write(ctx, "DMA_HIGH", address=0)
            assert not await bench.write(ctx, "DMA_ASID", asid=0)
            await ctx.tick()
        assert not ctx.get(bench.unit.dma_status.value.error)
        assert ctx.get(bench.unit.dma_low.value.address) == 0x100
        assert await bench.dump(ctx, 0, 64) == bench.axi.memory[0x100:0x140]

    bench.run(testbench)


@pytest.mark.parametrize("write", [0, 1])
def test_the_processor_in_the_buffer_only_delays_it(write):
    bench = Bench()

    async def testbench(ctx):
        data = bench.rng.randbytes(256)
        await bench.load(ctx, 0, data)
        assert await bench.start(ctx, address=0x100, offset=0, length=256, write=write)
        while ctx.get(bench.unit.dma_status.value.busy):
            ctx.set(bench.memory.processor.valid, bench.rng.random() < 0.6)
            ctx.set(bench.memory.processor.address, bench.rng.randrange(2048))
            await ctx.tick()
        assert await bench.dump(ctx, 0, 256) == bench.axi.memory[0x100:0x200]
        assert (bench.axi.memory[0x100:0x200] == data) == bool(write)

    bench.run(testbench)


@pytest.mark.parametrize(("write", "beat_cycles"), [(0, 5), (1, 6)])
def test_cycles_of_a_move(write, beat_cycles):
    bench = Bench()

    async def testbench(ctx):
        # The memory of this test answers in the cycle after a request.
        assert await bench.start(ctx, address=0, offset=0, length=256, write=write)
        assert await bench.finish(ctx, "DMA_STATUS", 1000) == 1 + 4 * (2 + 4 * beat_cycles)

    bench.run(testbench)


@pytest.mark.parametrize(("name", "value", "text"), [
    ("addr_width", 12, "addr_width must be 13 to 64, not 12"),
    ("addr_width", 65, "addr_width must be 13 to 64, not 65"),
    ("asid_width", 0, "asid_width must be 1 to 10, not 0"), ("asid_width", 11, "asid_width must be 1 to 10, not 11")])
def test_bad_widths_are_refused(name, value, text):
    with pytest.raises(ValueError, match=text):
        Dma(**{"addr_width": 48, "id_width": 4, "asid_width": 4} | {name: value})
