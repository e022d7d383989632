"""How good the benches are: faults in the netlist that they must find."""

from pathlib import Path

import pytest
from amaranth.back import rtlil

from cbit.axi.pins import AmbaPins
from cbit.axi.wire import Wire
from cbit.config import EngineConfig, SBox, preset
from cbit_cli.configuration import changed
from cbit_cli.mutation.campaign import Shares, judged, tried
from cbit_cli.mutation.sample import Mutant, Sample
from cbit_cli.mutation.trial import Bench
from cbit_cli.netlist import made_cells
from cbit_fpga.store import Store

BENCHES = [Bench("smoke")]

_SMALL = {"sbox": SBox.TABLE, "unroll": 2, "asid_count": 8, "id_width": 2, "addr_width": 32, "c_bit": 31}
SAMPLES = {
    "pipelined": (changed(preset("streaming"), _SMALL), 70, 11),
    "fewer ways than ASIDs": (changed(preset("low-latency"), _SMALL | {
        "pipelined_writes": False, "key_ways": 3, "max_outstanding": 8}), 50, 12),
}
"""Engines, small ones because all mutants are built at once; how many mutants, and their seed."""

FOUND_BY = {
    ("control", "$31: not becomes pos"): "unit/csr/test_control.py",
    ("write.hazards", "$54: and becomes or"): "unit/write/test_write_path.py",
    ("read.sort.U$4", "$procmux$2868 ($mux) A[0] stuck at 0"): "unit/read/test_read_path.py",
    ("control.log.counts", "totals ($mem_v2) RD_DATA[29] inverted where bit 24 is 1"): "unit/access/test_violations.py",
    ("write.route", "$68: and becomes or"): "unit/write/test_write_path.py",
    ("control.keys", "$136: eq becomes ne"): "unit/keys/test_cached_keys.py",
    ("read.issue.credit", "$10 ($gt) B[3] stuck at 1"): "unit/read/test_read_issue.py",
    ("control.keys.staging", "$106 ($dff) Q[1] stuck at 1"): "unit/keys/test_key_control.py",
    ("read.issue.managers", "$procmux$2423 ($mux) Y[3] inverted"): "unit/stream/test_arbiter.py",
}
"""Mutants that the benches let live, module and change, and the unit tests of which one fails when the same is done to
the Python, as was tried by hand. Of gateware that has changed the sample has others, to be tried anew."""

LEAST_SCORE = 0.95
"""Of the default test run: its benches and its unit tests."""


def planted(name, port, bit, mode):
    return Mutant(kind="bit", change=name, module="cbit_wire", sources=(), is_aes=False,
                  command=f"-mode {mode} -module cbit_wire -cell core -port {port} -portbit {bit}")


@pytest.fixture(scope="module")
def netlist():
    config = EngineConfig()
    wire = Wire(addr_width=config.addr_width, data_width=config.data_width, id_width=config.id_width,
                user_width=config.asid_width + 3)
    return made_cells(rtlil.convert(AmbaPins(wire), name="cbit_wire"))


def test_planted_faults_are_found_and_what_is_none_is_told_apart(netlist, tmp_path):
    sample = Sample(netlist, [
        planted("a bit of data", "s_axi__r__payload", 10, "inv"),
        planted("WLAST", "m_axi__w__payload", 144, "const0"),
        planted("AWUSER, which ends here", "s_axi__aw__payload", 84, "inv"),
        planted("AWREGION, which this bench leaves at 0", "s_axi__aw__payload", 76, "const0")])
    report = tried(sample, EngineConfig(), store=Store(tmp_path), top="wire", benches=BENCHES)
    assert [one.bench for one in report.judged] == ["smoke", "smoke", None, None]
    assert [one.equivalent_within for one in report.judged] == [None, None, "cbit_wire", None]
    assert (report.killed, report.equivalent, report.score) == (2, 1, 2 / 3)


def test_unit_tests_that_find_mutants_exist():
    assert all((Path(__file__).parents[1] / name).is_file() for name in FOUND_BY.values())


@pytest.mark.slow
def test_the_tests_find_nearly_all_mutants():
    reports = [judged(config, shares=Shares.of(count), seed=seed, store=Store())
               for config, count, seed in SAMPLES.values()]
    for report in reports:
        print(report.table())
    killed, equivalent = (sum(getattr(report, name) for report in reports) for name in ("killed", "equivalent"))
    mutants = sum(len(report.judged) for report in reports)
    found = sum((one.mutant.module.removeprefix("cbit.core."), one.mutant.change) in FOUND_BY
                for report in reports for one in report.judged if one.has_survived)
    assert mutants >= 100
    assert killed + found >= LEAST_SCORE * (mutants - equivalent)
