"""The table by which firmware levels DRAM: what it has of LiteDRAM, and what does not fit."""

import dataclasses
import re

import pytest

from cbit.csr.map import register
from cbit.dram.dfi import Step
from cbit.dram.generate import generate
from cbit.dram.leveling import dram_table
from cbit.dram.spec import DramKind, DramSpec
from cbit_sim.verilog import build_folder

CHIP = {"module": "MT41K64M16", "clock_hz": 50_000_000, "kind": DramKind.DDR3, "crystal_hz": 100_000_000}


def spec(width):
    return DramSpec(**CHIP, width=width, memory_bytes=width << 23)


def controller(width=16):
    return generate(spec(width), id_width=4, folder=build_folder())


def field(table, name, field_name):
    entry = register("dram_table", name)
    (found,) = (found for found in entry.fields if found.name == field_name)
    return table[entry.offset // 4] >> found.lsb & (1 << found.width) - 1


@pytest.mark.parametrize(("width", "masks"), [
    (16, [0x00FF00FF, 0xFF00FF00]), (32, [0xFF, 0xFF00, 0xFF0000, 0xFF000000])])
def test_every_bit_of_a_burst_is_of_one_lane(width, masks):
    table = dram_table(spec(width), controller(width), timer_hz=25_000_000)
    assert [field(table, f"LANE_BITS{lane}", "MASK") for lane in range(len(masks))] == masks
    assert [field(table, "PHY", name) for name in ("LANES", "DELAYS", "BITSLIPS", "WORDS")] == [
        len(masks), 8, 4, 2 * len(masks)]


@pytest.mark.parametrize("kind", ["WRITE_DATA", "READ_DATA"])
def test_words_of_a_burst_are_in_registers_of_their_own(kind):
    table = dram_table(spec(32), controller(32), timer_hz=25_000_000)
    places = {field(table, f"{kind}{number}", "OFFSET") for number in range(8)}
    assert len(places) == 8
    assert all(place < 1 << 13 for place in places)


@pytest.mark.parametrize("timer_hz", [10_000_000, 48_000_000, 100_000_000])
def test_waits_are_of_the_timer_and_never_shorter(timer_hz):
    table = dram_table(spec(16), controller(), timer_hz=timer_hz)
    reset_us, unreset_us = (
        max(field(table, f"STEP{number}", "WAIT") for number in numbers) * 1e6 / timer_hz
        for numbers in ((0,), range(1, 5)))
    assert reset_us >= 200
    assert unreset_us >= 500


def test_what_does_not_fit_is_refused():
    made = controller()
    many = dataclasses.replace(made, sequence=made.sequence + tuple(
        Step("sdram_dfii_pi0_address", number) for number in range(200)))
    with pytest.raises(ValueError, match=r"^The steps must be at most 128, not 2\d\d$"):
        dram_table(spec(16), many, timer_hz=25_000_000)
    with pytest.raises(ValueError, match=re.escape("WAIT must be below 2**19, not ")):
        dram_table(spec(16), made, timer_hz=1_000_000_000)
    far = dataclasses.replace(made, registers={**made.registers, "ddrphy_dly_sel": 1 << 13})
    with pytest.raises(ValueError, match=r"^LANE_SELECT\.OFFSET must be below 2\*\*13, not 8192$"):
        dram_table(spec(16), far, timer_hz=25_000_000)
