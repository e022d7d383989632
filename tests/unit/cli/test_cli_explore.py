"""`cbit explore` without tools: what it refuses, what it writes."""

import json
import re

import pytest

from cbit.config import SBox
from cbit_cli import explore as command
from cbit_cli.exploration.point import best
from cbit_cli.main import main
from cbit_fpga.cells import Cells
from cbit_fpga.measurement import Measurement
from cbit_fpga.placement import Placement
from cbit_sim.sources import OtherSourcesError


def measured(config):
    """A block RAM for each round and 2,000 LUTs, or 5,000; all tables at once do not fit."""
    is_ram = config.sbox is SBox.BLOCK_RAM
    cells = Cells(logic_luts=(1000 if is_ram else 5000) * config.unroll, block_rams=16 * config.unroll if is_ram else 0)
    if cells.luts > 40_000:
        return Measurement(cells=cells, placements=(), failure="Unable to find a placement <here>")
    return Measurement(cells=cells, placements=(Placement(seed=1, mhz=100.0, used={}, critical_path=()),))


@pytest.fixture
def asked(monkeypatch):
    """Fakes in the tools' place, which answer in reverse; what they were asked for."""
    calls = []

    def sweep(subjects, device, *, seeds, scheduler, **_):
        calls.append((device.name, list(seeds), scheduler))
        yield from ((subject, measured(subject.config)) for subject in reversed(subjects))

    monkeypatch.setattr(command, "sweep", sweep)
    return calls


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["explore", *map(str, arguments)])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_page_and_figures_have_every_point(capsys, tmp_path, asked):
    folder = tmp_path / "new"
    status, out, err = run(capsys, "--axes", "sbox=table,block_ram,unroll=1..2,5,10", "--seeds", 2, "--out", folder,
                           "--set", "key_bits=128")
    assert (status, out) == (0, "")
    assert err.startswith("cbit: 8 engines, 0 combinations left out\n")
    assert f"cbit: 7 engines placed, 1 not; see {folder / 'report.html'}\n" in err
    assert asked == [("LFE5U-85F", [1, 2], None)]
    points = json.loads((folder / "points.json").read_text())
    assert [list(point["setting"].values()) for point in points] == [
        [sbox, unroll] for sbox in ("table", "block_ram") for unroll in (1, 2, 5, 10)]
    assert points[2]["command"] == ("cbit bench --preset streaming --set key_bits=128 --set sbox=table --set unroll=5 "
                                    "--seeds 2")
    assert points[2]["gbps"] == pytest.approx(6.4)
    assert points[3]["mhz_median"] is None
    page = (folder / "report.html").read_text()
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert page.count("<svg") == 2
    assert page.count('<tr id="point-') == 8
    assert len(re.findall(r'<g id="(?:throughput|latency)-\d" class="point"><title>sbox', page)) == 14
    assert "Unable to find a placement &lt;here&gt;" in page
    assert all(point["command"] in page for point in points)


def test_a_folder_is_used_again_and_that_of_others_is_not(capsys, tmp_path, asked):
    for _ in range(2):
        assert run(capsys, "--axes", "unroll=5", "--out", tmp_path / "mine")[0] == 0
    assert len(asked) == 2
    (tmp_path / "mine" / "letter").touch()
    assert run(capsys, "--axes", "unroll=5", "--out", tmp_path / "mine")[0] == 2
    assert len(asked) == 2


def test_nothing_that_fits_is_shown_too(capsys, tmp_path, asked):
    assert run(capsys, "--axes", "sbox=table", "--out", tmp_path / "full")[0] == 0
    assert asked
    assert "<svg" not in (tmp_path / "full" / "report.html").read_text()


@pytest.mark.parametrize("error", [OtherSourcesError("a worker has other sources"), OSError("Timed out")])
def test_a_farm_that_does_not_work_is_told(capsys, tmp_path, monkeypatch, error):
    def sweep(*_, **__):
        raise error
        yield

    monkeypatch.setattr(command, "sweep", sweep)
    status, out, err = run(capsys, "--axes", "unroll=5", "--scheduler", "tcp://farm:1", "--out", tmp_path / "none")
    assert (status, out) == (1, "")
    assert err.endswith(f"cbit: tcp://farm:1: {error}\n")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(("arguments", "text"), [
    ((), "Missing option '--axes'"), (("--axes", "speed"), "--axes must be of sbox"),
    (("--axes", "unroll=0"), "unroll must be an integer"), (("--axes", "sbox", "--seeds", "0"), "--seeds"),
    (("--axes", "sbox", "--preset", "none"), "preset must be one of streaming"),
    (("--axes", "sbox", "--scheduler", "farm"), "--scheduler must be an address such as tcp://host:8786, not 'farm'")])
def test_bad_input_is_one_line_with_status_2(capsys, tmp_path, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert text in err
    assert not list(tmp_path.iterdir())


def test_best_are_those_that_none_beats():
    points = [(3, 5), (1, 1), (2, 5), (2, 4), (4, 9), (5, 9), (1, 2)]
    assert best(points, lambda point: point[0], lambda point: point[1]) == [(1, 2), (2, 5), (4, 9)]
