"""`cbit bench --simulation` without simulators: what it prints, what it refuses."""

import json

import pytest

from cbit.config import EngineConfig, preset
from cbit_cli import bench as command
from cbit_cli.benchmark.simulation_speed import Simulated
from cbit_cli.main import main
from cbit_sim.runner import BenchError


@pytest.fixture
def asked(monkeypatch):
    """Fakes in the simulations' place: the engines that were asked for."""
    engines = []

    def measured_simulation(name, config, progress):
        engines.append((name, config))
        progress(0.5, "traffic")
        return Simulated(
            name=name, config=config, wall=20_000, cpu=25_000, layers={"model": 100_000, "checked": 20_000},
            microseconds={"model": 10.0, "checked": 40.0}, steps_microseconds=30.0)

    monkeypatch.setattr(command, "measured_simulation", measured_simulation)
    monkeypatch.setattr(command, "measured_model", lambda: {"line, encrypted read": 1.25})
    return engines


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["bench", "--simulation", *map(str, arguments)])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_the_default_engine_and_streaming_are_measured_where_none_is_named(capsys, asked):
    status, out, err = run(capsys)
    assert status == 0
    assert asked == [("default", EngineConfig()), ("streaming", preset("streaming"))]
    heading, first, second, *_ = out.splitlines()
    assert heading.startswith("cycles per second")
    assert first.split() == ["default", "100,000", "20,000", "20,000", "25,000", "4.0", "60%"]
    assert second.startswith("streaming")
    assert out.splitlines()[-1].split() == ["line,", "encrypted", "read", "1.2"]
    assert "cbit: default: building and simulating" in err


def test_figures_as_json(capsys, asked, tmp_path):
    file = tmp_path / "figures.json"
    status, out, _ = run(capsys, "--preset", "page", "--set", "key_bits=256", "--format", "json", "--out", file)
    assert (status, file.read_text()) == (0, out)
    content = json.loads(out)
    (row,) = content["rows"]
    assert content["command"] == "cbit bench --simulation --preset page --set key_bits=256"
    assert content["model_megabytes_per_second"] == {"line, encrypted read": 1.25}
    assert (row["engine"], row["config"]["key_bits"]) == ("page", 256)
    assert (row["slowdown"], row["python_share"]) == (4.0, 0.6)
    assert len(asked) == 1


@pytest.mark.parametrize("arguments", [
    ("--part", "read"), ("--seeds", 3), ("--check",), ("--paths",), ("--no-simulate",), ("--simulate",)])
def test_options_of_the_fpga_are_refused(capsys, asked, arguments):
    option = "--simulate" if arguments[0] == "--no-simulate" else arguments[0]
    assert run(capsys, *arguments) == (
        2, "", f"cbit: --simulation measures no FPGA: {option} must not stand beside it\n")
    assert not asked


@pytest.mark.parametrize(("arguments", "text"), [
    (("--preset", "none"), "preset must be one of streaming"), (("--set", "key_bits=3"), "128 or 256"),
    (("--set", "key_bits"), "--set must be FIELD=VALUE")])
def test_bad_engines_are_refused_before_any_work(capsys, asked, arguments, text):
    status, out, err = run(capsys, *arguments)
    assert (status, out, len(err.splitlines()), asked) == (2, "", 1, [])
    assert text in err


def test_a_failing_bench_ends_with_status_1(capsys, monkeypatch):
    def failing(*_):
        raise BenchError("layers: late")

    monkeypatch.setattr(command, "measured_simulation", failing)
    status, out, err = run(capsys)
    assert (status, out) == (1, "")
    assert err.splitlines()[-1] == "cbit: layers: late"
