"""`cbit boards` and `cbit build` without tools: what they refuse, what they write."""

import json

import pytest

from cbit_boards.board import board, boards
from cbit_boards.build import MissingToolError
from cbit_boards.report import Report
from cbit_cli import build as command
from cbit_cli.main import main
from cbit_fpga.cells import Cells
from cbit_fpga.implementation import Clock, Implementation, Usage
from cbit_fpga.seeds import Trial
from cbit_sim.sources import OtherSourcesError

CELLS = Cells(logic_luts=9_000, registers=5_000, block_rams=50)


def report(name, mhz):
    found = Implementation(
        seed=2, usage={"DP16KD": Usage(used=50, available=56)}, seconds=60.0, content="",
        clocks=(Clock(net="clk", mhz=mhz, needed_mhz=50.0, critical_path=()),))
    is_good = mhz >= 50
    return Report(name=name, board=board(name), cells=CELLS, seconds={"elaborating": 1.0}, trials=(
        Trial(seed=1, failure="no room"), Trial(seed=2, implementation=found, bitstream=b"bits" if is_good else b"")),
        failure="" if is_good else "it misses its clock: clk")


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CBIT_BUILD", str(tmp_path / "build"))


@pytest.fixture
def asked(monkeypatch):
    """A fake in the tools' place, of the clock or the error that is last in a list; what it was asked for."""
    calls, outcomes = [], [51.5]

    def build(name, found, *, seeds, device_secret, scheduler, progress, **_):
        calls.append((name, list(seeds), device_secret, scheduler))
        assert found is board(name)
        progress("elaborating")
        if isinstance(outcomes[-1], Exception):
            raise outcomes[-1]
        return report(name, outcomes[-1])

    monkeypatch.setattr(command, "build_board", build)
    return calls, outcomes


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_a_build_leaves_bitstream_report_and_picture(capsys, tmp_path, asked):
    calls, _ = asked
    status, out, err = run(capsys, "build", "icepi-zero", "--seeds", 2)
    folder = tmp_path / "bitstreams" / "icepi-zero"
    assert (status, err) == (0, "cbit: elaborating\n")
    assert calls == [("icepi-zero", [1, 2], b"", None)]
    assert {path.name for path in folder.iterdir()} == {
        "icepi-zero.bit", "report.json", "utilization.svg", ".cbit-build"}
    assert (folder / "icepi-zero.bit").read_bytes() == b"bits"
    assert json.loads((folder / "report.json").read_text())["clocks"][0]["mhz"] == 51.5
    assert (folder / "utilization.svg").read_text().startswith("<?xml")
    assert "9,000 of 24,288 LUT4, 50 of 56 block RAMs, seed 2" in out
    assert "clk: 51.5 MHz, needs 50" in out
    assert "openFPGALoader" in out
    assert "bitstreams/icepi-zero/icepi-zero.bit" in out


def test_a_failed_build_leaves_no_bitstream_not_even_an_earlier_one(capsys, tmp_path, asked):
    _, outcomes = asked
    folder = tmp_path / "out"
    assert run(capsys, "build", "icepi-zero", "--out", folder)[0] == 0
    outcomes.append(49.0)
    status, out, err = run(capsys, "build", "icepi-zero", "--out", folder)
    assert (status, out) == (1, "")
    assert err == "cbit: elaborating\ncbit: icepi-zero: it misses its clock: clk\n"
    assert {path.name for path in folder.iterdir()} == {"report.json", "utilization.svg", ".cbit-build"}
    assert json.loads((folder / "report.json").read_text())["failure"] == "it misses its clock: clk"


@pytest.mark.parametrize(("error", "status", "text"), [
    (MissingToolError("yowasp-ecppack must be installed"), 2, "cbit: yowasp-ecppack must be installed\n"),
    (OtherSourcesError("a worker has other sources"), 1, "cbit: icepi-zero: a worker has other sources\n"),
])
def test_what_stops_a_build_is_one_line(capsys, tmp_path, asked, error, status, text):
    folder = tmp_path / "out"
    run(capsys, "build", "icepi-zero", "--out", folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    asked[1].append(error)
    assert run(capsys, "build", "icepi-zero", "--out", folder) == (status, "", f"cbit: elaborating\n{text}")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(("arguments", "status", "text"), [
    (("nothing",), 2, "BOARD must be one of colorlight-5a-75b, "),
    ((), 2, "Missing argument 'BOARD'."),
    (("icepi-zero", "--seeds", 0), 2, "Invalid value for '--seeds': 0 is not in the range 1<=x<=100."),
    (("icepi-zero", "--device-secret", "file"), 2, "--device-secret must not be given for icepi-zero, which has no"),
    (("ulx3s-85f", "--device-secret", "file"), 2, "--device-secret must be a file of 32 bytes, and file has 3\n"),
    (("ulx3s-85f", "--device-secret", "none"), 2, "none: No such file or directory\n"),
    (("icepi-zero", "--scheduler", "here"), 2, "--scheduler must be an address such as tcp://host:8786, not 'here'\n"),
    (("icepi-zero", "--out", "."), 2, "DIR must be new, empty, or hold only the files of an earlier cbit build"),
])
def test_bad_input_is_one_line_and_writes_nothing(capsys, tmp_path, asked, arguments, status, text):
    (tmp_path / "file").write_bytes(b"abc")
    ended, out, err = run(capsys, "build", *arguments)
    assert (ended, out, err.count("\n")) == (status, "", 1)
    assert err.startswith(f"cbit: {text}")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert asked[0] == []


def test_the_device_secret_is_a_file_of_the_users_or_kept(capsys, tmp_path, asked):
    calls, _ = asked
    (tmp_path / "secret").write_bytes(bytes(range(32)))
    assert run(capsys, "build", "ulx3s-85f", "--device-secret", "secret")[0] == 0
    assert run(capsys, "build", "ulx3s-85f")[0] == 0
    assert run(capsys, "build", "ulx3s-85f")[0] == 0
    given, drawn, again = [secret for _, _, secret, _ in calls]
    assert given == bytes(range(32))
    assert drawn == again != given


def test_the_table_has_every_board_and_its_last_build(capsys, asked):
    status, out, err = run(capsys, "boards")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[1:1 + len(boards())]] == list(boards())
    assert lines[1 + len(boards()):] == [f"{name}: {found.obstacle}" for name, found in boards().items()
                                         if found.obstacle]
    asked[1].append(49.0)
    run(capsys, "build", "icepi-zero")
    run(capsys, "boards")
    out = run(capsys, "boards")[1]
    assert "9,000 of 24,288  50 of 56    49 of 50" in out
    assert "icepi-zero: the last build failed: it misses its clock: clk" in out


@pytest.mark.usefixtures("asked")
def test_json_has_every_board_with_its_last_report(capsys):
    run(capsys, "build", "icepi-zero")
    found = {each["name"]: each for each in json.loads(run(capsys, "boards", "--format", "json")[1])}
    assert set(found) == set(boards())
    assert found["icepi-zero"]["last_build"]["clocks"][0]["mhz"] == 51.5
    assert found["ulx3s-85f"]["last_build"] is None
    assert found["ulx3s-85f"]["keys"] == "PSP"
    assert found["ulx3s-85f"]["parameters"]["pipelined"] is True
    assert (found["ecpix-5-85f"]["memory_bytes"], found["ecpix-5-85f"]["obstacle"]) == (512 << 20, None)


def test_names_are_those_that_can_be_built(capsys):
    names = run(capsys, "boards", "--format", "names")[1].split()
    assert names == [name for name, found in boards().items() if not found.obstacle]
    assert "ulx3s-85f" in names
