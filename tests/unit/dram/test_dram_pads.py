# amaranth: UnusedElaboratable=no

"""The pins of a controller on a board's, as far as a netlist shows."""

import json

import pytest
from amaranth import Module
from amaranth.build import Attrs, Clock, Pins, PinsN, Resource, Subsignal
from amaranth.vendor import LatticeECP5Platform

from cbit.dram.litedram import LiteDram
from cbit.dram.pads import SdramPads, connect_pads
from cbit.dram.spec import DramSpec
from cbit_fpga.yosys import run_yosys

PINS = {"a": "M20 M19 L20 L19 K20 K19 K18 J20 J19 H20 N19 G20 G19", "ba": "P19 N20", "dqm": "U19 E20",
        "dq": "J16 L18 M18 N18 P18 T18 T17 U20 E19 D20 D19 C20 E18 F18 J18 J17"}
ALONE = {"clk": Pins("F19"), "clk_en": Pins("F20"), "cs": PinsN("P20"), "we": PinsN("T20"), "ras": PinsN("R20"),
         "cas": PinsN("T19")}

FLATTEN = """
read_verilog litedram_core.v
read_rtlil top.il
hierarchy -top top
proc
flatten
opt_clean
write_json top.json
"""


class Board(LatticeECP5Platform):
    """The SDRAM of a ULX3S, as ``amaranth-boards`` has it; without the pins that are ``missing``."""

    device, package, speed = "LFE5U-85F", "BG381", "6"
    default_clk = "clk25"
    connectors = resources = ()

    def __init__(self, *missing):
        pins = {name: Pins(pins, dir="io" if name == "dq" else "o") for name, pins in PINS.items()} | ALONE
        self.names = [name for name in pins if name not in missing]
        self.resources = [
            Resource("clk25", 0, Pins("G2", dir="i"), Clock(25e6), Attrs(IO_TYPE="LVCMOS33")),
            Resource("sdram", 0, *(Subsignal(name, pins[name]) for name in self.names), Attrs(IO_TYPE="LVCMOS33"))]
        super().__init__()

    def sdram(self):
        """Its ports, as they are."""
        return self.request("sdram", dir=dict.fromkeys(self.names, "-"))


class Top(LiteDram):
    """The controller on the board."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        connect_pads(m, self.pads, platform.sdram())
        return m


def cells(board, folder):
    """Type and connections of the cells of a board with the controller, flattened."""
    memory = DramSpec(module="MT48LC16M16", memory_bytes=1 << 25, clock_hz=25_000_000)
    plan = board.prepare(Top(memory, addr_width=48, id_width=4, folder=folder))
    for name in ("top.il", "litedram_core.v"):
        content = plan.files[name]
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    run_yosys(FLATTEN, folder)
    modules = json.loads((folder / "top.json").read_text())["modules"]
    return [(cell["type"], cell["connections"]) for cell in modules["top"]["cells"].values()]


def test_registers_drive_a_board_s_pins_with_nothing_but_buffers_between(tmp_path):
    """Chip select is active low on the board, and at the controller."""
    found = cells(Board(), tmp_path)
    registered = {bit for kind, pins in found if kind == "OFS1P3BX" for bit in pins["Q"]}
    sampled = {bit for kind, pins in found if kind == "IFS1P3BX" for bit in pins["D"]}
    outputs, data = ([pins for kind, pins in found if kind == name] for name in ("OBZ", "BB"))
    assert len(outputs) == 13 + 2 + 2 + 5
    assert len(data) == 16
    assert all({*pins["I"]} <= registered for pins in (*outputs, *data))
    assert all({*pins["O"]} <= sampled for pins in data)


def test_pins_that_a_board_has_tied_are_left_out(tmp_path):
    assert [kind for kind, _ in cells(Board("clk_en", "cs"), tmp_path)].count("OBZ") == 13 + 2 + 2 + 3


def test_a_board_without_masks_of_bytes_is_refused():
    pads = SdramPads(row_width=13, bank_width=2, width=16).create()
    with pytest.raises(ValueError, match="The board's SDRAM must have 2 pins dqm, not 0"):
        connect_pads(Module(), pads, Board("dqm").sdram())
