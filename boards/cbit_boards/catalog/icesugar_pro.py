"""iCESugar-Pro: LFE5U-25F, serial engine with keys by the bridge, 32 MiB of SDR SDRAM."""

from importlib import import_module
from typing import Any

from cbit.dram.spec import DramSpec
from cbit_boards.board import Board, Pin

__all__ = ["BOARD"]

CLOCK_HZ = 50_000_000


def _platform() -> Any:
    """The platform, with the three colors of its LED as LEDs that are lit when low, as the board has them."""
    build = import_module("amaranth.build")
    platform = import_module("amaranth_boards.icesugar_pro").ICESugarProPlatform()
    platform.add_resources([
        build.Resource("led", number, build.PinsN(pin, dir="o"), build.Attrs(IO_TYPE="LVCMOS33"))
        for number, pin in enumerate(("A11", "A12", "B11"))])
    return platform


BOARD = Board(
    title="MuseLab iCESugar-Pro",
    device="LFE5U-25F",
    platform=_platform,
    crystal_hz=25_000_000,
    clock_hz=CLOCK_HZ,
    memory=DramSpec(module="IS42S16160", memory_bytes=32 << 20, clock_hz=CLOCK_HZ, width=16),
    preset="compact",
    lights={"released": Pin("led", 0), "violation": Pin("led", 1), "self_test_failed": Pin("led", 2)},
    programmer=("--cable", "cmsisdap", "--vid", "0x1d50", "--pid", "0x602b"),
)
