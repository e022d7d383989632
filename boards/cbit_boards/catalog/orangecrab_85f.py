"""OrangeCrab with an LFE5U-85F: streaming engine and security processor, 128 MiB of DDR3 SDRAM."""

from importlib import import_module
from typing import Any

from cbit.dram.spec import DramKind, DramSpec
from cbit_boards.board import Board, Pin

__all__ = ["BOARD"]

CLOCK_HZ = 48_000_000


def _platform() -> Any:
    """The platform with what it lacks: a serial line at two pins of its header, as it has no chip for one; the colors
    of its LED as LEDs; and the pins of its DDR3, of which amaranth-boards has the bank's address and the pairs of DQS
    wrong."""
    build, resources = import_module("amaranth.build"), import_module("amaranth_boards.resources")
    made = import_module("amaranth_boards.orangecrab_r0_2").OrangeCrabR0_2_85FPlatform
    kept = [resource for resource in made.resources if not resource.name.startswith("ddr3")]
    platform = type(made.__name__, (made,), {"resources": kept})()
    plain = build.Attrs(IO_TYPE="LVCMOS33")
    platform.add_resources([
        resources.UARTResource(0, rx="0", tx="1", conn=("io", 0), attrs=plain),
        *(build.Resource("led", number, build.PinsN(pin, dir="o"), plain)
          for number, pin in enumerate(("M3", "K4", "J3"))),
        resources.DDR3Resource(
            0, rst_n="L18", clk_p="J18", clk_n="K18", clk_en="D18", cs_n="A12", we_n="B12", ras_n="C12", cas_n="D13",
            a="C4 D2 D3 A3 A4 D4 C3 B2 B1 D1 A7 C2 B6 C1 A2 C7", ba="D6 B7 A6", dm="D16 G16", odt="C13",
            dqs_p="B15 G18", dqs_n="A16 H17",
            dq="C17 D15 B17 C16 A15 B13 A17 A13 F17 F16 G15 F15 J16 C18 H16 F18",
            diff_attrs=build.Attrs(IO_TYPE="SSTL135D_I", TERMINATION="OFF", DIFFRESISTOR="100"),
            attrs=build.Attrs(IO_TYPE="SSTL135_I", SLEWRATE="FAST")),
        *(build.Resource(f"ddr3_{name}", 0, build.Pins(pins, dir="o"), build.Attrs(IO_TYPE="SSTL135_II"))
          for name, pins in (("high", "K16 D17 K15 K17 B18 C6"), ("low", "L15 L16")))])
    return platform


BOARD = Board(
    title="OrangeCrab r0.2 85F",
    device="LFE5U-85F-8MG285",
    platform=_platform,
    crystal_hz=CLOCK_HZ,
    clock_hz=CLOCK_HZ,
    memory=DramSpec(module="MT41K64M16", memory_bytes=128 << 20, clock_hz=CLOCK_HZ, width=16, kind=DramKind.DDR3,
                    crystal_hz=CLOCK_HZ, command_delay=100, swaps_masks=True),
    preset="streaming",
    # Of the block RAMs, the security processor takes 47.
    changes={"block_ram_rounds": 15},
    psp_clock_hz=24_000_000,
    # Green, red, blue.
    lights={"released": Pin("led", 0), "violation": Pin("led", 1), "self_test_failed": Pin("led", 2)},
    # Beside those of the DDR3, they carry its current along with the pins of power.
    levels={Pin("ddr3_high"): 1, Pin("ddr3_low"): 0},
    programmer=("--board", "orangeCrab"),
)
