"""Which signals of a netlist depend on which, in one cycle or in many."""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.lib.wiring import Component

__all__ = ["Flow"]

FLATTEN = """
from pyosys import libyosys
libyosys.run_pass("read_rtlil design.il")
libyosys.run_pass("hierarchy -check -top top")
libyosys.run_pass("proc")
libyosys.run_pass("flatten")
libyosys.run_pass("memory_collect")
libyosys.run_pass("write_json design.json")
"""
BITWISE = {"$and", "$or", "$xor", "$xnor", "$not", "$pos", "$mux", "$pmux", "$dff", "$dffe", "$sdff", "$sdffe", "$adff"}
DATA = {"A", "B", "D"}
NO_LOGIC = {"$scopeinfo", "$assert", "$assume", "$cover", "$print", "$check"}

Bit = int
"""The number that yosys gives a bit of a net; constants are strings."""


class Flow:
    """The netlist of a design, as what each of its bits may have an effect on.

    Every path counts that logic and registers give, whether or not any values of other signals open it: an address or
    a select has an effect on all that it chooses. Words of logic bit by bit, and of memories column by column, are
    kept apart; of arithmetic and comparisons every bit of a result depends on every operand.

    Parameters
    ----------
    design : :class:`amaranth.lib.wiring.Component`
        Its signals have their submodules' names before their own, joined with dots; its ports Amaranth's names.
    """

    def __init__(self, design: Component) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "design.il").write_text(rtlil.convert(design))
            subprocess.run([sys.executable, "-c", FLATTEN], cwd=folder, stdout=subprocess.DEVNULL, check=True)
            top = json.loads((folder / "design.json").read_text())["modules"]["top"]
        self._nets: dict[str, list[Bit | str]] = {name: net["bits"] for name, net in top["netnames"].items()}
        ports = [name for name, port in top["ports"].items() if port["direction"] == "output"]
        self.outputs = frozenset(ports)
        """Names of the ports that leave the design; fields of those that are structs have signals of their own, too."""
        self.signals = frozenset(self._nets)
        """Names of all signals."""
        self._effects: dict[Bit, set[Bit]] = defaultdict(set)
        for cell in top["cells"].values():
            for causes, effects in _paths(cell):
                for cause in causes:
                    if isinstance(cause, int):
                        self._effects[cause].update(bit for bit in effects if isinstance(bit, int))

    def reached(self, sources: Iterable[str], *, declassified: Iterable[str] = ()) -> set[str]:
        """Names of the signals on a bit of which a bit of the ``sources`` may have an effect, by a path through none
        that is ``declassified``.

        Raises
        ------
        KeyError
            If there is no signal of such a name.
        """
        closed = {bit for name in declassified for bit in self._nets[name]}
        found: set[Bit | str] = set()
        waiting = [bit for name in sources for bit in self._nets[name] if isinstance(bit, int)]
        while waiting:
            bit = waiting.pop()
            if bit not in found and bit not in closed:
                found.add(bit)
                waiting.extend(self._effects[bit])
        return {name for name, bits in self._nets.items() if not found.isdisjoint(bits)}


def _paths(cell: dict[str, Any]) -> Iterator[tuple[list[Bit | str], list[Bit | str]]]:
    """Which bits of a cell have an effect on which."""
    kind, pins = cell["type"], cell["connections"]
    given = [pin for pin in pins if cell["port_directions"][pin] == "input"]
    if kind in NO_LOGIC:
        return
    if kind == "$mem_v2":
        yield from _memory_paths(cell)
        return
    outputs = [bit for pin in pins if pin not in given for bit in pins[pin]]
    if kind not in BITWISE:
        yield [bit for pin in given for bit in pins[pin]], outputs
        return
    yield [bit for pin in given if pin not in DATA for bit in pins[pin]], outputs
    for pin in DATA.intersection(given):
        for place, bit in enumerate(pins[pin]):
            # One operand after the other in a $pmux; the last bit of an operand that is extended has an effect on all
            # above it.
            is_last = kind != "$pmux" and place == len(pins[pin]) - 1
            yield [bit], outputs[place:] if is_last else [outputs[place % len(outputs)]]


def _memory_paths(cell: dict[str, Any]) -> Iterator[tuple[list[Bit | str], list[Bit | str]]]:
    pins = cell["connections"]
    width = int(cell["parameters"]["WIDTH"], 2)
    data = pins["RD_DATA"]
    for column in range(width):
        yield pins["WR_DATA"][column::width] + pins["WR_EN"][column::width], data[column::width]
    yield pins["WR_ADDR"] + pins["RD_ADDR"] + pins["RD_EN"] + pins["RD_ARST"] + pins["RD_SRST"], data
