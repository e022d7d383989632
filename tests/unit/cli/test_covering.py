"""Counts of lines and toggles, waivers and figures, of a Verilog of a few lines."""

import pytest

from cbit.config import EngineConfig
from cbit_cli.covering.campaign import Covered, Run, runs
from cbit_cli.covering.counts import Point, counts, places
from cbit_cli.covering.items import by_file, code_items, folder_of, traffic_items
from cbit_cli.covering.page import grid, page
from cbit_cli.covering.report import Figures, Report
from cbit_cli.covering.waivers import TABLE, Waiver, read_waivers, waived
from cbit_sim.coverage.crosses import CROSSES

VERILOG = """module \\cbit.core.gate (clk, rst);
  reg [1:0] count ;
  assign a = b + (* src = "/there/hdl/cbit/read/gate.py:7" *) c;
  assign d = b + (* src = "/there/hdl/cbit/stream/queue.py:9" *) c;
  assign e = b + (* src = "/there/hdl/cbit/read/gate.py:8" *) c;
  always @* begin
    if (rst) begin
      count = 2'h0;
    end
    casez (state)
      2'h1:
          count = 2'h1;
    endcase
  end
endmodule
module \\cbit.core.gate.inner (clk);
endmodule
module cbit(clk);
  (* src = "/there/hdl/cbit/engine.py:7" *)
  wire clk;
endmodule
"""


def counted(kind, module, line, name, hits, column=3):
    return (f"C '\1f\2/build/model.v\1l\2{line}\1n\2{column}\1t\2{kind}\1page\2v_{kind}/{module}\1o\2{name}"
            f"\1h\2bench.{module}' {hits}\n")


TEXT = ("# SystemC::Coverage-3\n" + counted("toggle", "cbit.core.gate", 2, "count[0]:0->1", 5)
        + counted("toggle", "cbit.core.gate", 2, "count[1]:0->1", 0)
        + counted("branch", "cbit.core.gate", 7, "if", 2) + counted("branch", "cbit.core.gate", 7, "else", 0, 4)
        + counted("line", "cbit.core.gate", 11, "case", 0) + counted("user", "cbit.core.gate", 9, "property", 0))


@pytest.fixture
def covered():
    return Covered(traffic={"event": {("read passes read",): 3, ("crowd passes line",): 0}}, contradicted={},
                   points=counts(TEXT), verilog=VERILOG, cycles=70)


def waiver(kind, where, name, reason="So it is."):
    return Waiver(kind=kind, where=where, name=name, reason=reason)


def test_counts_are_read_and_add_up():
    found = counts(TEXT)
    assert found[Point("toggle", "cbit.core.gate", 2, "count[0]:0->1", 3)] == 5
    assert [(point.kind, hits) for point, hits in found.items()] == [
        ("toggle", 5), ("toggle", 0), ("line", 2), ("line", 0), ("line", 0)]
    assert counts(TEXT + TEXT) == found + found | dict.fromkeys((point for point in found if not found[point]), 0)


def test_names_are_those_of_the_verilog():
    (point,) = counts(counted("toggle", "m", 1, "__024signal__02410[3]:0->1", 0))
    assert point.name == "$signal$10[3]:0->1"


def test_other_files_are_refused():
    with pytest.raises(ValueError, match=r"^Coverage must be as Verilator writes it, not 'Dear all' in line 1$"):
        counts("Dear all")


def test_a_module_is_of_the_file_that_most_of_it_is_from():
    assert places(VERILOG) == {"cbit.core.gate": "read/gate.py", "cbit.core.gate.inner": "read/gate.py",
                               "cbit": "engine.py"}
    assert [folder_of(file) for file in ("read/gate.py", "engine.py")] == ["read", "engine"]


def test_items_have_names_that_a_waiver_can_tell(covered):
    assert [(item.kind, item.name, hits) for item, hits in code_items(covered).items()] == [
        ("toggle", "count[0]:0->1", 5), ("toggle", "count[1]:0->1", 0), ("line", "if (rst) begin", 2),
        ("line", "else of if (rst) begin", 0), ("line", "2'h1: count = 2'h1;", 0)]
    assert list(by_file(code_items(covered), places(VERILOG))) == ["read/gate.py"]
    assert [item.name for item in traffic_items(covered)] == ["read passes read", "crowd passes line"]


