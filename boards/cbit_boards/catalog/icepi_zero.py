"""IcePi Zero: LFE5U-25F, serial engine with keys by the bridge, 32 MiB of SDR SDRAM."""

from importlib import import_module
from typing import Any

from cbit.dram.spec import DramSpec
from cbit_boards.board import Board, Pin

__all__ = ["BOARD"]

CLOCK_HZ = 50_000_000


def _platform() -> Any:
    return import_module("amaranth_boards.icepi_zero").IcepiZero1_3Platform()


BOARD = Board(
    title="IcePi Zero 1.3",
    device="LFE5U-25F",
    platform=_platform,
    crystal_hz=50_000_000,
    clock_hz=CLOCK_HZ,
    memory=DramSpec(module="W9825G6KH6", memory_bytes=32 << 20, clock_hz=CLOCK_HZ, width=16),
    preset="compact",
    lights={"released": Pin("led", 0), "violation": Pin("led", 1), "self_test_failed": Pin("led", 2)},
    programmer=("--cable", "ft231X", "--pins=7:3:5:6"),
)
