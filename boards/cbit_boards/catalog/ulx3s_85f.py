"""ULX3S with an LFE5U-85F: streaming engine and security processor, 32 MiB of SDR SDRAM."""

from importlib import import_module
from typing import Any

from cbit.dram.spec import DramSpec
from cbit_boards.board import Board, Pin

__all__ = ["BOARD"]

CLOCK_HZ = 50_000_000


def _platform() -> Any:
    return import_module("amaranth_boards.ulx3s").ULX3S_85F_Platform()


BOARD = Board(
    title="Radiona ULX3S 85F",
    device="LFE5U-85F",
    platform=_platform,
    crystal_hz=25_000_000,
    clock_hz=CLOCK_HZ,
    memory=DramSpec(module="MT48LC16M16", memory_bytes=32 << 20, clock_hz=CLOCK_HZ, width=16),
    preset="streaming",
    # Of the block RAMs, the security processor takes 46.
    changes={"block_ram_rounds": 15},
    psp_clock_hz=25_000_000,
    lights={"released": Pin("led", 0), "violation": Pin("led", 1), "self_test_failed": Pin("led", 2)},
    # Or else the module beside the FPGA reloads it.
    levels={Pin("esp32", part="gpio0"): 1},
    programmer=("--board", "ulx3s"),
)
