"""The firmware levels DRAM on the gateware: it finds the lanes' windows by the processor's accesses of registers."""

import contextlib

import pytest

from cbit.config import preset
from cbit.dram.generate import generate
from cbit.dram.leveling import dram_table
from cbit.dram.spec import DramKind, DramSpec
from cbit_sim.compiled import CompiledComponent
from cbit_sim.ddr3 import Ddr3Model, Lane
from cbit_sim.firmware_build import firmware
from cbit_sim.gateware.leveled_top import LeveledTop
from cbit_sim.verilog import build_folder

pytestmark = pytest.mark.slow

TIMER_HZ = 25_000_000
BOOT_CYCLES = 20_000_000
SPEC = DramSpec(module="MT41K256M16", memory_bytes=1 << 29, clock_hz=50_000_000, kind=DramKind.DDR3,
                crystal_hz=100_000_000)


class Bench:
    """A board whose DRAM's registers are a chip's of Python, to whom each cycle is one of 25 MHz."""

    def __init__(self, lanes):
        made = generate(SPEC, id_width=4, folder=build_folder())
        table = dram_table(SPEC, made, timer_hz=TIMER_HZ)
        self.chip = Ddr3Model(registers=made.registers, table=table, lanes=lanes, clock_hz=SPEC.clock_hz,
                              timer_hz=TIMER_HZ, cas_latency=made.phy["CL"], cas_write_latency=made.phy["CWL"])
        self.component = CompiledComponent(LeveledTop(preset("compact"), memory_bytes=1 << 16, table=table),
                                           firmware=firmware().image)
        self.component.set("entropy_seed", 5)
        self.cycles = self.accesses = 0

    def serve(self, cycles):
        """Answers accesses until there has been none for so many cycles; returns how many cycles that took."""
        start = self.cycles
        with contextlib.suppress(TimeoutError):
            while True:
                self.pass_time(self.component.until("asked", 1, limit=cycles))
                offset = self.component.get("offset")
                if self.component.get("is_write"):
                    self.chip.write(offset, self.component.get("written"))
                else:
                    self.component.set("word", self.chip.read(offset))
                self.component.set("answered", 1)
                self.component.step()
                self.component.set("answered", 0)
                self.pass_time(1)
                self.accesses += 1
                if self.component.get("dram_open"):
                    break
        return self.cycles - start

    def pass_time(self, cycles):
        self.cycles += cycles
        self.chip.wait(cycles)


@pytest.fixture
def bench():
    with contextlib.ExitStack() as stack:
        def started(lanes):
            made = Bench(lanes)
            stack.callback(made.component.close)
            return made

        yield started


def test_the_board_boots_with_what_it_has_leveled(bench):
    lanes = [Lane(bitslip=2, first=1, length=4), Lane(bitslip=1, first=5, length=3)]
    board = bench(lanes)
    board.pass_time(board.component.until("asked", 1, limit=BOOT_CYCLES))
    assert not board.component.get("dram_open")
    taken = board.serve(cycles=100_000)
    board.component.until("dram_open", 1, limit=1000)
    assert not board.component.get("is_early")
    board.chip.open()
    assert board.chip.settings == [[2, 2], [1, 6]]
    assert board.chip.broken == []
    board.component.until("released", 1, limit=BOOT_CYCLES)
    assert not board.component.get("self_test_failed")
    print(f"leveling: {taken} cycles, {board.accesses} accesses of registers")


def test_a_dead_lane_keeps_memory_shut_and_the_host_in_reset(bench):
    board = bench([Lane(bitslip=2, first=1, length=4), Lane(bitslip=1, first=5, length=0)])
    board.pass_time(board.component.until("asked", 1, limit=BOOT_CYCLES))
    board.serve(cycles=100_000)
    board.component.until("self_test_failed", 1, limit=100_000)
    board.component.step(200_000)
    assert not board.component.get("dram_open")
    assert not board.component.get("is_early")
    assert not board.component.get("released")
    assert board.chip.broken == []
