# amaranth: UnusedElaboratable=no
"""The bank: what it answers, what it refuses, how it stalls."""

import random
from functools import partial

import pytest
from amaranth.hdl import Const
from amaranth.sim import Simulator

from cbit.axi.ports import Response
from cbit.csr import map as register_map
from cbit.csr.bank import WORD_CYCLES, Bank
from cbit.csr.rotation import ROTATING, ROTATION_CYCLES
from cbit_sim import axi_lite

MAPS = pytest.mark.parametrize("map_name", [
    pytest.param(name, marks=pytest.mark.slow if name == "dram_table" else ()) for name in register_map.MAP_NAMES])
"""All address spaces; one has as many registers as all others together, an array of equals."""

OKAY, SLVERR, DECERR = (Response[name].value for name in ("OKAY", "SLVERR", "DECERR"))


def bank_of(map_name: str) -> Bank:
    return Bank(registers=register_map.registers(map_name),
                addr_width=(register_map.size_bytes(map_name) - 1).bit_length())


def psp_bank() -> Bank:
    return bank_of("psp")


def offset(name: str, map_name: str = "psp") -> int:
    return next(register.offset for register in register_map.registers(map_name) if register.name == name)


def simulate(bank, *testbenches):
    simulator = Simulator(bank)
    simulator.add_clock(1e-6)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.run()


@MAPS
def test_every_register_reads_what_stands_behind_it(map_name):
    bank = bank_of(map_name)
    rng = random.Random(1)

    async def testbench(ctx):
        for register in bank.registers:
            fields = [field for field in register.fields if not field.constant]
            expected = register.reset
            if register.access != "wo" and fields:
                values = {field.name.lower(): rng.getrandbits(field.width) for field in fields}
                port = getattr(bank, (register.array or register.name).lower())
                ctx.set(port.value[register.index] if register.array else port.value, values)
                expected = sum(values[field.name.lower()] << field.lsb for field in fields)
            answer = (0, SLVERR) if register.access == "wo" else (expected, OKAY)
            assert await axi_lite.read(ctx, bank.s_axil, register.offset) == answer, register.name

    simulate(bank, testbench)


def writable_ports(bank):
    """The ports that take words, by the names of their registers or arrays."""
    names = dict.fromkeys(r.array or r.name for r in bank.registers if r.access != "ro")
    return {name: getattr(bank, name.lower()) for name in names}


@MAPS
def test_every_register_is_written_or_refuses(map_name):
    bank = bank_of(map_name)
    writes = []

    async def watch(ctx):
        ports = writable_ports(bank)
        indices = [getattr(port, "index", Const(0)) for port in ports.values()]
        async for _, _, *samples in ctx.tick().sample(*(port.write for port in ports.values()), *indices,
                                                      *(port.data.as_value() for port in ports.values())):
            count = len(ports)
            writes.extend((name, index, word) for name, strobe, index, word in zip(
                ports, samples[:count], samples[count:2 * count], samples[2 * count:]) if strobe)

    async def testbench(ctx):
        for register in bank.registers:
            word = random.Random(register.offset).getrandbits(32)
            writable = register.access != "ro"
            assert await axi_lite.write(ctx, bank.s_axil, register.offset, word) == (OKAY if writable else SLVERR)
            assert writes == ([(register.array or register.name, register.index, word)] if writable else [])
            writes.clear()

    simulator = Simulator(bank)
    simulator.add_clock(1e-6)
    simulator.add_testbench(watch, background=True)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("map_name", register_map.ENGINE_MAP_NAMES)
def test_rotating_registers_are_read_as_they_come_by_after_the_address(map_name):
    """What is shown changes every cycle: a word tells when it was shown."""
    bank = Bank(registers=register_map.registers(map_name), rotating=ROTATING)
    now = []

    async def rotate(ctx):
        cycle = 0
        while True:
            ctx.set(bank.rotation, {"place": cycle % ROTATION_CYCLES, "word": 1000 + cycle})
            now[:] = [cycle]
            await ctx.tick()
            cycle += 1

    async def testbench(ctx):
        rng = random.Random(6)
        for register in (*ROTATING, *reversed(ROTATING)):
            await ctx.tick().repeat(rng.randint(1, ROTATION_CYCLES))
            asked = now[0]
            word, resp = await axi_lite.read(ctx, bank.s_axil, register.offset)
            assert resp == OKAY
            assert (word - 1000) % ROTATION_CYCLES == register.offset // 4 % ROTATION_CYCLES
            assert asked + WORD_CYCLES < word - 1000 <= asked + WORD_CYCLES + 1 + ROTATION_CYCLES
            assert await axi_lite.read(ctx, bank.s_axil, 0) == (0x54494243, OKAY)

    simulator = Simulator(bank)
    simulator.add_clock(1e-6)
    simulator.add_testbench(rotate, background=True)
    simulator.add_testbench(testbench)
    simulator.run()


