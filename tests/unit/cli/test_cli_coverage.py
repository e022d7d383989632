"""`cbit coverage` without simulators: what it asks for, prints, writes and refuses."""

import json

import pytest

from cbit.config import preset
from cbit_cli import coverage as command
from cbit_cli.covering.campaign import Covered
from cbit_cli.main import main
from cbit_sim.runner import BenchError


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """A fake in the simulations' place."""
    monkeypatch.chdir(tmp_path)
    calls = []

    def covered(config, runs, *, progress):
        calls.append((config, runs))
        progress(0.5, "smoke")
        return Covered(traffic={"event": {("read passes read",): 3, ("crowd passes line",): 0}}, contradicted={},
                       points={}, verilog="", cycles=7)

    monkeypatch.setattr(command, "covered", covered)
    return calls


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["coverage", *map(str, arguments)])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_figures_are_printed_and_written(capsys, asked, tmp_path):
    status, out, err = run(capsys, "--seeds", "2-3", "--transactions", 50, "--preset", "compact")
    assert status == 0
    ((config, runs),) = asked
    assert config == preset("compact")
    assert [dict(one.parameters) for one in runs[-2:]] == [{"seed": seed, "transactions": 50} for seed in (2, 3)]
    assert "crowd passes line" in out
    assert err.splitlines()[-1] == "cbit: coverage/report.html shows it"
    figures = json.loads((tmp_path / "coverage" / "coverage.json").read_text())
    assert figures["command"] == "cbit coverage --transactions 50 --seeds 2-3 --preset compact"
    assert figures["figures"]["traffic"]["covered"] == 1
    assert "crowd passes line" in (tmp_path / "coverage" / "report.html").read_text()
    assert run(capsys, "--seeds", "1")[0] == 0


@pytest.mark.parametrize(("arguments", "text"), [
    (("--seeds", "x"), "--seeds must be A-B, such as 1-100, not 'x'"), (("--transactions", "0"), "--transactions"),
    (("--preset", "none"), "preset must be one of streaming"), (("--set", "key_bits=3"), "128 or 256"),
    (("--set", "data_width=256"), "data_width must be 128, whose accesses are told apart, not 256"),
    (("--out", "letter"), "DIR must be a folder, and letter is a file")])
def test_bad_input_is_one_line_with_status_2(capsys, asked, tmp_path, arguments, text):
    (tmp_path / "letter").write_text("Dear all")
    status, out, err = run(capsys, *arguments)
    assert (status, out, err.count("\n"), asked) == (2, "", 1, [])
    assert text in err


def test_a_bench_that_fails_is_one_line_with_status_1(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def covered(*_, **__):
        raise BenchError("smoke: it\nburns")

    monkeypatch.setattr(command, "covered", covered)
    status, out, err = run(capsys)
    assert (status, out, err.splitlines()[-1]) == (1, "", "cbit: smoke: it burns")
    assert not (tmp_path / "coverage").exists()
