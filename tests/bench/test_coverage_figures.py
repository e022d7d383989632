"""What the benches cover, counted by real simulations."""

import pytest

from cbit.config import EngineConfig
from cbit_cli.covering.campaign import Run, covered, runs
from cbit_cli.covering.report import Report
from cbit_cli.covering.waivers import TABLE, read_waivers
from cbit_sim.runner import simulate

SMALL = EngineConfig(addr_width=32, c_bit=30, id_width=2, asid_count=6, max_outstanding=4, duplex=False, unroll=1)
"""An engine that is soon built, with address bits above the C-bit and ASIDs that do not exist."""

DIRECT = EngineConfig(unroll=2)
"""One that other tests build, too."""

LEAST = {"traffic": 1.0, "line": 0.995, "toggle": 0.97}
"""Of what has no reason not to be covered."""


def test_an_engines_traffic_is_counted():
    report = simulate("engine", "cbit_sim.benches.smoke", config=DIRECT, parameters={"coverage": True})
    hits = {name: {tuple(one): count for one, count in cross["hits"]} for name, cross in report["coverage"].items()}
    assert hits["shape"]["INCR", "16", "whole", "own key"] > 0
    assert hits["shape"]["RESERVED", "16", "whole", "denied: malformed"] > 0
    assert hits["shape"]["WRAP", "16", "whole", "plain"] == 0
    assert ("INCR", "16", "whole", "denied: address") not in hits["shape"]
    assert not any(cross["contradicted"] for cross in report["coverage"].values())


@pytest.mark.slow
def test_the_wire_is_counted():
    found = covered(EngineConfig(), [Run("smoke")], top="wire")
    assert {point.kind for point in found.points} == {"line", "toggle"}
    assert 0 < sum(map(bool, found.points.values())) < len(found.points)
    with pytest.raises(ValueError, match="simulator must be verilator for coverage, not 'icarus'"):
        simulate("wire", "cbit_sim.benches.smoke", simulator="icarus", coverage=True)


@pytest.mark.slow
def test_the_benches_cover_an_engine():
    report = Report(covered(SMALL, runs(range(1, 5), 600)), config=SMALL, command="",
                    waivers=read_waivers(TABLE.read_text(encoding="utf-8")))
    print(report.as_text())
    assert report.stale == []
    for kind, least in LEAST.items():
        assert report.figures(kind).part >= least, kind
