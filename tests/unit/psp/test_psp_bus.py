# amaranth: UnusedElaboratable=no
"""The processor's bus: where accesses go, what they do in memory, and what becomes of those that registers refuse."""

import random

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.lib.wiring import Component, In, connect, flipped
from amaranth.sim import Simulator

from cbit.csr.bank import ADDR_WIDTH, Bank
from cbit.csr.map import registers
from cbit.psp.addresses import DRAM_REGIONS, REGIONS, AddressDecoder
from cbit.psp.bridge import RegisterBridge
from cbit.psp.buffer import Buffer
from cbit.psp.dram_table import DramTable
from cbit.psp.program import MEMORY_BYTES, ProgramMemory
from cbit.psp.window import BufferWindow
from cbit.psp.wishbone import WishboneSignature
from cbit_sim import wishbone
from cbit_sim.streams import simulate

SEED = 5


def test_firmware_must_fit():
    with pytest.raises(ValueError, match="firmware must be of at most 65536 bytes, not 65537"):
        ProgramMemory(firmware=bytes(MEMORY_BYTES + 1))


def test_memory_holds_the_firmware_and_what_is_written():
    rng = random.Random(SEED)
    firmware = rng.randbytes(402)
    expected = bytearray(firmware.ljust(MEMORY_BYTES, b"\0"))
    dut = ProgramMemory(firmware=firmware)

    async def testbench(ctx):
        for _ in range(400):
            address = rng.choice((rng.randrange(0, 512, 4), rng.randrange(MEMORY_BYTES - 64, MEMORY_BYTES, 4)))
            if rng.random() < 0.5:
                sel, data = rng.randrange(16), rng.randbytes(4)
                await wishbone.write(ctx, dut.bus, address, int.from_bytes(data, "little"), sel=sel)
                for byte in range(4):
                    if sel >> byte & 1:
                        expected[address + byte] = data[byte]
            word = await wishbone.read(ctx, dut.bus, address)
            assert word == int.from_bytes(expected[address:address + 4], "little")

    simulate(dut, testbench)


def test_nothing_is_written_under_reset():
    """Whatever the memory's register holds: it may be what it was when power came."""
    m = Module()
    m.domains.sync = domain = ClockDomain()
    m.submodules.dut = dut = ProgramMemory(firmware=bytes(range(16)))

    async def testbench(ctx):
        for is_reset in (1, 0):
            for name, value in (("adr", 1), ("we", 1), ("sel", 0xF), ("dat_w", 0xFFFF_FFFF), ("stb", 1)):
                ctx.set(getattr(dut.bus, name), value)
            await ctx.tick()
            assert ctx.get(dut.bus.ack)
            ctx.set(domain.rst, is_reset)
            await ctx.tick()
            ctx.set(domain.rst, 0)
            ctx.set(dut.bus.stb, 0)
            await ctx.tick()
            assert await wishbone.read(ctx, dut.bus, 4) == (0x0706_0504 if is_reset else 0xFFFF_FFFF)

    simulate(m, testbench)


@pytest.mark.parametrize("pages", [0, 1, 3, 256])
def test_locked_code_is_not_written(pages):
    end = 256 * pages
    addresses = [address for address in (0, 252, 256, end - 4, end, 0xFFFC) if 0 <= address < MEMORY_BYTES]

    async def testbench(ctx):
        ctx.set(dut.code_pages, pages)
        for locked in (0, 1):
            ctx.set(dut.locked, locked)
            for address in addresses:
                before = await wishbone.read(ctx, dut.bus, address)
                is_done = await wishbone.write(ctx, dut.bus, address, ~before & 0xFFFF_FFFF, limit_cycles=20)
                assert is_done == (not locked or address >= end)
                after = await wishbone.read(ctx, dut.bus, address)
                assert after == (~before & 0xFFFF_FFFF if is_done else before)

    dut = ProgramMemory(firmware=bytes(range(256)) * 4)
    simulate(dut, testbench)


