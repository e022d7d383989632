"""`cbit demo` without a simulator: what it refuses, what it writes, how it ends."""

import json
import os
import re

import pytest

from cbit.config import DEFAULT_PRESET, preset
from cbit_cli import demo as command
from cbit_cli.main import main
from cbit_cli.report_folder import ReportFolder
from cbit_model.sev.memory import SeededEntropy
from cbit_sim.demo.picture import default_file
from cbit_sim.demo.platforms import GoldenPlatform
from cbit_sim.demo.story import SECRET

KINDS = ("plain read", "plain write", "encrypted read", "encrypted write", "partial write")


class RecordedPlatform(GoldenPlatform):
    """The golden model in the platform's place."""

    cycles = 1234567
    engine_cycles = 1000
    config = None

    def __init__(self, seed, *, config, progress):
        progress("booting", 0)
        source = SeededEntropy(seed)
        self._words = [source.take() for _ in range(200)]
        RecordedPlatform.config = config
        super().__init__(self._words, config)

    def entropy_words(self):
        return self._words


@pytest.fixture
def simulated(monkeypatch):
    """The golden model in the gateware's place. The test may change the content of what was seen."""
    changes = {}
    act = command.act

    def acted(story, platform, config, **told):
        account = act(story, platform, config, **told)
        if isinstance(platform, RecordedPlatform):
            for name, content in changes.items():
                account.seen[name] = account.seen[name]._replace(content=content)
        return account

    def cost(top, _bench, **_):
        added = {"wire": 0, "engine": 11}[top]
        latency = {load: {kind: [30 + added + number % 3 for number in range(20)] for kind in KINDS}
                   for load in ("idle", "loaded")}
        return {"cycles": 10, "latency": latency, "bandwidth": {kind: {"beats": 4, "cycles": 4} for kind in KINDS}}

    monkeypatch.setattr(command, "act", acted)
    monkeypatch.setattr(command, "simulate", cost)
    monkeypatch.setattr(command, "SimulatedPlatform", RecordedPlatform)
    monkeypatch.setattr(command, "cached_verilog", lambda top, *_: top)
    monkeypatch.setattr(command, "build_model", lambda *_: None)
    return changes


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["demo", *map(str, arguments)])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def refused(capsys, *arguments):
    status, out, err = run(capsys, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    return err


@pytest.mark.usefixtures("simulated")
def test_page_holds_everything_in_one_file(capsys, tmp_path):
    status, out, err = run(capsys, "--out", tmp_path / "new" / "demo")
    assert status == 0
    folder = tmp_path / "new" / "demo"
    page = (folder / "report.html").read_text()
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert page.count("data:image/png") > 29
    assert "<td><code>ATTESTATION</code></td>" in page
    assert f"<q>{SECRET.decode()}</q>" in page
    assert "<svg" in page
    figures = json.loads((folder / "figures.json").read_text())
    assert figures["repeated_blocks"]["guest 1"] == 0
    assert figures["launch"]["image_bytes"] == -(-len(default_file()) // 16) * 16
    assert figures["launch"]["measurement"] in page.replace(" ", "")
    cycles = figures["launch"]["psp_cycles"]
    assert set(cycles["platform"]) == {"boot", "INIT"}
    assert set(cycles["guest 1"]) - set(cycles["guest 2"]) == {"LAUNCH_SECRET", "ATTESTATION"}
    assert "as private memory" not in page
    assert figures["config"] == figures["platform_config"]
    assert figures["latency_cycles"]["encrypted read"]["added_idle_median"] == 11
    assert (folder / "dram.bin").read_bytes().startswith(default_file())
    assert {path.name for path in folder.iterdir()} == {".cbit-demo", *command.OUTPUTS}
    assert "encrypted read" in out
    assert "report.html" in err


@pytest.mark.usefixtures("simulated")
@pytest.mark.parametrize("content", [b"x", b"<b>&" * 30, bytes(3000)])
def test_any_file_is_shown_and_a_folder_is_used_again(capsys, tmp_path, content):
    file = tmp_path / os.fsdecode(b"a <b> \xfffile")
    file.write_bytes(content)
    for _ in range(2):
        assert run(capsys, file, "--out", tmp_path / "demo")[0] == 0
    page = (tmp_path / "demo" / "report.html").read_text()
    assert "a <b>" not in page
    assert "a &lt;b&gt; \N{REPLACEMENT CHARACTER}file" in page


@pytest.mark.usefixtures("simulated")
def test_guests_write_what_follows_the_image(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("cbit_sim.demo.story.LARGEST_IMAGE_BYTES", 4096)
    (tmp_path / "file").write_bytes(bytes(5000))
    assert run(capsys, tmp_path / "file", "--out", tmp_path / "demo")[0] == 0
    page = " ".join((tmp_path / "demo" / "report.html").read_text().split())
    assert ("launch two guests from the first 4,096 bytes of the file; what follows each guest writes itself, as "
            "private memory under its ASID.") in page
    assert json.loads((tmp_path / "demo" / "figures.json").read_text())["launch"]["image_bytes"] == 4096


@pytest.mark.usefixtures("simulated")
@pytest.mark.parametrize(("arguments", "named"), [
    (["--preset", "streaming-256", "--set", "id_width=8"], "key_bits=256 and id_width=8"),
    (["--set", "data_width=256"], "data_width=256")])
def test_an_engine_that_no_security_processor_drives_has_its_cost_measured(capsys, tmp_path, arguments, named):
    (tmp_path / "file").write_bytes(b"file")
    status, _, err = run(capsys, tmp_path / "file", "--out", tmp_path / "demo", *arguments)
    assert status == 0
    remark = f"no security processor drives an engine with {named}: "
    assert err.startswith(f"cbit: {remark}")
    assert remark[1:] in (tmp_path / "demo" / "report.html").read_text()
    assert RecordedPlatform.config == preset(DEFAULT_PRESET)


@pytest.mark.usefixtures("simulated")
def test_the_platform_has_the_engine_that_is_asked_for(capsys, tmp_path):
    (tmp_path / "file").write_bytes(b"file")
    status, _, err = run(capsys, tmp_path / "file", "--out", tmp_path / "demo", "--preset", "page", "--set", "c_bit=40")
    assert (status, "security processor" in err) == (0, False)
    assert (RecordedPlatform.config.data_unit_bytes, RecordedPlatform.config.c_bit) == (4096, 40)


@pytest.mark.parametrize("name", ["DRAM", "guest 2: guest 1", "guest 1: replayed", "DRAM before the launch of guest 1",
                                  "measurement of guest 1"])
def test_difference_from_the_model_ends_with_status_1_and_leaves_nothing(capsys, tmp_path, simulated, name):
    (tmp_path / "file").write_bytes(b"file" * 1000)
    lengths = {"measurement of guest 1": 0x30, "DRAM": 6 * 4096}
    simulated[name] = bytes(lengths.get(name, 4000))
    status, out, err = run(capsys, tmp_path / "file", "--out", tmp_path / "demo")
    assert (status, out) == (1, "")
    assert re.search(rf"^cbit: address 0x[0-9a-f]+, observer {name}: expected 0x\w\w, got 0x\w\w$", err, re.MULTILINE)
    assert not (tmp_path / "demo").exists()


@pytest.mark.usefixtures("simulated")
def test_keys_that_are_not_of_the_recorded_entropy_end_with_status_1(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"file")
    monkeypatch.setattr(RecordedPlatform, "entropy_words", lambda _: range(200))
    status, out, err = run(capsys, tmp_path / "file", "--out", tmp_path / "demo")
    assert (status, out) == (1, "")
    assert "cbit: address 0x1ffe" in err
    assert "observer certificate chain: expected 0x" in err
    assert not (tmp_path / "demo").exists()


def test_bad_files_are_refused(capsys, tmp_path):
    (tmp_path / "empty").touch()
    with (tmp_path / "large").open("wb") as large:
        large.truncate((4 << 20) + 1)
    out = tmp_path / "out"
    assert "missing" in refused(capsys, tmp_path / "none", "--out", out)
    assert "folder" in refused(capsys, tmp_path, "--out", out)
    assert "1 to 4194304 bytes" in refused(capsys, tmp_path / "empty", "--out", out)
    assert "1 to 4194304 bytes" in refused(capsys, tmp_path / "large", "--out", out)
    assert "regular file" in refused(capsys, "/dev/null", "--out", out)
    assert not out.exists()


@pytest.mark.parametrize(("arguments", "text"), [
    (["--preset", "none"], "preset must be one of streaming"), (["--set", "key_bits=7"], "128 or 256"),
    (["--set", "asid_count=2"], "asid_count must be 3 or more"), (["--set", "c_bit=13"], "c_bit must be 25 or more"),
    (["--seed", "x"], "--seed"), (["one", "two"], "two")])
def test_bad_configurations_are_refused(capsys, tmp_path, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    assert text in refused(capsys, *arguments)
    assert not list(tmp_path.iterdir())


def test_other_peoples_folders_are_refused(capsys, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "report.html").write_text("mine")
    assert "DIR must be new, empty" in refused(capsys, "--out", folder)
    (folder / ".cbit-demo").touch()
    (folder / "letter").write_text("mine")
    assert "DIR must be new, empty" in refused(capsys, "--out", folder)
    assert "is a file" in refused(capsys, "--out", folder / "letter")
    assert "can not" in refused(capsys, "--out", folder / "letter" / "inner")
    assert (folder / "report.html").read_text() == "mine"


def test_file_to_show_is_not_overwritten(capsys, tmp_path):
    ReportFolder(tmp_path, command="demo", outputs=command.OUTPUTS).write({"dram.bin": b"first"})
    assert "another folder" in refused(capsys, tmp_path / "dram.bin", "--out", tmp_path)
    assert (tmp_path / "dram.bin").read_bytes() == b"first"


def test_failing_write_leaves_the_files_of_before(tmp_path):
    folder = ReportFolder(tmp_path, command="demo", outputs=command.OUTPUTS)
    folder.write({"dram.bin": b"first"})
    with pytest.raises(TypeError):
        folder.write({"dram.bin": b"second", "report.html": None})
    assert (tmp_path / "dram.bin").read_bytes() == b"first"
    assert {path.name for path in tmp_path.iterdir()} == {".cbit-demo", "dram.bin"}