def test_only_rotating_registers_have_no_port():
    bank = Bank(registers=register_map.registers("host"), rotating=ROTATING)
    ports = set(bank.signature.members) - {"s_axil", "rotation"}
    assert ports == {"features_ebx", "features_ecx", "mode", "status", "parameters"}


def test_refusals_change_nothing():
    bank = psp_bank()

    async def testbench(ctx):
        ctx.set(bank.key_data.refuse, 1)
        assert await axi_lite.write(ctx, bank.s_axil, offset("KEY_DATA7"), 1) == SLVERR
        for strobes in range(15):
            assert await axi_lite.write(ctx, bank.s_axil, offset("MODE"), 7, strobes=strobes) == SLVERR
        assert await axi_lite.write(ctx, bank.s_axil, 0xffc, 1) == DECERR
        assert await axi_lite.read(ctx, bank.s_axil, 0xffc) == (0, DECERR)

    async def no_write(ctx):
        strobes = [port.write for port in writable_ports(bank).values()]
        async for _, _, *samples in ctx.tick().sample(*strobes):
            assert not any(samples)

    simulator = Simulator(bank)
    simulator.add_clock(1e-6)
    simulator.add_testbench(no_write, background=True)
    simulator.add_testbench(testbench)
    simulator.run()


def test_a_written_word_does_not_stay():
    bank = psp_bank()

    async def testbench(ctx):
        await axi_lite.write(ctx, bank.s_axil, offset("KEY_DATA0"), 0xdeadbeef)
        assert ctx.get(bank.key_data.data.word) == 0

    simulate(bank, testbench)


def test_low_address_bits_are_ignored():
    bank = psp_bank()

    async def testbench(ctx):
        for byte in range(4):
            assert await axi_lite.read(ctx, bank.s_axil, offset("ID") + byte) == (0x54494243, OKAY)

    simulate(bank, testbench)


@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (3, 0), (0, 3), (3, 3)])
def test_answers_are_stable_and_in_order(gaps, stalls):
    """Both directions at once, data before or after its address; without gaps and stalls, reads every fifth cycle
    and writes every third."""
    bank = psp_bank()
    bus = bank.s_axil
    count = 100
    rng = random.Random(2)
    reads = [rng.choice([0, 4, 0x40, 0xffc]) for _ in range(count)]
    writes = [rng.choice([0, offset("MODE"), 0xffc]) for _ in range(count)]
    read_answers = {0: (0x54494243, OKAY), 4: (0x100, OKAY), 0x40: (0, SLVERR), 0xffc: (0, DECERR)}
    write_answers = {0: SLVERR, offset("MODE"): OKAY, 0xffc: DECERR}

    async def drive(ctx, channel, payloads):
        gap = random.Random(3)
        for payload in payloads:
            if gaps:
                await ctx.tick().repeat(gap.randint(1, gaps))
            ctx.set(channel.payload, payload)
            ctx.set(channel.valid, 1)
            await ctx.tick().until(channel.ready)
            ctx.set(channel.valid, 0)

    async def expect(ctx, channel, answers):
        stall = random.Random(4)
        for number, answer in enumerate(answers):
            if stalls:
                await ctx.tick().until(channel.valid)
                held = ctx.get(channel.payload.as_value())
                await ctx.tick().repeat(stall.randint(1, stalls))
                assert ctx.get(channel.valid)
                assert ctx.get(channel.payload.as_value()) == held
            ctx.set(channel.ready, 1)
            (payload,) = await ctx.tick().sample(channel.payload).until(channel.valid)
            ctx.set(channel.ready, 0)
            got = (payload.data, payload.resp.value) if channel is bus.r else payload.resp.value
            assert got == answer, f"answer {number}"
        finished.append(channel)

    async def budget(ctx):
        await ctx.tick().repeat(3 * count + 2)
        assert gaps or stalls or finished == [bus.b]
        await ctx.tick().repeat(2 * count)
        assert gaps or stalls or finished == [bus.b, bus.r]

    finished = []
    simulate(
        bank,
        partial(drive, channel=bus.ar, payloads=[{"addr": address} for address in reads]),
        partial(drive, channel=bus.aw, payloads=[{"addr": address} for address in writes]),
        partial(drive, channel=bus.w, payloads=[{"data": 0, "strb": 15}] * count),
        partial(expect, channel=bus.r, answers=[read_answers[address] for address in reads]),
        partial(expect, channel=bus.b, answers=[write_answers[address] for address in writes]),
        budget)
    assert len(finished) == 2
