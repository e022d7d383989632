# amaranth: UnusedElaboratable=no
"""Every board: what it says of itself agrees with its platform, and its top has the board's pins and clocks."""

import dataclasses
import re

import pytest
from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Axi4Signature, AxiLiteSignature
from cbit.dram.ddr3 import Ddr3
from cbit.dram.pads import SdramPads
from cbit_boards.board import Board, OnChip, board, boards
from cbit_boards.build import build_design
from cbit_boards.elaboration import elaborate, prepared
from cbit_boards.gateware.top import BoardTop
from cbit_fpga import seeds
from cbit_fpga.store import Store
from cbit_sim.verilog import build_folder

PORT = {"addr_width": 48, "data_width": 128, "id_width": 5}
DDR3 = board("ecpix-5-85f").memory
PACKAGES = {"BG256": "CABGA256", "BG381": "CABGA381", "BG554": "CABGA554", "MG285": "CSFBGA285", "SG48": "sg48"}


class StandIn(Component):
    """Stands where the SoC or the memory does. Every output shows a register that every input has a part in."""

    def elaborate(self, _platform):
        m = Module()
        members = [(member.flow, Value.cast(value)) for _, member, value in self.signature.flatten(self)]
        seen = Signal()
        m.d.sync += seen.eq(Cat(value for flow, value in members if flow is In).xor())
        m.d.comb += [value.eq(seen.replicate(len(value))) for flow, value in members if flow is Out]
        return m


def soc(found):
    return StandIn({"rx": In(1), "tx": Out(1), "memory_ready": In(1), "m_axi": Out(Axi4Signature(**PORT)),
                    **{name: Out(1) for name in ("released", "violation", "self_test_failed")},
                    **({"psp_clk": In(1)} if found.psp_clock_hz is not None else {}),
                    **({"m_axil_dram": Out(AxiLiteSignature(addr_width=13)), "dram_open": Out(1)}
                       if found.levels_dram else {})})


def memory(found):
    if found.levels_dram:
        return Ddr3(found.memory, addr_width=PORT["addr_width"], id_width=PORT["id_width"], folder=build_folder())
    pads = {} if isinstance(found.memory, OnChip) else {
        "pads": Out(SdramPads(row_width=13 if found.has_byte_masks else 11, bank_width=1 + found.has_byte_masks,
                              width=found.memory.width))}
    return StandIn({"s_axi": In(Axi4Signature(**PORT)), "ready": Out(1), **pads})


@pytest.fixture(scope="module", params=boards())
def made(request):
    """A board, its platform, and what that makes of its top."""
    found = board(request.param)
    platform = found.platform()
    return found, platform, prepared(BoardTop(found, soc=soc(found), memory=memory(found)), platform)


@pytest.mark.parametrize("name", boards())
def test_a_board_is_what_its_platform_says(name):
    found = board(name)
    platform = found.platform()
    speed = getattr(platform, "speed", "6")
    assert found.device in (platform.device, f"{platform.device}-{speed}{platform.package}")
    assert platform.default_clk_frequency == found.crystal_hz
    assert found.config.data_width == 128
    assert all("\n" not in text for text in (found.title, found.obstacle))
    assert PACKAGES[platform.package] in found.fpga.part
    assert "--speed" not in found.fpga.part or found.fpga.part[-1] == speed


@pytest.mark.parametrize("name", boards())
def test_memory_and_engine_have_one_clock(name):
    found = board(name)
    assert isinstance(found.memory, OnChip) or found.memory.clock_hz == found.clock_hz
    if found.levels_dram:
        assert found.memory.crystal_hz == found.crystal_hz
    if found.domains:
        assert found.dividers.outputs_hz == tuple(wanted.hz for wanted in found.domains.values())
    else:
        assert found.clock_hz == found.crystal_hz


def test_every_port_of_a_top_has_a_pin(made):
    _, _, design = made
    ports = re.findall(r"^ {2}wire width (\d+) (?:input|output|inout) \d+ +\\(\S+)$",
                       design.rtlil.partition("\nmodule \\top\n")[2].partition("\nend\n")[0], re.MULTILINE)
    assert ports
    for width, name in ports:
        for place in range(int(width)):
            bit = name if width == "1" else f"{name}[{place}]"
            assert re.search(rf'^(?:LOCATE COMP "{re.escape(bit)}" SITE "\w+";|set_io {re.escape(bit)} \w+)$',
                             design.constraints, re.MULTILINE), bit


