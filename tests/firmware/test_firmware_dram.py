"""Leveling of DRAM by the firmware: it finds windows that it does not know, heeds the standard, and refuses others."""

import functools
import random

import pytest

from cbit.csr.map import register
from cbit.dram.generate import generate
from cbit.dram.leveling import dram_table
from cbit.dram.spec import DramKind, DramSpec
from cbit_model.sev.memory import SeededEntropy
from cbit_sim.ddr3 import Ddr3Model, Lane
from cbit_sim.ddr3_board import Ddr3Board
from cbit_sim.emulated_firmware import EmulatedFirmware
from cbit_sim.firmware_build import firmware
from cbit_sim.native_firmware import NativeFirmware
from cbit_sim.psp_pair import DEVICE_SECRET
from cbit_sim.psp_surroundings import ModelSurroundings, RefusingMemory
from cbit_sim.verilog import build_folder

CODES = next(field.values for field in register("processor", "BOOT_CODE").fields)
C_BIT = 47
STACK_LIMIT = 4096
CHIPS = {
    16: DramSpec(module="MT41K256M16", memory_bytes=1 << 29, clock_hz=50_000_000, kind=DramKind.DDR3,
                 crystal_hz=100_000_000),
    32: DramSpec(module="MT41K64M16", memory_bytes=1 << 28, clock_hz=48_000_000, kind=DramKind.DDR3, width=32,
                 crystal_hz=48_000_000),
}
"""By their data pins."""


class ShutMemory(RefusingMemory):
    """Memory behind DRAM: nothing may come to it before that is open."""

    chip = None

    def read(self, address, length, asid):
        assert self.chip.opened
        return super().read(address, length, asid)

    def write(self, address, data, asid):
        assert self.chip.opened
        super().write(address, data, asid)


@functools.cache
def controller(spec):
    return generate(spec, id_width=4, folder=build_folder())


def chip(lanes, *, width=16, timer_hz=25_000_000, kind=Ddr3Model, **options):
    spec = CHIPS[width]
    made = controller(spec)
    return kind(registers=made.registers, table=dram_table(spec, made, timer_hz=timer_hz), lanes=lanes,
                     clock_hz=spec.clock_hz, timer_hz=timer_hz, cas_latency=made.phy["CL"],
                     cas_write_latency=made.phy["CWL"], **options)


def surroundings(dram):
    memory = ShutMemory(size_bytes=1 << 16, c_bit=C_BIT, asid_count=16)
    memory.dram[:64] = random.Random(0).randbytes(64)
    given = ModelSurroundings(memory=memory, source=SeededEntropy(1), device_secret=DEVICE_SECRET, asid_count=16,
                              dram=dram)
    memory.chip = dram
    return given


def random_lane(rng):
    length = rng.randrange(2, 9)
    return Lane(bitslip=rng.randrange(4), first=rng.randrange(9 - length), length=length)


def booted(dram):
    """The boot code of the firmware as a library."""
    return NativeFirmware(surroundings(dram)).boot_code


