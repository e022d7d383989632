"""OrangeCrab 85F: LFE5U-85F and DDR3 SDRAM, which Cbit does not drive yet."""

from importlib import import_module
from typing import Any

from cbit_boards.board import Board

__all__ = ["BOARD"]


def _platform() -> Any:
    return import_module("amaranth_boards.orangecrab_r0_2").OrangeCrabR0_2_85FPlatform()


BOARD = Board(
    title="OrangeCrab r0.2 85F",
    device="LFE5U-85F",
    platform=_platform,
    crystal_hz=48_000_000,
    clock_hz=48_000_000,
    memory=None,
    preset="streaming",
    obstacle="nothing levels its DDR3 SDRAM yet",
)
