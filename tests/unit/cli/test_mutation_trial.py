"""How a mutant is judged, without a simulator."""

import pytest

from cbit.config import EngineConfig
from cbit_cli.mutation import trial
from cbit_cli.mutation.trial import BENCHES, Bench, Trials, WrongEngineError
from cbit_fpga.store import Store
from cbit_sim.runner import BenchError

COSTS = {
    "latency_cycles": {kind: {"first": 10, "last": 13} for kind in ("plain_read", "plain_write", "encrypted_read")},
    "bandwidth": {"plain_read": {"beats": 400, "cycles": 400}},
}
WAITS = {"burst_cycles": {"read_in_turn": {"9": 1, "130": 20}}}


@pytest.fixture
def simulated(monkeypatch):
    """A fake in the simulator's place: the runs that were asked for, and what each answers."""
    runs, answers = [], {}

    def simulate(top, bench, *, plusargs, **_options):
        name = bench.rpartition(".")[2]
        runs.append((top, name, plusargs["mutant"], plusargs["limit_cycles"]))
        answer = answers.get((name, plusargs["mutant"]), {"cycles": 1000})
        if isinstance(answer, Exception):
            raise answer
        return {"cycles": 1000} | answer

    monkeypatch.setattr(trial, "simulate", simulate)
    return runs, answers


@pytest.fixture
def trials(tmp_path):
    verilog = tmp_path / "cbit.v"
    verilog.write_text("module cbit();")

    def make(*benches):
        return Trials(verilog, EngineConfig(), store=Store(tmp_path / "store"), benches=benches)

    return make


def test_the_first_bench_that_fails_ends_a_trial(simulated, trials):
    runs, answers = simulated
    answers["corners_keys", 1] = BenchError("some_test: it was wrong\nlog: there")
    judge = trials(Bench("smoke"), Bench("corners_keys"), Bench("guests"))
    runs.clear()
    assert judge.verdict(1) == {"bench": "corners_keys", "reason": "some_test: it was wrong"}
    assert runs == [("engine", "smoke", 1, 13_000), ("engine", "corners_keys", 1, 13_000)]


@pytest.mark.usefixtures("simulated")
def test_a_mutant_that_passes_all_benches_survives(trials):
    assert trials(Bench("smoke")).verdict(1) == {"bench": None, "reason": "survived"}


def test_a_verdict_is_found_once(simulated, trials):
    runs, _ = simulated
    assert trials(Bench("smoke")).verdict(1) == trials(Bench("smoke")).verdict(1)
    assert [number for _, _, number, _ in runs] == [0, 1]


def test_a_mutant_that_takes_thrice_the_cycles_hangs(simulated, trials):
    _, answers = simulated
    answers["smoke", 1] = BenchError("smoke: cocotb expected this, but the simulation ended prematurely. Or so")
    assert trials(Bench("smoke")).verdict(1) == {"bench": "smoke", "reason": "not done after 13000 cycles"}


def test_benches_that_the_engine_itself_fails_judge_nothing(simulated, trials):
    _, answers = simulated
    answers["smoke", 0] = BenchError("smoke: it was wrong")
    with pytest.raises(WrongEngineError, match="without a mutation the engine fails smoke: smoke: it was wrong"):
        trials(Bench("smoke"))


@pytest.mark.parametrize(("name", "right", "wrong", "reason"), [
    ("latency", COSTS, COSTS, None),
    ("latency", COSTS, COSTS | {"latency_cycles": COSTS["latency_cycles"] | {"plain_write": {"first": 11}}},
     "plain_write takes 11 cycles, not 10"),
    ("latency", COSTS, COSTS | {"bandwidth": {"plain_read": {"beats": 400, "cycles": 403}}},
     "plain_read has 400 beats in 403 cycles, not 400"),
    ("latency", COSTS, COSTS | {"bandwidth": {"plain_read": {"beats": 400, "cycles": 402}}}, None),
    ("guests", WAITS, WAITS, None),
    ("guests", WAITS, {"burst_cycles": {"read_in_turn": {"9": 1, "131": 20}}},
     "read_in_turn takes 9 to 131 cycles, not 9 to 130"),
    ("guests", WAITS, {"burst_cycles": {"read_in_turn": {"8": 1, "130": 20}}},
     "read_in_turn takes 8 to 130 cycles, not 9 to 130"),
])
def test_cycles_that_tests_assert_are_asked_of_mutants(simulated, trials, name, right, wrong, reason):
    _, answers = simulated
    answers[name, 0], answers[name, 1] = right, wrong
    (bench,) = (bench for bench in BENCHES if bench.name == name)
    verdict = trials(bench).verdict(1)
    assert verdict == {"bench": name if reason else None, "reason": reason or "survived"}
