"""The benches on the bus without an engine: what a run would show of the benches themselves."""

import shutil

import pytest

from cbit.config import EngineConfig
from cbit_sim import simulators
from cbit_sim.runner import BenchError, simulate
from cbit_sim.surroundings import PERSONALITIES

_SEED = 11


@pytest.mark.parametrize("personality", PERSONALITIES)
def test_random_traffic(personality):
    report = simulate("wire", "cbit_sim.benches.random_traffic",
                      parameters={"seed": _SEED, "transactions": 500, "personality": personality})
    print(f"seed {_SEED}: {report['cycles_per_second']} cycles/s")
    assert report["transactions"] >= 500


@pytest.mark.parametrize("simulator", simulators.SIMULATORS)
def test_smoke(simulator):
    if simulator == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("Icarus, the second simulator, is not installed: apt install iverilog")
    assert simulate("wire", "cbit_sim.benches.smoke", simulator=simulator)["transactions"] == 4


def test_latency_bench_saturates_the_bus():
    report = simulate("wire", "cbit_sim.benches.latency", parameters={"dram_latency_cycles": 30, "bursts": 100})
    assert report["bandwidth"] == {
        "plain_read": {"beats": 400, "cycles": 400}, "plain_write": {"beats": 400, "cycles": 400},
        "plain_mixed": {"beats": 800, "cycles": 400}}
    assert set(report["ways"]["plain_read"].values()) | set(report["ways"]["plain_write"].values()) == {0}
    assert report["latency_cycles"]["plain_read"]["first"] == 31


def test_each_layer_of_a_simulation_has_its_time():
    report = simulate("wire", "cbit_sim.benches.speed", parameters={"cycles": 500})
    assert list(report["layers"]) == ["model", "edge", "idle", "traffic", "checked"]
    assert report["layers"]["model"] > report["layers"]["checked"] > 0
    assert report["steps_microseconds"] > 0
    assert sum(report["microseconds"].values()) == pytest.approx(1e6 / report["layers"]["checked"], rel=0.01)


def test_progress_and_report_reach_the_caller():
    seen = []
    report = simulate("wire", "cbit_sim.benches.random_traffic", config=EngineConfig(id_width=2),
                      parameters={"seed": 1, "transactions": 300, "personality": "swift"},
                      progress=lambda part, text: seen.append((part, text)))
    assert seen[-1] == (1.0, f"{report['transactions']} transactions judged")
    assert report["cycles"] > 0


def test_a_failed_bench_is_named_with_its_log():
    with pytest.raises(BenchError, match=r"random_traffic: .*'nobody'\nlog: .*simulation\.log"):
        simulate("wire", "cbit_sim.benches.random_traffic",
                 parameters={"seed": 1, "transactions": 1, "personality": "nobody"})


def test_unknown_tops_and_simulators_are_refused():
    with pytest.raises(ValueError, match="top must be one of engine, wire, soak, soak_wire, dram, dram_wire, platform, "
                                         "not 'cable'"):
        simulate("cable", "cbit_sim.benches.smoke")
    with pytest.raises(ValueError, match="simulator must be verilator or icarus, not 'spice'"):
        simulate("wire", "cbit_sim.benches.smoke", simulator="spice")


def test_a_missing_compiler_is_said_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(simulators.MissingToolError, match=r"^g\+\+, make, perl must be installed to simulate with "
                                                          r"verilator: sudo apt-get install g\+\+ make perl$"):
        simulate("wire", "cbit_sim.benches.smoke")


def test_refused_verilog_names_its_log(tmp_path):
    source = tmp_path / "bad.v"
    source.write_text("(* top =  1  *)\nmodule bad(clk);\n  input clk;\n  wire clk;\n  nonsense\nendmodule\n")
    with pytest.raises(simulators.BuildError, match=r"verilator could not build bad\.v; .*build\.log"):
        simulators.build_model("verilator", source, tmp_path)
