"""ECPIX-5 85F: LFE5UM5G-85F and DDR3 SDRAM, which Cbit does not drive yet."""

from importlib import import_module
from typing import Any

from cbit_boards.board import Board

__all__ = ["BOARD"]


def _platform() -> Any:
    return import_module("amaranth_boards.ecpix5").ECPIX585Platform()


BOARD = Board(
    title="LambdaConcept ECPIX-5 85F",
    device="LFE5UM5G-85F",
    platform=_platform,
    crystal_hz=100_000_000,
    clock_hz=50_000_000,
    memory=None,
    preset="streaming",
    obstacle="nothing levels its DDR3 SDRAM yet",
)