def require_leveled(dram, code):
    assert not dram.broken
    assert code == CODES["UP"]
    assert dram.opened
    for lane, (bitslip, delay) in zip(dram.lanes, dram.settings, strict=True):
        assert (bitslip, delay) == (lane.bitslip, lane.first + (lane.length - 1) // 2)


@pytest.mark.parametrize("seed", range(12))
def test_windows_are_found(seed):
    rng = random.Random(seed)
    width = rng.choice([*CHIPS])
    lanes = [random_lane(rng) for _ in range(width // 8)]
    dram = chip(lanes, width=width, timer_hz=rng.choice([24_000_000, 25_000_000, 50_000_000]), seed=seed,
                has_reset=rng.random() < 0.5)
    require_leveled(dram, booted(dram))


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("fault", [{"length": 0}, {"length": 1}, {"sees_bursts": False}, {"stuck_at": 0},
                                   {"stuck_at": 0xFF}], ids=str)
def test_a_lane_that_does_not_read_stops_the_boot(fault, number):
    lanes = [Lane(bitslip=1, first=2, length=3) for _ in range(2)]
    for name, value in fault.items():
        setattr(lanes[number], name, value)
    dram = chip(lanes)
    given = surroundings(dram)
    started = NativeFirmware(given)
    assert started.boot_code == CODES["LEVELING"]
    assert not dram.opened
    assert not dram.is_handed_over
    assert (given.memory.reads, given.memory.writes) == ([], [])
    assert not dram.broken


class Unsteady(Ddr3Model):
    """A chip whose last lane does not read after some resets of its delay, once all has been tried."""

    unsteady, _resets = 0, 0

    def _change(self, what):
        self._resets += what == "rdly_dq_rst" and self._paused == 1 << len(self.lanes) - 1
        super()._change(what)

    def _reads(self, number):
        return super()._reads(number) and not (number and 4 < self._resets <= 4 + self.unsteady)


@pytest.mark.parametrize(("times", "code"), [(1, "UP"), (7, "UP"), (8, "LEVELING")])
def test_a_setting_is_made_again_until_it_holds(times, code):
    dram = chip([Lane(bitslip=1, first=2, length=3) for _ in range(2)], kind=Unsteady)
    dram.unsteady = times
    assert booted(dram) == CODES[code]
    assert dram.opened == (code == "UP")


class Failing(Ddr3Model):
    """A chip whose first lane reads well alone, and not once all are leveled."""

    def _reads(self, number):
        is_leveled = all(setting == [1, 3] for setting in self.settings)
        return super()._reads(number) and not (number == 0 and is_leveled)


def test_lanes_that_do_not_read_together_stop_the_boot():
    dram = chip([Lane(bitslip=1, first=2, length=3) for _ in range(2)], kind=Failing)
    assert booted(dram) == CODES["LEVELING"]
    assert not dram.opened
    assert not dram.is_handed_over


def test_the_image_levels_as_the_library_does():
    rng = random.Random(3)
    lanes = [random_lane(rng) for _ in range(2)]
    dram = chip(lanes)
    started = EmulatedFirmware(firmware(), surroundings(dram))
    require_leveled(dram, started.boot_code)
    assert started.host_released
    used = firmware().stack_used(started.memory())
    assert 0 < used < STACK_LIMIT
    lanes[1].length = 0
    dram = chip(lanes)
    started = EmulatedFirmware(firmware(), surroundings(dram))
    assert started.boot_code == CODES["LEVELING"]
    assert not started.host_released
    assert not dram.opened


@pytest.mark.slow
@pytest.mark.parametrize(("lateness", "code"), [(20, "LEVELING"), (24, "UP"), (28, "UP"), (32, "LEVELING")])
def test_litedram_s_gateware_is_leveled(lateness, code):
    """From the registers to the pins, at which a chip sees what the standard wants. Of the PHY's pipeline the firmware
    can shift a part: more or less of it than that is refused."""
    dram = Ddr3Board(CHIPS[16], timer_hz=25_000_000, lateness=lateness)
    assert booted(dram) == CODES[code]
    assert dram.chip.broken == []
    assert {"MODE", "ZQ", "ACTIVATE", "WRITE", "READ", "PRECHARGE"} == {name for name, _, _ in dram.chip.commands}
    assert dram.component.get("ready") == dram.opened == (code == "UP")
    assert not dram.ready_early
    dram.component.close()


@pytest.mark.parametrize("phy", [0, 0x0004_0800, 0x0404_0800, 0x0004_0802, 0x0904_0802, 0x0404_0805, 0x0404_0002])
def test_a_table_that_can_not_be_levels_nothing(phy):
    """No lanes or words, or more than there are, or no delays."""
    dram = chip([Lane(bitslip=1, first=2, length=3)] * 2)
    assert dram.table[0] == 0x0404_0802
    dram.table = (phy, *dram.table[1:])
    assert booted(dram) == CODES["LEVELING"]
    assert not dram.opened


def test_without_such_dram_nothing_is_leveled():
    """An access to where there are no registers would stop the processor."""
    given = surroundings(None)
    given.memory.chip = chip([Lane(bitslip=1, first=2, length=3)] * 2)
    given.memory.chip.opened = True
    assert EmulatedFirmware(firmware(), given).boot_code == CODES["UP"]
    assert not given.memory.chip.is_handed_over


def without(table, register_name, count=1):
    """The table with the first steps of a script left out."""
    script = register("dram_table", register_name)
    word = table[script.offset // 4]
    changed = list(table)
    changed[script.offset // 4] = (word & 0xFF) + count | ((word >> 8 & 0xFF) - count) << 8
    return tuple(changed)


def with_value(table, old, new):
    """The table whose first step of a value has another."""
    first = register("dram_table", "STEP_VALUE0").offset // 4
    place = table.index(old, first)
    return (*table[:place], new, *table[place + 1:])


def without_waits(table):
    first = register("dram_table", "STEP0").offset // 4
    return tuple(word & 0x1FFF if first <= place < first + 128 else word for place, word in enumerate(table))


@pytest.mark.parametrize(("spoil", "rule"), [
    (without_waits, "CKE is low for 500 us"),
    (without_waits, "t_ZQinit before ACTIVATE"),
    (without_waits, "t_RCD"),
    (lambda table: without(table, "INITIALIZE"), "RESET# is low before CKE rises"),
    (lambda table: with_value(table, 0x320, 0x220), "the DLL is reset"),
    (lambda table: with_value(table, 0x320, 0x330), "the CAS latency is the PHY's"),
    (lambda table: with_value(table, 0x200, 0x208), "the CAS write latency is the PHY's"),
    (lambda table: with_value(table, 3, 2), "modes are set in the order 2, 3, 1, 0"),
    (lambda table: with_value(table, 0x400, 0), "modes are set with all banks idle"),
    (lambda table: without(table, "HAND_OVER"), "DRAM is opened by whom the chip is handed over"),
])
def test_a_spoiled_table_breaks_the_standard(spoil, rule):
    """As the chip sees it, which so is known to look."""
    dram = chip([Lane(bitslip=1, first=2, length=3)] * 2, has_reset="banks" not in rule)
    dram.table = spoil(dram.table)
    booted(dram)
    assert rule in dram.broken
