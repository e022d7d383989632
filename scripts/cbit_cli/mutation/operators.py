"""Other operators in the place of a netlist's own.

An operator that is to be mutated gets another one beside it, and a multiplexer that chooses between them by a
constant. To yosys, the mutant is then one like any other: a constant that is inverted.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from cbit_cli.netlist import Cell

__all__ = ["OTHER", "choose_operators", "multiplexer", "with_alternatives"]

OTHER: Mapping[str, str] = {
    "$and": "$or", "$or": "$and", "$xor": "$or", "$eq": "$ne", "$ne": "$eq", "$lt": "$le", "$le": "$lt", "$gt": "$ge",
    "$ge": "$gt", "$add": "$sub", "$sub": "$add", "$reduce_or": "$reduce_and", "$reduce_and": "$reduce_or",
    "$not": "$pos"}
"""An operator's cell, and the one that takes its place."""


def choose_operators(cells: Iterable[Cell], count: int, rng: random.Random) -> list[Cell]:
    """Operators from as many lines of the gateware; with fewer lines, one of each."""
    by_source: dict[tuple[str, ...], list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.kind in OTHER:
            by_source[cell.sources].append(cell)
    sources = rng.sample(sorted(by_source), min(count, len(by_source)))
    return [rng.choice(by_source[source]) for source in sources]


def multiplexer(cell: Cell) -> str:
    """The name of the cell that chooses between an operator and the other one."""
    return f"chosen_{cell.name}"


def with_alternatives(netlist: str, operators: Sequence[Cell]) -> str:
    """The netlist, which works as before, with the other operator beside each of some."""
    by_module: dict[str, list[Cell]] = defaultdict(list)
    for cell in operators:
        by_module[cell.module].append(cell)
    parts = re.split(r"^(module \S+)$", netlist, flags=re.MULTILINE)
    for index in range(1, len(parts), 2):
        module = parts[index].removeprefix("module ").removeprefix("\\")
        for cell in by_module[module]:
            assert parts[index + 1].count(cell.text) == 1, cell
            parts[index + 1] = parts[index + 1].replace(cell.text, _alternative(cell))
    return "".join(parts)


def _alternative(cell: Cell) -> str:
    width = re.search(r"parameter \\Y_WIDTH (\d+)", cell.text)
    assert width is not None, cell
    own, other = (f"\\{multiplexer(cell)}_{name}" for name in ("own", "other"))
    output = f"    connect \\Y {cell.ports['Y']}\n"
    assert cell.text.count(output) == 1, cell
    texts = [cell.text.replace(output, f"    connect \\Y {wire}\n") for wire in (own, other)]
    texts[1] = re.sub(r"^  cell .*$", lambda _: f"  cell {OTHER[cell.kind]} {other}_operator", texts[1],
                      flags=re.MULTILINE)
    # $pos and the reductions have the parameters of the cells whose place they take.
    return "\n".join([
        *(f"  wire width {width[1]} {wire}" for wire in (own, other)), *texts,
        f"  cell $mux \\{multiplexer(cell)}", f"    parameter \\WIDTH {width[1]}",
        f"    connect \\A {own}", f"    connect \\B {other}", "    connect \\S 1'0",
        f"    connect \\Y {cell.ports['Y']}", "  end"])
