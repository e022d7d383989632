"""A sample of mutants, each tried: how good the benches are."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cbit.config import EngineConfig
from cbit_cli.mutation.equivalence import equivalent_within
from cbit_cli.mutation.mutants import mutants_verilog
from cbit_cli.mutation.report import Judged, Report
from cbit_cli.mutation.sample import Sample, sample
from cbit_cli.mutation.trial import BENCHES, Bench, Trials
from cbit_cli.netlist import engine_netlist
from cbit_fpga.store import Store
from cbit_sim.sources import digest

__all__ = ["Shares", "judged", "tried"]


def _silent(_part: float, _text: str) -> None:
    """Shows no progress."""


@dataclasses.dataclass(frozen=True)
class Shares:
    """How many mutants are of bits, of operators, and in AES."""

    bits: int
    operators: int
    aes: int

    @classmethod
    def of(cls, count: int) -> "Shares":
        """A tenth in AES, whose data paths every access shows, and three in ten of operators."""
        aes, operators = count // 10, 3 * count // 10
        return cls(count - aes - operators, operators, aes)


def judged(config: EngineConfig, *, shares: Shares, seed: int, store: Store, command: str = "",
           benches: Sequence[Bench] = BENCHES, progress: Callable[[float, str], None] = _silent) -> Report:
    """Samples mutants of an engine and tries all of them.

    Each step is kept in ``store``, so that an interrupted run goes on where it was.

    Raises
    ------
    cbit_cli.mutation.trial.WrongEngineError
        If the engine itself fails a bench.
    """
    chosen = sample(engine_netlist(config, store), bits=shares.bits, operators=shares.operators, aes=shares.aes,
                    seed=seed)
    return tried(chosen, config, store=store, command=command, benches=benches, progress=progress)


def tried(chosen: Sample, config: EngineConfig, *, store: Store, top: str = "engine", command: str = "",
          benches: Sequence[Bench] = BENCHES, progress: Callable[[float, str], None] = _silent) -> Report:
    """Tries the mutants of a sample of the ``top``; the other arguments, and errors, are those of :func:`judged`."""
    trials = Trials(_verilog(chosen, store), config, store=store, top=top, benches=benches, progress=progress)
    outcomes = []
    for number, mutant in enumerate(chosen.mutants, 1):
        progress(number / len(chosen.mutants), f"mutant {number} of {len(chosen.mutants)}: {mutant.module}")
        verdict = trials.verdict(number)
        module = None if verdict["bench"] else equivalent_within(chosen, mutant, store)
        outcomes.append(Judged(number=number, mutant=mutant, bench=verdict["bench"], reason=verdict["reason"],
                               equivalent_within=module))
    cycles = {bench.label: right["cycles"] for bench, right in zip(benches, trials.right, strict=True)}
    return Report(command=command, config=config, cycles=cycles, judged=outcomes)


def _verilog(chosen: Sample, store: Store) -> Path:
    text = mutants_verilog(chosen)

    def write(folder: Path) -> dict[str, Any]:
        (folder / "cbit.v").write_text(text, encoding="utf-8")
        return {}

    content = digest(text)
    store.done("mutants_verilog", content, write)
    return store.place("mutants_verilog", content) / "cbit.v"
