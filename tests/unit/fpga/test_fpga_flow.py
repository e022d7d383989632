"""From a subject to its figures, with the real tools on the smallest part of the engine."""

import dataclasses
import gzip
import json
import resource
import subprocess
import sys

import pytest

from cbit.config import preset
from cbit_fpga.devices import DEVICES
from cbit_fpga.elaboration import UnknownPartError, elaborate
from cbit_fpga.floorplan import with_sites
from cbit_fpga.measurement import measure, synthesized
from cbit_fpga.placement import place
from cbit_fpga.placer import ROUTERS, PlacementError
from cbit_fpga.store import Store
from cbit_fpga.subject import Subject
from cbit_fpga.synthesis import gateware_digest, synthesize
from cbit_fpga.yosys import YosysError

DEVICE = DEVICES["LFE5U-85F"]
SUBJECT = Subject(preset("small"), "read.deny")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("fpga"))


@pytest.fixture(scope="module")
def measured(store):
    told = []
    return measure(SUBJECT, DEVICE, seeds=[1, 2], store=store, progress=told.append), told


def test_cells_are_those_of_the_part_alone(measured):
    measurement, _ = measured
    used = measurement.placements[0].used
    assert 10 <= measurement.cells.luts < used["TRELLIS_COMB"]
    assert 10 <= measurement.cells.registers < used["TRELLIS_FF"]
    assert measurement.cells.block_rams == 0
    assert measurement.gateware == gateware_digest(elaborate(SUBJECT, DEVICE))


def test_gateware_is_known_by_its_logic_wherever_that_stands():
    design = "module \\core\n  attribute \\src \"cbit/{}\"\n  wire width {} \\a\nend\n"
    digests = [gateware_digest(design.format(*place)) for place in (("a.py:1", 1), ("b.py:2", 1), ("a.py:1", 2))]
    assert digests[0] == digests[1] != digests[2]
    assert gateware_digest(design, verilog="module m; endmodule") != gateware_digest(design)


def test_clock_is_the_median_of_the_seeds_and_the_delay_of_the_slowest_path(measured):
    measurement, told = measured
    clocks = [placement.mhz for placement in measurement.placements]
    assert measurement.mhz == pytest.approx(sum(clocks) / 2)
    assert told == ["synthesizing", "placing and routing, seed 1", "placing and routing, seed 2"]
    for placement in measurement.placements:
        delay_ns = sum(hop.delay_ns for hop in placement.critical_path)
        assert 1000 / delay_ns == pytest.approx(placement.mhz, rel=0.01)
        assert placement.critical_path[0].kind == "clk-to-q"
    # That of one seed may begin in the frame, and its nets in the part have no lines.
    sources = [source for placement in measurement.placements for hop in placement.critical_path
               for source in hop.sources]
    assert sources
    assert all(source.startswith("cbit/") for source in sources)


def test_nothing_is_done_twice(measured, store, monkeypatch):
    monkeypatch.setattr("subprocess.run", None)
    assert measure(SUBJECT, DEVICE, seeds=[1, 2], store=store) == measured[0]


def test_netlist_is_the_core_in_its_frame(store):
    netlist = json.loads(gzip.decompress(synthesized(SUBJECT, DEVICE, store=store).netlist))
    (top,) = (module for module in netlist["modules"].values() if "top" in module["attributes"])
    assert set(top["ports"]) == {"clk", "i", "o"}
    assert {cell["type"] for cell in top["cells"].values()} <= {"LUT4", "CCU2C", "TRELLIS_FF"}


def test_cells_and_netlist_are_those_that_the_device_has_finished(measured, store):
    def without_a_register(netlist):
        cells = netlist["modules"]["core"]["cells"]
        del cells[next(name for name, cell in cells.items() if cell["type"] == "TRELLIS_FF")]

    before = synthesized(SUBJECT, DEVICE, store=store)
    after = synthesized(SUBJECT, dataclasses.replace(DEVICE, finish=without_a_register), store=store)
    assert after.cells.registers == before.cells.registers - 1 == measured[0].cells.registers - 1
    placed = [gzip.decompress(synthesis.netlist).count(b'"TRELLIS_FF"') for synthesis in (before, after)]
    assert placed[1] == placed[0] - 1


