"""Verilator's runtime: compiled by the first build, and taken by the next."""

import subprocess

from cbit_sim.runtime_objects import keep, lend


def test_the_next_build_gets_what_the_first_has_compiled(tmp_path):
    first, second, store = (tmp_path / name for name in ("first", "second", "store"))
    for build in (first, second):
        build.mkdir()
    assert lend(store, first) == []
    for name in ("verilated.o", "verilated.d", "verilated_vpi.o", "Vtop__ALL.a", "verilator.o"):
        (first / name).write_text(name)
    keep(first, store)
    for command in lend(store, second):
        subprocess.run(command, check=True)
    assert sorted(path.name for path in second.iterdir()) == ["verilated.d", "verilated.o", "verilated_vpi.o"]
    assert (second / "verilated.o").read_text() == "verilated.o"


def test_what_is_kept_stays(tmp_path):
    first, second, store = (tmp_path / name for name in ("first", "second", "store"))
    for build in (first, second):
        build.mkdir()
        (build / "verilated.o").write_text(build.name)
        keep(build, store)
    assert (store / "verilated.o").read_text() == "first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second", "store"]


def test_of_a_build_without_it_nothing_is_kept(tmp_path):
    (tmp_path / "build").mkdir()
    keep(tmp_path / "build", tmp_path / "store")
    assert not (tmp_path / "store").exists()
