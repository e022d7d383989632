"""A netlist whose registers can be struck: two inputs choose the bit whose next state is inverted."""

import re
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from cbit_cli.upsets.registers import Register
from cbit_fpga.yosys import run_yosys

__all__ = ["STRIKE_BIT", "STRIKE_REGISTER", "strikable_verilog", "with_strikes"]

STRIKE_REGISTER = "strike_register"
"""The input that chooses a register, by its place in the sequence, counted from 1; 0 means none."""

STRIKE_BIT = "strike_bit"
"""The input that chooses its bit."""

_PORTS = {STRIKE_REGISTER: 13, STRIKE_BIT: 11}
_MODULE = re.compile(r"^(module \\(\S+)$)(.*?)^end$", re.DOTALL | re.MULTILINE)
_USED_PORTS = re.compile(r"^  wire .*(?:input|output|inout) (\d+) ", re.MULTILINE)
_INSTANCE = re.compile(r"^(  cell \\(\S+) \S+\n)((?:    .*\n)*)(  end)$", re.MULTILINE)


def strikable_verilog(netlist: str, registers: Sequence[Register]) -> str:
    """Verilog of a netlist in which the registers can be struck."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "netlist.il").write_text(with_strikes(netlist, registers), encoding="utf-8")
        run_yosys("read_rtlil netlist.il\nwrite_verilog -norename struck.v", folder)
        return (folder / "struck.v").read_text(encoding="utf-8")


def with_strikes(netlist: str, registers: Sequence[Register]) -> str:
    """The netlist, in which each module has the two inputs more.

    While both name a bit, what that bit takes at the clock's edge is inverted: what it would have been given then, or
    what it had. So the flip stays until the bit is next written.
    """
    by_module: dict[str, list[tuple[int, Register]]] = defaultdict(list)
    for number, register in enumerate(registers, 1):
        by_module[register.cell.module].append((number, register))
    modules = {name for _, name, _ in _MODULE.findall(netlist)}
    return _MODULE.sub(lambda match: _with_strikes(match, modules, by_module[match[2]]), netlist)


def _with_strikes(match: re.Match[str], modules: set[str], registers: Sequence[tuple[int, Register]]) -> str:
    head, body = match[1], match[3]
    first = max(map(int, _USED_PORTS.findall(body)), default=0) + 1
    ports = [f"  wire width {width} input {first + index} \\{name}"
             for index, (name, width) in enumerate(_PORTS.items())]
    joined = "".join(f"    connect \\{name} \\{name}\n" for name in _PORTS)
    body = _INSTANCE.sub(lambda cell: f"{cell[1]}{cell[3]}{joined}{cell[4]}" if cell[2] in modules else cell[0], body)
    for number, register in registers:
        assert body.count(register.cell.text) == 1, register.cell
        body = body.replace(register.cell.text, _struck(number, register))
    return "\n".join([head, *ports, body.lstrip("\n")]) + "end"


def _struck(number: int, register: Register) -> str:
    given = f"    connect \\D {register.cell.ports['D']}\n"
    assert register.cell.text.count(given) == 1, register.cell
    name, width, bits = f"\\strike_{number}", register.width, _PORTS[STRIKE_REGISTER]
    cell = register.cell.text.replace(given, f"    connect \\D {name}_state\n")
    return "\n".join([
        f"  wire {name}_hit", *(f"  wire width {width} {name}_{wire}" for wire in ("place", "mask", "state")),
        *_cell("$eq", f"{name}_hit", 1, A=(f"\\{STRIKE_REGISTER}", bits), B=(f"{bits}'{number:0{bits}b}", bits)),
        *_cell("$shl", f"{name}_place", width, A=("1'1", 1), B=(f"\\{STRIKE_BIT}", _PORTS[STRIKE_BIT])),
        f"  cell $mux {name}_choice", f"    parameter \\WIDTH {width}", f"    connect \\A {width}'{'0' * width}",
        f"    connect \\B {name}_place", f"    connect \\S {name}_hit", f"    connect \\Y {name}_mask", "  end",
        *_cell("$xor", f"{name}_state", width, A=(register.cell.ports["D"], width), B=(f"{name}_mask", width)),
        cell])


def _cell(kind: str, output: str, width: int, **inputs: tuple[str, int]) -> list[str]:
    return [f"  cell {kind} {output}_cell",
            *(line for port, (_, size) in inputs.items()
              for line in (f"    parameter \\{port}_SIGNED 0", f"    parameter \\{port}_WIDTH {size}")),
            f"    parameter \\Y_WIDTH {width}",
            *(f"    connect \\{port} {signal}" for port, (signal, _) in inputs.items()),
            f"    connect \\Y {output}", "  end"]
