"""Seeds on a farm, with fakes in the place of simulations."""

import json
import pathlib
import types

import pytest
from distributed import KilledWorker

from cbit.config import EngineConfig
from cbit_sim import regression as module
from cbit_sim import sources
from cbit_sim.farm import Farm
from cbit_sim.regression import Job, regress
from cbit_sim.runner import BenchError, Failure
from cbit_sim.simulators import BuildError
from cbit_sim.sources import OtherSourcesError

FAILURES = {
    3: Failure("random_traffic", "MismatchError", "address 0x40:\nexpected aa, got ab; replay: python -m cbit_sim"),
    5: Failure("", "", "the simulation ended without results")}


LOST = types.SimpleNamespace(address="tcp://there:1")
"""As much as is told of the last worker that was lost."""


@pytest.fixture
def done(monkeypatch, tmp_path, farm_of_a_thread):
    """A worker that is a thread, with fakes of builds and simulations; what these were asked for."""
    calls = []

    def build(top, config, *, waves, source):
        calls.append(("build", top, config, waves, source and source.read_text()))

    def simulate(_top, bench, *, config, waves, source, start, parameters):
        assert start == "random"
        calls.append((bench.rpartition(".")[2], parameters["seed"], source and source.read_text()))
        run = tmp_path / f"run-{parameters['seed']}"
        run.mkdir()
        if waves:
            (run / "dump.vcd").write_text(str(parameters["seed"]))
        if parameters["seed"] in FAILURES:
            raise BenchError("text", [FAILURES[parameters["seed"]]], run / "simulation.log")
        return {"transactions": parameters["transactions"], "cycles": 9, "events": {}, "log": str(run / "log"),
                "surroundings": {"ids": config.id_width}}

    monkeypatch.setenv("CBIT_BUILD", str(tmp_path / "builds"))
    for name, fake in (("build", build), ("simulate", simulate), ("connected", farm_of_a_thread)):
        monkeypatch.setattr(module, name, fake)
    return calls


def outcomes(seeds, **job):
    return {outcome.seed: outcome for outcome in
            regress(Job(config=EngineConfig(), transactions=70, **job), seeds, Farm())}


def test_every_seed_is_simulated_once_after_one_build(done, tmp_path):
    found = outcomes(range(1, 7))
    assert sorted(found) == [1, 2, 3, 4, 5, 6]
    assert done[0] == ("build", "engine", EngineConfig(), False, None)
    assert sorted(done[1:]) == [("random_traffic", seed, None) for seed in range(1, 7)]
    assert (found[2].transactions, found[2].cycles, found[2].surroundings, found[2].error) == (70, 9, {"ids": 4}, "")
    assert sorted(path.name for path in tmp_path.glob("run-*")) == ["run-3", "run-5"]


def test_the_first_error_is_one_line_without_the_benchs_own_replay(done):
    found = outcomes([3, 5])
    assert len(done) == 3
    assert (found[3].error, found[3].mismatch) == ("address 0x40: expected aa, got ab", True)
    assert (found[5].error, found[5].mismatch) == ("the simulation ended without results", False)
    assert found[3].log.endswith("run-3/simulation.log")


def test_waves_are_kept_of_seeds_that_pass_and_that_fail(done, tmp_path):
    (tmp_path / "waves").mkdir()
    found = outcomes([2, 3], waves=tmp_path / "waves")
    assert done[0] == ("build", "engine", EngineConfig(), True, None)
    for seed in (2, 3):
        assert pathlib.Path(found[seed].waves) == tmp_path / "waves" / f"seed-{seed}.vcd"
        assert json.loads(pathlib.Path(found[seed].waves).read_text()) == seed


def test_given_verilog_is_what_is_simulated(done):
    outcomes([1, 2], design="module m;")
    assert {call[-1] for call in done} == {"module m;"}


def test_a_build_that_fails_is_told_once(done, monkeypatch):
    def build(*_, **__):
        raise BuildError("no model")

    monkeypatch.setattr(module, "build", build)
    with pytest.raises(BuildError, match="no model"):
        outcomes([1, 2])
    assert done == []


def test_a_seed_that_takes_its_workers_with_it_has_failed_alone(done, monkeypatch):
    fake = module.simulate

    def simulate(*arguments, parameters, **options):
        if parameters["seed"] == 2:
            raise KilledWorker("seed", LOST, 3)
        return fake(*arguments, parameters=parameters, **options)

    monkeypatch.setattr(module, "simulate", simulate)
    found = outcomes([1, 2])
    assert (found[1].error, found[2].error, found[2].mismatch) == ("", "its worker was lost, 4 times", False)
    assert len(done) == 2


def test_a_build_that_takes_its_workers_with_it_is_told(done, monkeypatch):
    def build(*_, **__):
        raise KilledWorker("build", LOST, 3)

    monkeypatch.setattr(module, "build", build)
    with pytest.raises(BuildError, match="every worker that was to build the simulation was lost"):
        outcomes([1])
    assert done == []


def test_workers_with_other_sources_are_refused(done, monkeypatch):
    monkeypatch.setattr(sources, "sources_digest", lambda *_: "there")
    with pytest.raises(OtherSourcesError):
        outcomes([1])
    assert done == []
