"""Whether a mutant is one: proofs that it works as the engine does.

The module that is mutated, with all that it holds, stands beside itself without the mutation, under inputs that are
free in every cycle. What is not defined, as what lies beyond the end of a memory, is 0 in both. If no output ever
differs from power-on, nothing outside can tell. Where that can not be shown, the module around it is tried, whose other
parts restrict the inputs. First of all, the mutation may lie where no output of the design comes from.
"""

import math
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cbit_cli.mutation.sample import Mutant, Sample
from cbit_cli.netlist import cells
from cbit_fpga.store import Store
from cbit_fpga.yosys import run_yosys
from cbit_sim.formal import DisprovedError, Engine, UndecidedError, prove_netlist
from cbit_sim.sources import digest

__all__ = ["equivalent_within"]

_SIZES = re.compile(r"^    parameter \\(?:WIDTH|SIZE) (\d+)$", re.MULTILINE)
_JOINT = re.compile(r"^  connect .*$", re.MULTILINE)
_WHOLE = 2
"""Names of the module that is the design without its pins."""

_MOST_MEMORY_BITS = 1 << 14
"""Each becomes a register; with more of them a proof takes minutes only to be written down."""

_SIDE = """
read_rtlil netlist.il
{mutate}
hierarchy -top {module}
flatten
rename {module} {side}
write_verilog {side}.v
design -reset
"""

_READ = """
read_rtlil netlist.il
{mutate}
hierarchy -top {top}
flatten
opt_clean -purge
write_rtlil {side}.il
design -reset
"""

_MITER = """
read_verilog right.v mutant.v
proc
memory
setundef -zero -undriven
miter -equiv -make_assert -flatten right mutant top
delete right mutant
write_rtlil spec.il
"""


def equivalent_within(sample: Sample, mutant: Mutant, store: Store, *, seconds: int = 60) -> str | None:
    """The module within which a mutant is proven to work as the engine does; :data:`None` if none is found.

    ``seconds`` bounds the search in each module.
    """
    def search(_folder: Path) -> dict[str, Any]:
        if _is_unread(sample, mutant):
            return {"module": mutant.module.partition(".")[0]}
        small = (module for module in _around(mutant.module)
                 if _memory_bits(sample.netlist, module) <= _MOST_MEMORY_BITS)
        return {"module": next((module for module in small if _is_equivalent(sample, mutant, module, seconds)), None)}

    content = digest(_READ, _SIDE, _MITER, _MOST_MEMORY_BITS, sample.netlist, mutant.command, seconds)
    module: str | None = store.done("equivalence", content, search)["module"]
    return module


def _is_unread(sample: Sample, mutant: Mutant) -> bool:
    """Whether the design is the same once all is gone that no output comes from."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "netlist.il").write_text(sample.netlist, encoding="utf-8")
        top = mutant.module.partition(".")[0]
        run_yosys("".join(_READ.format(side=side, mutate=mutate, top=top) for side, mutate in _sides(mutant).items()),
                  folder)
        right, changed = (_logic((folder / f"{side}.il").read_text(encoding="utf-8")) for side in _sides(mutant))
    return right == changed


def _logic(netlist: str) -> tuple[set[str], set[str]]:
    """The cells of a flat design and what joins them, in whatever order they stand."""
    return {cell.text for cell in cells(netlist)}, set(_JOINT.findall(netlist))


def _sides(mutant: Mutant) -> dict[str, str]:
    """The names of what is compared, and what each is made with."""
    return {"right": "", "mutant": f"mutate {mutant.command}"}


def _around(module: str) -> Iterator[str]:
    """The module and those around it, but for the design as a whole."""
    yield module
    names = module.split(".")
    yield from (".".join(names[:count]) for count in range(len(names) - 1, _WHOLE, -1))


def _memory_bits(netlist: str, module: str) -> int:
    """Bits of all memories in a module and those that it holds."""
    memories = (cell.text for cell in cells(netlist)
                if cell.kind == "$mem_v2" and f"{cell.module}.".startswith(f"{module}."))
    return sum(math.prod(int(value) for value in _SIZES.findall(text)) for text in memories)


def _is_equivalent(sample: Sample, mutant: Mutant, module: str, seconds: int) -> bool:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "netlist.il").write_text(sample.netlist, encoding="utf-8")
        run_yosys("".join(_SIDE.format(side=side, mutate=mutate, module=module)
                          for side, mutate in _sides(mutant).items()), folder)
        # What is simulated is Verilog, in which a choice has an order where several of its conditions hold.
        for side in _sides(mutant):
            path = folder / f"{side}.v"
            path.write_text(path.read_text(encoding="utf-8").replace("(* parallel_case *)", ""), encoding="utf-8")
        run_yosys(_MITER, folder)
        try:
            prove_netlist((folder / "spec.il").read_text(encoding="utf-8"), engine=Engine.EQUIVALENCE, seconds=seconds)
        except (DisprovedError, UndecidedError):
            return False
    return True
