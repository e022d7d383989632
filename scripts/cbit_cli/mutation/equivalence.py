"""Whether a mutant is one: proofs that it works as the engine does.

The module that is mutated, with all that it holds, stands beside itself without the mutation, under inputs that are
free in every cycle. If no output ever differs from power-on, nothing outside can tell. Where that can not be shown, the
module around it is tried, whose other parts restrict the inputs.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cbit_cli.mutation.sample import Mutant, Sample
from cbit_fpga.store import Store, digest
from cbit_fpga.yosys import run_yosys
from cbit_sim.formal import DisprovedError, Engine, UndecidedError, prove_netlist

__all__ = ["equivalent_within"]

_WHOLE = 2
"""Names of the module that is the design without its pins."""

_MITER = """
read_rtlil netlist.il
hierarchy -top {module}
flatten
rename {module} right
design -stash right
design -reset
read_rtlil netlist.il
mutate {mutation}
hierarchy -top {module}
flatten
rename {module} mutant
design -stash mutant
design -copy-from right -as right right
design -copy-from mutant -as mutant mutant
miter -equiv -make_assert -flatten right mutant top
delete right mutant
write_rtlil spec.il
"""


def equivalent_within(sample: Sample, mutant: Mutant, store: Store, *, seconds: int = 60) -> str | None:
    """The smallest module within which a mutant is proven to work as the engine does; :data:`None` if none is found.

    ``seconds`` bounds the search in each module.
    """
    def search(_folder: Path) -> dict[str, Any]:
        return {"module": next((module for module in _around(mutant.module)
                                if _is_equivalent(sample, mutant, module, seconds)), None)}

    module: str | None = store.done("equivalence", digest(_MITER, sample.netlist, mutant.command, seconds),
                                    search)["module"]
    return module


def _around(module: str) -> Iterator[str]:
    """The module and those around it, but for the design as a whole."""
    yield module
    names = module.split(".")
    yield from (".".join(names[:count]) for count in range(len(names) - 1, _WHOLE, -1))


def _is_equivalent(sample: Sample, mutant: Mutant, module: str, seconds: int) -> bool:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "netlist.il").write_text(sample.netlist, encoding="utf-8")
        run_yosys(_MITER.format(module=module, mutation=mutant.command), folder)
        try:
            prove_netlist((folder / "spec.il").read_text(encoding="utf-8"), engine=Engine.EQUIVALENCE, seconds=seconds)
        except (DisprovedError, UndecidedError):
            return False
    return True
