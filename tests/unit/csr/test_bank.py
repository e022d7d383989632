"""The bank: what it answers, what it refuses, how it stalls."""

import random
from functools import partial

import pytest
from amaranth.sim import Simulator

from cbit.axi.ports import Response
from cbit.csr import map as register_map
from cbit.csr.bank import Bank
from cbit_sim import axi_lite

OKAY, SLVERR, DECERR = (Response[name].value for name in ("OKAY", "SLVERR", "DECERR"))


def psp_bank() -> Bank:
    return Bank(registers=register_map.registers("psp"))


def offset(name: str, map_name: str = "psp") -> int:
    return next(register.offset for register in register_map.registers(map_name) if register.name == name)


def simulate(bank, *testbenches):
    simulator = Simulator(bank)
    simulator.add_clock(1e-6)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("map_name", register_map.MAP_NAMES)
def test_every_register_reads_what_stands_behind_it(map_name):
    bank = Bank(registers=register_map.registers(map_name))
    rng = random.Random(1)

    async def testbench(ctx):
        for register in bank.registers:
            fields = [field for field in register.fields if not field.constant]
            expected = register.reset
            if register.access != "wo" and fields:
                values = {field.name.lower(): rng.getrandbits(field.width) for field in fields}
                ctx.set(getattr(bank, register.name.lower()).value, values)
                expected = sum(values[field.name.lower()] << field.lsb for field in fields)
            answer = (0, SLVERR) if register.access == "wo" else (expected, OKAY)
            assert await axi_lite.read(ctx, bank.s_axil, register.offset) == answer, register.name

    simulate(bank, testbench)


def test_every_register_is_written_or_refuses():
    bank = psp_bank()
    writes = []

    async def watch(ctx):
        ports = {r.name: getattr(bank, r.name.lower()) for r in bank.registers if r.access != "ro"}
        async for _, _, *samples in ctx.tick().sample(*(port.write for port in ports.values()),
                                                      *(port.data.as_value() for port in ports.values())):
            strobes, words = samples[:len(ports)], samples[len(ports):]
            writes.extend((name, word) for name, strobe, word in zip(ports, strobes, words) if strobe)

    async def testbench(ctx):
        for register in bank.registers:
            word = random.Random(register.offset).getrandbits(32)
            writable = register.access != "ro"
            assert await axi_lite.write(ctx, bank.s_axil, register.offset, word) == (OKAY if writable else SLVERR)
            assert writes == ([(register.name, word)] if writable else [])
            writes.clear()

    simulator = Simulator(bank)
    simulator.add_clock(1e-6)
    simulator.add_testbench(watch, background=True)
    simulator.add_testbench(testbench)
    simulator.run()


def test_refusals_change_nothing():
    bank = psp_bank()

    async def testbench(ctx):
        ctx.set(bank.key_data7.refuse, 1)
        assert await axi_lite.write(ctx, bank.s_axil, offset("KEY_DATA7"), 1) == SLVERR
        for strobes in range(15):
            assert await axi_lite.write(ctx, bank.s_axil, offset("MODE"), 7, strobes=strobes) == SLVERR
        assert await axi_lite.write(ctx, bank.s_axil, 0xffc, 1) == DECERR
        assert await axi_lite.read(ctx, bank.s_axil, 0xffc) == (0, DECERR)

    async def no_write(ctx):
        strobes = [getattr(bank, r.name.lower()).write for r in bank.registers if r.access != "ro"]
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
        assert ctx.get(bank.key_data0.data.word) == 0

    simulate(bank, testbench)


def test_low_address_bits_are_ignored():
    bank = psp_bank()

    async def testbench(ctx):
        for byte in range(4):
            assert await axi_lite.read(ctx, bank.s_axil, offset("ID") + byte) == (0x54494243, OKAY)

    simulate(bank, testbench)


@pytest.mark.parametrize(("gaps", "stalls"), [(0, 0), (3, 0), (0, 3), (3, 3)])
def test_answers_are_stable_and_in_order(gaps, stalls):
    """Both directions at once, data before or after its address; every second cycle without gaps and stalls."""
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
        await ctx.tick().repeat(2 * count + 2)
        assert gaps or stalls or len(finished) == 2

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