@pytest.mark.parametrize("levels_dram", [False, True])
def test_each_address_leads_to_its_region(levels_dram):
    """What there is of DRAM is there only where it has to be leveled; elsewhere an access of it is one to nowhere."""
    dut = AddressDecoder(levels_dram=levels_dram)
    regions = REGIONS | DRAM_REGIONS if levels_dram else REGIONS
    edges = {address + offset for address, size in (REGIONS | DRAM_REGIONS).values()
             for offset in (-4, 0, size - 4, size)}
    addresses = sorted(edge for edge in edges | {0x2000_0000, 0x8000_0000, 0xFFFF_FFFC} if edge >= 0)

    async def testbench(ctx):
        assert not ctx.get(dut.stray)
        for address in addresses:
            home = [name for name, (start, size) in regions.items() if start <= address < start + size]
            ctx.set(dut.bus.adr, address // 4)
            for name in regions:
                ctx.set(getattr(dut, name).dat_r, 100 + list(regions).index(name))
                ctx.set(getattr(dut, name).ack, 1)
            assert not any(ctx.get(getattr(dut, name).stb) for name in regions)
            ctx.set(dut.bus.stb, 1)
            assert [name for name in regions if ctx.get(getattr(dut, name).stb)] == home
            assert not ctx.get(dut.bus.ack)
            await ctx.tick()
            assert ctx.get(dut.bus.ack) == len(home)
            for name in home:
                assert not ctx.get(getattr(dut, name).stb)
                assert ctx.get(getattr(dut, name).adr) == (address - regions[name][0]) // 4
                assert ctx.get(dut.bus.dat_r) == 100 + list(regions).index(name)
                await ctx.tick()
            ctx.set(dut.bus.stb, 0)

    simulate(dut, testbench)


@pytest.mark.parametrize("refused", [False, True])
def test_strays_are_remembered(refused):
    dut = AddressDecoder()

    async def testbench(ctx):
        await ctx.tick().repeat(3)
        assert not ctx.get(dut.stray)
        ctx.set(dut.refused if refused else dut.bus.stb, 1)
        ctx.set(dut.bus.adr, 0 if refused else 0x2000_0000 // 4)
        await ctx.tick()
        ctx.set(dut.refused if refused else dut.bus.stb, 0)
        for _ in range(5):
            assert ctx.get(dut.stray)
            await ctx.tick()

    simulate(dut, testbench)


class Registers(Component):
    """A bank behind the bridge."""

    bus: In(WishboneSignature(addr_width=ADDR_WIDTH - 2))

    def __init__(self):
        self.bank = Bank(registers=registers("processor"))
        self.bridge = RegisterBridge(addr_width=ADDR_WIDTH)
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.bank, m.submodules.bridge = self.bank, self.bridge
        connect(m, flipped(self.bus), self.bridge.bus)
        connect(m, self.bridge.m_axil, self.bank.s_axil)
        return m


def test_registers_are_read_and_written_and_their_errors_are_told():
    dut = Registers()
    seen, failures = [], []

    async def watch(ctx):
        port = dut.bank.alarm
        async for _, _, write, data, failed in ctx.tick().sample(port.write, port.data.cycles, dut.bridge.failed):
            if write:
                seen.append(data)
            failures.append(failed)

    async def testbench(ctx):
        offset = {entry.name: entry.offset for entry in registers("processor")}
        ctx.set(dut.bank.timer.value.cycles, 1234)
        for _ in range(3):
            assert await wishbone.read(ctx, dut.bus, 0) == int.from_bytes(b"PSP1", "little")
            assert await wishbone.read(ctx, dut.bus, offset["TIMER"]) == 1234
            assert await wishbone.write(ctx, dut.bus, offset["ALARM"], 0x8765_4321)
        await ctx.tick()
        assert (seen, sum(failures)) == ([0x8765_4321] * 3, 0)
        assert await wishbone.read(ctx, dut.bus, 0xFFC) == 0
        assert await wishbone.write(ctx, dut.bus, offset["TIMER"], 1)
        assert await wishbone.write(ctx, dut.bus, offset["ALARM"], 1, sel=3)
        assert await wishbone.read(ctx, dut.bus, offset["CONTROL"]) == 0
        await ctx.tick()
        assert (seen, sum(failures)) == ([0x8765_4321] * 3, 4)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(watch, background=True)
    simulator.add_testbench(testbench)
    simulator.run()


class WindowedBuffer(Component):
    """A buffer behind its window."""

    bus: In(WishboneSignature(addr_width=11))

    def elaborate(self, _platform):
        m = Module()
        m.submodules.window = window = BufferWindow()
        m.submodules.buffer = buffer = Buffer(units=1)
        connect(m, flipped(self.bus), window.bus)
        connect(m, window.buffer, buffer.processor)
        return m


def test_buffer_is_read_and_written_through_its_window():
    dut = WindowedBuffer()
    rng = random.Random(SEED)
    expected = bytearray(8192)

    async def testbench(ctx):
        for _ in range(200):
            address, sel, data = rng.randrange(0, 8192, 4) & 0x107C, rng.randrange(16), rng.randbytes(4)
            await wishbone.write(ctx, dut.bus, address, int.from_bytes(data, "little"), sel=sel)
            for byte in range(4):
                if sel >> byte & 1:
                    expected[address + byte] = data[byte]
            other = rng.randrange(0, 8192, 4) & 0x107C
            assert await wishbone.read(ctx, dut.bus, other) == int.from_bytes(expected[other:other + 4], "little")

    simulate(dut, testbench)



def test_the_table_of_dram_is_read_and_never_written():
    rng = random.Random(SEED)
    words = [rng.getrandbits(32) for _ in range(300)]
    dut = DramTable(words=words)

    async def testbench(ctx):
        for place in (0, 1, 299, 300, 511):
            before = await wishbone.read(ctx, dut.bus, 4 * place)
            assert before == (words[place] if place < len(words) else 0)
            ctx.set(dut.bus.we, 1)
            assert not ctx.get(dut.stray)
            assert not await wishbone.write(ctx, dut.bus, 4 * place, ~before & 0xFFFF_FFFF, limit_cycles=20)
            assert await wishbone.read(ctx, dut.bus, 4 * place) == before
        ctx.set(dut.bus.we, 1)
        ctx.set(dut.bus.stb, 1)
        assert ctx.get(dut.stray)

    simulate(dut, testbench)


def test_a_table_of_dram_must_fit():
    with pytest.raises(ValueError, match=r"^words must be at most 512, not 513$"):
        DramTable(words=[0] * 513)