def test_names_with_brackets_do_not_stop_yosys(store):
    """Yosys takes `kinds[0]` for a bit of `kinds`, and ends."""
    assert "\\kinds[0]" in elaborate(Subject(preset("small"), "control"), DEVICE)
    assert synthesized(Subject(preset("small"), "control"), DEVICE, store=store).cells.luts > 100


def test_elaboration_is_the_same_each_time():
    assert elaborate(SUBJECT, DEVICE) == elaborate(SUBJECT, DEVICE)


@pytest.mark.parametrize(("part", "text"), [
    ("reed", r"^part must be one of control, .*, read, .* in the engine, not 'reed'$"),
    ("read.reed", r"^part must be one of issue, deny, .* in read, not 'reed'$"),
    ("read.", r"^part must be one of issue, .* in read, not ''$"),
    ("traffic.reed", r"^part must be one of choose, .* in traffic, not 'reed'$"),
])
def test_unknown_parts_are_refused(part, text):
    with pytest.raises(UnknownPartError, match=text):
        elaborate(Subject(SUBJECT.config, part), DEVICE)


def test_the_traffic_generator_is_a_part_that_no_engine_has():
    text = elaborate(Subject(SUBJECT.config, "traffic.findings"), DEVICE)
    assert "error_kinds" not in text
    assert "first" in text
    with pytest.raises(UnknownPartError, match=r"^asid_count must be at least 3 for a soak, not 2$"):
        elaborate(Subject(dataclasses.replace(SUBJECT.config, asid_count=2, key_ways=None), "traffic"), DEVICE)


def test_a_design_that_yosys_refuses_is_told(tmp_path):
    with pytest.raises(YosysError, match=r"^Module .* not found"):
        synthesize("nothing that yosys reads", DEVICE, wide_luts=False, store=Store(tmp_path))


def test_a_design_that_can_not_be_placed_is_told_each_time(store):
    netlist = json.loads(gzip.decompress(synthesized(SUBJECT, DEVICE, store=store).netlist))
    cells = next(module for module in netlist["modules"].values() if "top" in module["attributes"])["cells"]
    next(cell for cell in cells.values() if cell["type"] == "LUT4")["type"] = "LUT5000"
    packed = gzip.compress(json.dumps(netlist).encode(), mtime=0)
    for _ in range(2):
        with pytest.raises(PlacementError, match="LUT5000"):
            place(packed, DEVICE, seed=1, store=store)


def test_what_the_first_router_can_not_end_with_is_routed_by_the_second(store, monkeypatch):
    """A processor's time ends the first at once; then one that ends by itself has the rest."""
    run = subprocess.run
    routers = []

    def hurried(command, **options):
        if "--router" in command:
            routers.append(command[command.index("--router") + 1])
            if routers[-1] == ROUTERS[0]:
                command = [sys.executable, "-c", "while True: pass"]
                options["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1 << 40))
        return run(command, **options)

    monkeypatch.setattr("subprocess.run", hurried)
    placement = place(synthesized(SUBJECT, DEVICE, store=store).netlist, DEVICE, seed=11, store=store)
    assert (placement.router, routers) == (ROUTERS[1], list(ROUTERS))
    assert placement.mhz > 10


def test_what_no_router_ends_with_is_told(store, monkeypatch):
    monkeypatch.setattr("cbit_fpga.placer.PATIENCE_SECONDS", (0.5, 0))
    with pytest.raises(PlacementError, match=r"^router1 and router2 took over 1 s of a processor$"):
        place(synthesized(SUBJECT, DEVICE, store=store).netlist, DEVICE, seed=12, store=store)


def test_sites_are_those_of_the_floorplan():
    def netlist():
        cells = {"ram": {"attributes": {"keep": "1"}}, "lut": {"attributes": {}}}
        return {"modules": {"top": {"cells": cells}}}

    assert with_sites(netlist(), {}) == netlist()
    assert with_sites(netlist(), {"ram": "X4/Y13/EBR0"})["modules"]["top"]["cells"] == {
        "ram": {"attributes": {"keep": "1", "BEL": "X4/Y13/EBR0"}}, "lut": {"attributes": {}}}


def test_subjects_survive_json():
    assert Subject.from_dict(json.loads(json.dumps(SUBJECT.as_dict()))) == SUBJECT
