"""`cbit verilog`: what it writes, and that it writes all or nothing."""

import json
import types

import pytest
from click.testing import CliRunner

from cbit.config import preset
from cbit.csr import map as register_map
from cbit_cli import verilog as command
from cbit_cli.files import write_together

TEXT = """module part(a);
  input a;
endmodule
(* top =  1  *)
module cbit_engine(clk, s_axi_awaddr, s_axi_bvalid);
  input clk;
  wire clk;
  input [47:0] s_axi_awaddr;
  output s_axi_bvalid;
  wire [3:0] other;
endmodule
"""


@pytest.fixture
def engine(monkeypatch):
    """Stands in for the engine, whose own Verilog is tested elsewhere."""
    modules = {"cbit.engine": types.SimpleNamespace(
        generate_verilog=lambda _: TEXT, latency_cycles=lambda config: {"aes": config.aes_latency_cycles})}
    real = command.importlib.import_module
    monkeypatch.setattr(command.importlib, "import_module", lambda name: modules.get(name) or real(name))


def run(*arguments):
    return CliRunner().invoke(command.verilog, arguments)


@pytest.mark.usefixtures("engine")
def test_standard_output_has_the_verilog_alone():
    assert run("--preset", "page").stdout == TEXT


@pytest.mark.usefixtures("engine")
def test_files_are_written_beside_each_other(tmp_path):
    result = run("--preset", "page", "-o", str(tmp_path / "cbit.v"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / "cbit.v").read_text() == TEXT
    description = json.loads((tmp_path / "cbit.json").read_text())
    assert description["top"] == "cbit_engine"
    assert description["ports"] == [
        {"name": "clk", "direction": "input", "width": 1},
        {"name": "s_axi_awaddr", "direction": "input", "width": 48},
        {"name": "s_axi_bvalid", "direction": "output", "width": 1}]
    assert description["parameters"] == preset("page").as_dict()
    assert description["latency_cycles"] == {"aes": 32}
    assert description["user"] == [
        {"name": "asid", "lsb": 0, "width": 4}, {"name": "npt_c", "lsb": 4, "width": 1},
        {"name": "dma", "lsb": 5, "width": 1}, {"name": "walk", "lsb": 6, "width": 1}]
    assert description["registers"] == register_map.as_dict(("psp", "host"))
    assert {path.name for path in tmp_path.iterdir()} == {"cbit.v", "cbit.json"}


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(("settings", "verified"), [
    ([], True), (["--set", "key_bits=256"], True), (["--set", "id_width=5"], False)])
def test_only_presets_count_as_verified(tmp_path, settings, verified):
    run(*settings, "-o", str(tmp_path / "cbit.v"))
    assert json.loads((tmp_path / "cbit.json").read_text())["verified"] is verified


@pytest.mark.parametrize("name", ["cbit.txt", "cbit", "none/cbit.v", "folder.v", "taken.v"])
def test_bad_outputs_are_refused_before_any_work(tmp_path, name):
    folders = {tmp_path / "folder.v", tmp_path / "taken.json"}
    for folder in folders:
        folder.mkdir()
    result = run("-o", str(tmp_path / name))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "generating" not in result.stderr
    assert {*tmp_path.rglob("*")} == folders


def test_failure_leaves_the_files_of_before(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("old")
    with pytest.raises(TypeError):
        write_together({first: b"new", second: None})
    assert first.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["first"]