def test_pins_are_those_of_line_lights_and_chip(made):
    found, _, design = made
    pins = {"uart_0__rx", "uart_0__tx"}
    pins |= {f"{pin.resource}_{pin.number}" + (f"__{pin.part}" if pin.part else "")
             for pin in (*found.lights.values(), *found.levels)}
    if found.levels_dram:
        pins |= {f"ddr3_0__{part}" for part in ("clk_en", "ras", "cas", "we", "a", "ba", "dq", "dm", "odt")}
        pins |= {f"ddr3_0__{part}" for part in ("cs", "rst")} if found.device.startswith("LFE5U-") else set()
    elif not isinstance(found.memory, OnChip):
        parts = ["clk", "ras", "cas", "we", "a", "ba", "dq"]
        pins |= {f"sdram_0__{part}" for part in parts + ["clk_en", "cs", "dqm"] * found.has_byte_masks}
    have = set(re.findall(r'(?:COMP "|set_io )(\w+)__io\b', design.constraints))
    assert have == pins | {f"{found.platform().default_clk}_0"}


def test_the_crystal_is_constrained_and_the_pll_set(made):
    found, platform, design = made
    assert re.search(rf"(?:FREQUENCY PORT|set_frequency) \"?{platform.default_clk}_0__io\"? "
                     rf"(?:{found.crystal_hz:.1f} HZ|{found.crystal_hz / 1e6})", design.constraints)
    assert design.rtlil.count("cell \\EHXPLLL") == bool(found.domains)
    if found.domains:
        for name, output in zip(("CLKOP", "CLKOS", "CLKOS2"), found.dividers.outputs):
            for parameter, value in (("DIV", output.divider), ("CPHASE", output.coarse), ("FPHASE", output.fine)):
                assert re.search(rf"parameter (?:signed )?\\{name}_{parameter} (?:32'{value:032b}|{value})$",
                                 design.rtlil, re.MULTILINE)


@pytest.mark.parametrize("name", [
    "icepi-zero", *(pytest.param(name, marks=pytest.mark.slow) for name in boards() if name != "icepi-zero")])
def test_the_whole_of_a_board_elaborates(name):
    design = elaborate(name, firmware=bytes(256), device_secret=bytes(range(32)))
    assert "\nmodule \\top\n" in design.rtlil
    assert ("module litedram_core" in design.verilog) == (not isinstance(board(name).memory, OnChip))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, found in boards().items() if found.levels_dram])
def test_ddr3_and_its_clocks_can_be_placed(name, monkeypatch, tmp_path, farm_of_a_thread):
    """With a register in the SoC's place. The placer knows what the PHY's cells must be beside, and derives clocks."""
    monkeypatch.setattr(seeds, "connected", farm_of_a_thread)
    found = board(name)
    design = prepared(BoardTop(found, soc=soc(found), memory=memory(found)), found.platform())
    monkeypatch.setenv("CBIT_BUILD", str(tmp_path))
    report = build_design(name, found, design, seeds=[1], store=Store())
    assert report.failure == ""
    needed = {clock.net: clock.needed_mhz * 1e6 for clock in report.best.clocks}
    assert needed["sync"] == found.clock_hz
    assert needed["init"] == found.clock_hz / 2
    assert report.best.usage["DQSBUFM"].used == 2


def test_a_board_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"^BOARD must be one of colorlight-5a-75b, .*, ulx3s-85f, not 'ulx3s'$"):
        board("ulx3s")


@pytest.mark.parametrize(("changes", "text"), [
    ({"memory": DDR3}, r"^psp_clock_hz must be that of the security processor, which levels DDR3, not None$"),
    ({"device": "LFE5U-12F"}, r"^device must be one of LFE5U-85F, .*, iCE40UP5K, not 'LFE5U-12F'$"),
])
def test_boards_that_can_not_be_are_refused(changes, text):
    fields = {field.name: getattr(board("icepi-zero"), field.name) for field in dataclasses.fields(Board)}
    with pytest.raises(ValueError, match=text):
        Board(**fields | changes)


@pytest.mark.parametrize(("name", "text"), [
    ("icepi-zero", r"^The board's SDRAM must have no pins dqm, for it is told to have none$"),
    ("colorlight-5a-75b", r"^The board's SDRAM must have 4 pins dqm, not 0$"),
])
def test_byte_masks_are_there_or_not_as_a_board_says(name, text):
    found = board(name)
    wrong = dataclasses.replace(found, has_byte_masks=not found.has_byte_masks)
    with pytest.raises(ValueError, match=text):
        prepared(BoardTop(wrong, soc=soc(found), memory=memory(found)), found.platform())
