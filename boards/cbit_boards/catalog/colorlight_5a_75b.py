"""Colorlight 5A-75B, revision 7.0: LFE5U-25F, serial engine with keys by the bridge, 4 MiB of SDR SDRAM."""

from importlib import import_module
from typing import Any

from cbit.dram.spec import DramSpec
from cbit_boards.board import Board

__all__ = ["BOARD"]

CLOCK_HZ = 50_000_000


def _platform() -> Any:
    return import_module("amaranth_boards.colorlight_5a75b_r7_0").Colorlight_5A75B_R70Platform()


BOARD = Board(
    title="Colorlight 5A-75B 7.0",
    device="LFE5U-25F",
    platform=_platform,
    crystal_hz=25_000_000,
    clock_hz=CLOCK_HZ,
    memory=DramSpec(module="M12L16161A", memory_bytes=4 << 20, clock_hz=CLOCK_HZ, width=32),
    # DQM of both chips is tied low.
    has_byte_masks=False,
    preset="compact",
    # It has one LED, whose pin is that of the serial line.
    programmer=("--board", "colorlight"),
)
