"""ECPIX-5 with an LFE5UM5G-85F: streaming engine and security processor, 512 MiB of DDR3 SDRAM."""

from importlib import import_module
from typing import Any

from cbit.dram.spec import DramKind, DramSpec
from cbit_boards.board import Board, Pin

__all__ = ["BOARD"]

CRYSTAL_HZ = 100_000_000
CLOCK_HZ = 50_000_000


def _platform() -> Any:
    return import_module("amaranth_boards.ecpix5").ECPIX585Platform()


BOARD = Board(
    title="LambdaConcept ECPIX-5 85F",
    device="LFE5UM5G-85F",
    platform=_platform,
    crystal_hz=CRYSTAL_HZ,
    clock_hz=CLOCK_HZ,
    memory=DramSpec(module="MT41K256M16", memory_bytes=512 << 20, clock_hz=CLOCK_HZ, width=16, kind=DramKind.DDR3,
                    crystal_hz=CRYSTAL_HZ),
    preset="streaming",
    # Of the block RAMs, the security processor takes 47.
    changes={"block_ram_rounds": 15},
    psp_clock_hz=25_000_000,
    # Green, and two times red.
    lights={"released": Pin("rgb_led", 0, "g"), "violation": Pin("rgb_led", 1, "r"),
            "self_test_failed": Pin("rgb_led", 2, "r")},
    programmer=("--board", "ecpix5"),
)
