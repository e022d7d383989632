"""iCEBreaker: iCE40UP5K, with the 128 KiB of its single-ported RAMs as memory."""

from importlib import import_module
from typing import Any

from cbit_boards.board import Board, OnChip, Pin

__all__ = ["BOARD"]


def _platform() -> Any:
    return import_module("amaranth_boards.icebreaker").ICEBreakerPlatform()


BOARD = Board(
    title="1BitSquared iCEBreaker",
    device="iCE40UP5K",
    platform=_platform,
    crystal_hz=12_000_000,
    clock_hz=12_000_000,
    memory=OnChip(128 << 10),
    preset="compact",
    lights={"released": Pin("led_g"), "self_test_failed": Pin("led_r")},
    programmer=("--board", "ice40_generic"),
    obstacle="with the smallest engine it takes 176 block RAMs, and its device has 30",
)
