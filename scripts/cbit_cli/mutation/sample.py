"""Mutants of a netlist, sampled at random."""

import dataclasses
import random
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cbit_cli.mutation.operators import OTHER, choose_operators, multiplexer, with_alternatives
from cbit_cli.netlist import Cell, cells
from cbit_fpga.yosys import run_yosys

__all__ = ["Mutant", "Sample", "sample"]

AES = ("cbit.*.aes", "cbit.*.aes.*", "cbit.*.aes_*", "cbit.*.aes_*.*", "cbit.*.sub_word", "cbit.*.sub_word.*")
"""Modules of AES rounds and of the key schedule's S-boxes."""

_AES = re.compile(r"\.(aes(_\d+)?|sub_word)(\.|$)")
_SPARE = 2
"""How many times more are listed than sampled: some change nothing."""

_CLOCK = "\\clk"
_MODES = {"const0": "stuck at 0", "const1": "stuck at 1", "inv": "inverted"}
_CONDITIONS = {("$mux", "S"), ("$pmux", "S")}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change of a netlist.

    Parameters
    ----------
    kind : :class:`str`
        ``operator``, ``condition`` (what chooses a multiplexer's input), ``constant`` (a bit of one) or ``bit``.
    change : :class:`str`
        What becomes of what, for people.
    module : :class:`str`
        The module, by the names of its place in the engine.
    sources : tuple
        Lines of the gateware, such as ``read/gate.py:47``, or of Amaranth.
    is_aes : :class:`bool`
        Whether the module is one of AES rounds or S-boxes.
    command : :class:`str`
        Options of yosys's ``mutate`` that make it.
    """

    kind: str
    change: str
    module: str
    sources: tuple[str, ...]
    is_aes: bool
    command: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self) | {"sources": list(self.sources)}


@dataclasses.dataclass(frozen=True)
class Sample:
    """Mutants, and the netlist whose mutants they are: it has other operators beside those that are mutated."""

    netlist: str
    mutants: Sequence[Mutant]


def sample(netlist: str, *, bits: int, operators: int, aes: int, seed: int) -> Sample:
    """Mutants of a netlist.

    Those of bits are yosys's even sample: over modules, cells, wires and lines alike, so that a wide bus does not
    outweigh all control. Those of operators are of different lines.

    Parameters
    ----------
    netlist : :class:`str`
        RTLIL of :func:`~cbit_cli.netlist.engine_netlist`.
    bits, operators : :class:`int`
        How many of bits, conditions and constants, and how many of operators, outside AES rounds.
    aes : :class:`int`
        How many of bits in AES rounds and S-boxes.
    seed : :class:`int`
        The same seed gives the same mutants.
    """
    rng = random.Random(seed)
    everything = list(cells(netlist))
    by_name = {(cell.module, cell.name): cell for cell in everything}
    chosen = choose_operators((cell for cell in everything if not _AES.search(cell.module)), operators, rng)
    selections = ((bits, ["cbit", "cbit.*"], AES), (aes, AES, ()))
    mutants = [_of_operator(cell) for cell in chosen]
    for count, added, removed in selections:
        if count:
            listed = _listed(netlist, _SPARE * count, seed, added, removed)
            real = [mutant for mutant in (_of_bit(words, by_name) for words in listed) if mutant]
            mutants += rng.sample(real, min(count, len(real)))
    return Sample(with_alternatives(netlist, chosen), mutants)


def _listed(netlist: str, count: int, seed: int, added: Sequence[str], removed: Sequence[str]) -> list[list[str]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "netlist.il").write_text(netlist, encoding="utf-8")
        run_yosys("\n".join([
            "read_rtlil netlist.il", "select -none", *(f"select -add {module}" for module in added),
            *(f"select -del {module}" for module in removed), f"mutate -list {count} -seed {seed} -o mutants.txt %"]),
            folder)
        return [line.split()[1:] for line in (folder / "mutants.txt").read_text(encoding="utf-8").splitlines()]


def _of_operator(cell: Cell) -> Mutant:
    words = ["-mode", "inv", "-module", cell.module, "-cell", multiplexer(cell), "-port", "S", "-portbit", "0"]
    return Mutant(kind="operator", change=f"{cell.name}: {cell.kind[1:]} becomes {OTHER[cell.kind][1:]}",
                  module=cell.module, sources=cell.sources, is_aes=False, command=" ".join(words))


def _of_bit(words: Sequence[str], by_name: Mapping[tuple[str, str], Cell]) -> Mutant | None:
    """:data:`None` if the bit is a constant that is so already, or a clock, which is no logic."""
    options = {name: value for name, value in zip(words[::2], words[1::2]) if name != "-src"}
    kept = [name for name in ("-mode", "-module", "-cell", "-port", "-portbit", "-ctrlbit") if name in options]
    cell = by_name[options["-module"].removeprefix("\\"), options["-cell"].removeprefix("\\")]
    port, bit, mode = options["-port"].removeprefix("\\"), int(options["-portbit"]), options["-mode"]
    constant = re.fullmatch(r"\d+'([01]+)", cell.ports.get(port, ""))
    if cell.ports.get(port) == _CLOCK or (constant and mode == f"const{constant[1][-1 - bit]}"):
        return None
    kind = "constant" if constant else "condition" if (cell.kind, port) in _CONDITIONS else "bit"
    how = _MODES.get(mode) or f"inverted where bit {options['-ctrlbit']} is {mode[-1]}"
    return Mutant(kind=kind, change=f"{cell.name} ({cell.kind}) {port}[{bit}] {how}", module=cell.module,
                  sources=cell.sources, is_aes=bool(_AES.search(cell.module)),
                  command=" ".join(word for name in kept for word in (name, options[name])))
