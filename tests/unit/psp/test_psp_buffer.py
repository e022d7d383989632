# amaranth: UnusedElaboratable=no

"""The buffer keeps what its users write, byte by byte, and serves one of them at a time."""

import json
import random
from functools import partial

import pytest
from amaranth.back import rtlil

from cbit.psp.buffer import BUFFER_WORDS, Buffer
from cbit_fpga.yosys import run_yosys
from cbit_sim.streams import simulate

SEED = 20


def test_a_buffer_without_units_is_refused():
    with pytest.raises(ValueError, match="Units must be an integer of at least 1, not 0"):
        Buffer(units=0)


async def traffic(ctx, port, expected, words, accesses, rng):
    """Random reads and writes of some words, each compared with what is expected there."""
    for _ in range(accesses):
        address = rng.choice(words)
        strobes, data = rng.choice((0, 0b1111, rng.randrange(16))), rng.getrandbits(32)
        ctx.set(port.valid, 1)
        ctx.set(port.address, address)
        ctx.set(port.strobes, strobes)
        ctx.set(port.write_data, data)
        await ctx.tick().until(port.ready)
        ctx.set(port.valid, 0)
        mask = sum(0xFF << 8 * byte for byte in range(4) if strobes >> byte & 1)
        if strobes:
            expected[address] = expected[address] & ~mask | data & mask
        else:
            assert ctx.get(port.read_data) == expected[address], f"word {address}, seed {SEED}"
        while rng.random() < 0.3:
            await ctx.tick()


def test_every_user_finds_what_it_wrote():
    dut = Buffer(units=3)
    expected = [0] * BUFFER_WORDS
    users = (dut.processor, *dut.units)

    def user(number):
        words = [*range(number, 40, len(users)), BUFFER_WORDS - 1 - number]
        return partial(traffic, port=users[number], expected=expected, words=words, accesses=400,
                       rng=random.Random(SEED + number))

    simulate(dut, *(user(number) for number in range(len(users))))


def test_what_one_user_writes_the_other_reads():
    dut = Buffer(units=1)
    expected = [0] * BUFFER_WORDS

    async def testbench(ctx):
        for number, (writer, reader) in enumerate([(dut.processor, dut.units[0]), (dut.units[0], dut.processor)]):
            rng = random.Random(SEED + number)
            words = rng.sample(range(BUFFER_WORDS), 20)
            await traffic(ctx, writer, expected, words, 60, rng)
            for address in words:
                ctx.set(reader.valid, 1)
                ctx.set(reader.strobes, 0)
                ctx.set(reader.address, address)
                await ctx.tick()
                ctx.set(reader.valid, 0)
                assert ctx.get(reader.read_data) == expected[address]

    simulate(dut, testbench)


def test_the_processor_goes_before_the_first_unit():
    dut = Buffer(units=3)
    users = (dut.processor, *dut.units)

    async def testbench(ctx):
        for asking in range(16):
            for number, user in enumerate(users):
                ctx.set(user.valid, asking >> number & 1)
            granted = [number for number, user in enumerate(users) if ctx.get(user.valid & user.ready)]
            assert granted == [number for number in range(4) if asking >> number & 1][:1]
            await ctx.tick()

    simulate(dut, testbench)


def test_it_is_four_block_rams(tmp_path):
    (tmp_path / "design.il").write_text(rtlil.convert(Buffer(units=3), name="core"))
    run_yosys("read_rtlil design.il\nsynth_ecp5 -top core\ntee -q -o cells.json stat -json", tmp_path)
    cells = json.loads((tmp_path / "cells.json").read_text())["modules"]["\\core"]["num_cells_by_type"]
    assert cells["DP16KD"] == 4