def test_lines_that_read_alike_are_numbered(covered):
    points = {**covered.points, Point("line", "cbit.core.gate", 7, "if", 9): 0}
    again = Covered(traffic={}, contradicted={}, points=points, verilog=VERILOG, cycles=1)
    assert [item.name for item in code_items(again) if item.name.startswith("if")] == [
        "if (rst) begin", "if (rst) begin #2"]


def test_waivers_give_reasons_and_grow_stale(covered):
    items = code_items(covered)
    what = waived(items, [waiver("toggle", r"cbit\.core\..*", r"count\[1\].*", "No such count."),
                          waiver("toggle", ".*", r"count.*", "Later."), waiver("line", "gate", ".*")])
    assert {item.name: reason for item, reason in what.reasons.items()} == {"count[1]:0->1": "No such count."}
    assert [item.kind for item in what.open] == ["line", "line"]
    assert what.stale == ["1 of 2 are covered, such as cbit.core.gate count[0]:0->1: Later."]


@pytest.mark.parametrize(("text", "error"), [
    ('kind = "line"', "have kind, where, name, reason, not kind"),
    ('kind = "line"\nwhere = "("\nname = ""\nreason = ""', "have an expression as where, not '\\('"),
    ('kind = "lines"\nwhere = ""\nname = ""\nreason = ""', "be of traffic, line or toggle, not lines")])
def test_bad_waivers_are_refused(text, error):
    with pytest.raises(ValueError, match=f"^Waiver 1 must {error}$"):
        read_waivers(f"[[waiver]]\n{text}\n")


def test_every_waiver_of_the_table_has_a_reason():
    waivers = read_waivers(TABLE.read_text())
    assert waivers
    assert all(one.reason.endswith(".") for one in waivers)


def test_figures_and_text(covered):
    report = Report(covered, config=EngineConfig(), command="cbit coverage",
                    waivers=[waiver("line", ".*", "else of.*", "Never else.")])
    assert report.figures("line") == Figures(total=3, covered=1, reasons=1)
    assert report.figures("line").part == 0.5
    assert report.files["read/gate.py"]["toggle"] == Figures(total=2, covered=1, reasons=0)
    assert report.crosses == {"event": Figures(total=2, covered=1, reasons=0)}
    text = report.as_text()
    assert "1 line: Never else." in text
    assert "traffic event crowd passes line" in text
    figures = report.as_dict()
    assert figures["figures"]["toggle"] == {"total": 2, "covered": 1, "reasons": 0, "part": 0.5}
    assert {"kind": "toggle", "where": "cbit.core.gate", "name": "count[1]:0->1"} in figures["open"]


def test_rules_that_traffic_contradicts_are_stale():
    wrong = Covered(traffic={}, contradicted={"order": [("plain read", "together")]}, points={}, verilog="", cycles=0)
    (text,) = Report(wrong, config=EngineConfig(), waivers=[], command="").stale
    assert text == "order plain read, together was hit, and cbit_sim.coverage.rules has it that it can not be"


def test_a_cross_is_a_grid():
    bins = {("INCR", "16", "whole", "plain"): 4}
    picture = grid("shape", bins)
    assert (len(picture.rows), len(picture.columns)) == (24, 70)
    row, column = picture.rows.index("INCR 16"), picture.columns.index("whole, plain")
    assert picture.fields[row][column] == 4
    assert sum(hits is not None for fields in picture.fields for hits in fields) == 1


def test_the_page_has_all_in_it(covered):
    traffic = {"order": {("plain write", "together"): 0}, **covered.traffic}
    whole = Covered(traffic=traffic, contradicted={}, points=covered.points, verilog=VERILOG, cycles=70)
    text = page(Report(whole, config=EngineConfig(), waivers=[], command="cbit coverage --seeds 1-2"))
    for part in ("read/gate.py", "crowd passes line", "count[1]:0-&gt;1", "cbit coverage --seeds 1-2",
                 "plain write, together: 0", "plain read, together: can not be"):
        assert part in text, part
    assert set(CROSSES) >= set(traffic)


def test_runs_are_a_look_the_corners_and_random_traffic():
    found = runs(range(3, 5), 70)
    assert found[0] == Run("smoke")
    assert [run.label for run in found[-2:]] == ["random_traffic 3", "random_traffic 4"]
    assert all(run.bench.startswith("corners_") for run in found[2:-2])
