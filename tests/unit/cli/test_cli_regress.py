"""`cbit regress` without simulators: what it asks for, prints and refuses."""

import json
import shlex
import sys

import pytest

from cbit.config import preset
from cbit_cli import regress as command
from cbit_cli.main import main
from cbit_sim.regression import Outcome
from cbit_sim.simulators import BuildError
from cbit_sim.sources import OtherSourcesError

BAD = {3: Outcome(seed=3, error="address 0x40, seen by read: expected aa, got ab", mismatch=True, log="there/3.log"),
       5: Outcome(seed=5, error="the simulation ended without results", log="there/5.log")}


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Fakes in the simulations' place, which end in reverse; seeds 3 and 5 fail."""
    monkeypatch.chdir(tmp_path)
    calls = []

    def outcomes_of(job, seeds, farm, *, built):
        calls.append((job, list(seeds), farm))
        built()
        for seed in reversed(seeds):
            yield BAD.get(seed, Outcome(seed=seed, transactions=job.transactions, cycles=7, events={"reset": 1}))

    monkeypatch.setattr(command, "outcomes_of", outcomes_of)
    return calls


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["regress", *map(str, arguments)])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_all_seeds_that_pass_are_status_0(capsys, asked):
    status, out, err = run(capsys, "--transactions", 50, "--seeds", "1-2")
    assert status == 0
    ((job, seeds, farm),) = asked
    assert (job.config, job.transactions, job.design, job.waves, job.start) == (
        preset("streaming"), 50, None, None, "random")
    assert (seeds, str(farm)) == ([1, 2], "this machine")
    figures = dict(line.rsplit(maxsplit=1) for line in out.splitlines())
    assert figures.keys() == {"passed", "failed", "transactions", "mismatches", "wall seconds", "seeds per hour"}
    assert (figures["passed"], figures["failed"], figures["transactions"]) == ("2", "0", "100")
    assert err.splitlines()[:2] == ["cbit: building the simulation", "cbit: simulating 2 seeds"]


def test_failing_seeds_are_status_1_and_tell_how_to_replay_them(capsys, asked):
    status, out, err = run(capsys, "--transactions", 50, "--seeds", "2-5", "--preset", "compact", "--set",
                           "key_bits=256")
    assert (status, len(asked)) == (1, 1)
    for outcome in BAD.values():
        assert f"cbit: seed {outcome.seed} failed: {outcome.error}\n" in err
        assert (f"\nseed {outcome.seed}: {outcome.error}\n  cbit regress --transactions 50 --seeds "
                f"{outcome.seed}-{outcome.seed} --preset compact --set key_bits=256 --waves waves\n") in out + "\n"
    assert out.index("seed 3:") < out.index("seed 5:")


def test_figures_as_json(capsys, asked):
    status, out, _ = run(capsys, "--transactions", 50, "--seeds", "1-5", "--format", "json", "--workers", 3)
    figures = json.loads(out)
    assert status == 1
    assert asked[0][2].workers == 3
    assert figures["command"] == "cbit regress --transactions 50 --seeds 1-5 --preset streaming"
    assert {name: figures[name] for name in ("passed", "failed", "transactions", "mismatches")} == {
        "passed": 3, "failed": 2, "transactions": 150, "mismatches": 1}
    assert figures["seeds_per_hour"] > 0
    assert figures["wall_seconds"] >= 0
    assert [(failure["seed"], failure["log"], failure["mismatch"]) for failure in figures["failures"]] == [
        (3, "there/3.log", True), (5, "there/5.log", False)]
    assert [(seed["seed"], seed["transactions"], seed["events"]) for seed in figures["seeds"]] == [
        (seed, 50, {"reset": 1}) for seed in (1, 2, 4)]


def test_the_replay_command_is_taken(capsys, asked, tmp_path):
    design = tmp_path / "engine.v"
    design.write_text("(* top = 1 *)\nmodule engine(clk);\nendmodule\n")
    _, out, _ = run(capsys, "--seeds", "3", "--verilog", design, "--set", "asid_count=4", "--power-on", "zero",
                    "--format", "json")
    words = shlex.split(json.loads(out)["failures"][0]["replay"])
    status, _, _ = run(capsys, *words[2:])
    first, again = asked
    assert (status, again[1]) == (1, [3])
    assert (again[0].config, again[0].transactions, again[0].design, again[0].start) == (
        first[0].config, first[0].transactions, design.read_text(), "zero")
    assert again[0].waves == tmp_path / "waves"
    assert again[0].waves.is_dir()


@pytest.mark.parametrize(("arguments", "farm"), [
    (("--scheduler", "tcp://host:8786"), ("tcp://host:8786", None)),
    (("--slurm", "--workers", 40), (None, "slurm")), (("--lsf", "--workers", 40), (None, "lsf"))])
def test_farms(capsys, asked, arguments, farm):
    assert run(capsys, "--seeds", "1-2", *arguments)[0] == 0
    chosen = asked[0][2]
    assert (chosen.scheduler, chosen.batch) == farm
    assert farm[1] is None or chosen.workers == 40


@pytest.mark.parametrize(("arguments", "text"), [
    (("--seeds", "x"), "--seeds must be A-B, such as 1-100, not 'x'"),
    (("--seeds", "5-4"), "--seeds must be A-B of 1 to 100000 seeds, not '5-4'"),
    (("--seeds", "1-100001"), "--seeds must be A-B of 1 to 100000 seeds"),
    (("--transactions", "0"), "--transactions"), (("--workers", "0"), "--workers"),
    (("--preset", "none"), "preset must be one of streaming"), (("--set", "key_bits=3"), "128 or 256"),
    (("--power-on", "one"), "'random', 'zero'"),
    (("--scheduler", "farm"), "--scheduler must be an address such as tcp://host:8786, not 'farm'"),
    (("--scheduler", "farm:1", "--workers", "2"), "--workers must not stand beside it"),
    (("--scheduler", "farm:1", "--slurm"), "--slurm must not stand beside it"),
    (("--scheduler", "farm:1", "--waves", "here"), "--waves writes on this machine"),
    (("--slurm",), "--slurm must have --workers, the number of jobs, beside it"),
    (("--verilog", "none.v"), "none.v"), (("--verilog", "letter"), "--verilog must be a file of Verilog, and letter")])
def test_bad_input_is_one_line_with_status_2(capsys, asked, tmp_path, arguments, text):
    (tmp_path / "letter").write_text("Dear all")
    status, out, err = run(capsys, *arguments)
    assert (status, out, err.count("\n"), asked) == (2, "", 1, [])
    assert text in err
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


@pytest.mark.parametrize("batch", ["--slurm", "--lsf"])
def test_without_the_batch_package_there_is_one_line_with_status_2(capsys, asked, monkeypatch, batch):
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    assert run(capsys, batch, "--workers", 2) == (
        2, "", "cbit: dask-jobqueue must be installed to submit jobs: pip install 'cbit[farm]'\n")
    assert not asked


@pytest.mark.parametrize("error", [BuildError("no model"), OtherSourcesError("other sources"), OSError("Timed out")])
def test_what_keeps_all_seeds_from_running_is_one_line_with_status_1(capsys, monkeypatch, error):
    def outcomes_of(*_, **__):
        raise error
        yield

    monkeypatch.setattr(command, "outcomes_of", outcomes_of)
    status, out, err = run(capsys, "--scheduler", "host:1")
    assert (status, out) == (1, "")
    assert err.splitlines()[-1] == f"cbit: host:1: {error}"
