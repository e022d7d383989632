"""Bits of control, each struck once in an engine at work: what an upset can do."""

import random
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from cbit.config import EngineConfig
from cbit_cli.mutation.trial import WrongEngineError
from cbit_cli.netlist import engine_netlist
from cbit_cli.upsets.registers import Register, registers
from cbit_cli.upsets.report import Report, Struck
from cbit_cli.upsets.strikes import strikable_verilog
from cbit_fpga.store import Store
from cbit_sim.netlist import without_source_lines
from cbit_sim.runner import simulate
from cbit_sim.sources import digest
from cbit_sim.upset import Outcome

__all__ = ["Strike", "struck"]

Strike = tuple[int, int]
"""A register, counted from 1, and its bit."""

_NOTHING: Strike = (0, 0)
_TRIALS_WITHOUT = 4
_BATCH = 50
"""Strikes of one simulation, each after a reset."""


def _silent(_part: float, _text: str) -> None:
    """Shows no progress."""


def struck(config: EngineConfig, *, seed: int, store: Store, count: int | None = None,
           names: Sequence[str] | None = None, command: str = "",
           progress: Callable[[float, str], None] = _silent) -> Report:
    """Strikes bits of control of an engine, each once.

    Each step is kept in ``store``, so that an interrupted run goes on where it was.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`
        Of the engine.
    seed : :class:`int`
        Of traffic, of the cycles of the strikes, and of the sample.
    store : :class:`~cbit_fpga.store.Store`
        Where steps are kept.
    count : :class:`int` or :data:`None`
        How many bits, sampled at random; :data:`None` means every one.
    names : sequence of :class:`str` or :data:`None`
        Strikes the bits of these names instead.
    command : :class:`str`
        For the report.
    progress : callable
        Called with the part that is done, 0 to 1, and a line of text.

    Raises
    ------
    cbit_cli.mutation.trial.WrongEngineError
        If an engine that is not struck is not as the golden model.
    """
    netlist = engine_netlist(config, store)
    found = registers(netlist)
    every = {(number, bit): register for number, register in enumerate(found, 1) for bit in register.control_bits}
    chosen = _chosen(every, count, names, seed)
    trials = _Trials(_verilog(netlist, found, store), config, store, seed)
    trials.require_right()
    outcomes = []
    for start in range(0, len(chosen), _BATCH):
        progress(start / len(chosen), f"strike {start + 1} of {len(chosen)}")
        batch = chosen[start:start + _BATCH]
        outcomes += [
            Struck(name=every[strike].bit_name(strike[1]), sources=every[strike].cell.sources, strike=strike,
                   cycle=one["cycle"], outcome=Outcome(one["outcome"]), reason=one["reason"])
            for strike, one in zip(batch, trials.outcomes(batch), strict=True)]
    return Report(command=command, config=config, register_bits=sum(register.width for register in found),
                  control_bits=len(every), struck=outcomes)


def _chosen(every: dict[Strike, Register], count: int | None, names: Sequence[str] | None, seed: int) -> list[Strike]:
    if names is not None:
        by_name = {register.bit_name(strike[1]): strike for strike, register in every.items()}
        return [by_name[name] for name in names]
    if count is None or count >= len(every):
        return list(every)
    return random.Random(seed).sample(list(every), count)


def _verilog(netlist: str, found: Sequence[Register], store: Store) -> Path:
    def write(folder: Path) -> dict[str, Any]:
        (folder / "cbit.v").write_text(strikable_verilog(netlist, found), encoding="utf-8")
        return {}

    source = Path(import_module("cbit_cli.upsets.strikes").__file__ or "").read_bytes()
    content = digest(netlist, source)
    store.done("strikable_verilog", content, write)
    return store.place("strikable_verilog", content) / "cbit.v"


class _Trials:
    """Batches of strikes, each done once for its content."""

    def __init__(self, verilog: Path, config: EngineConfig, store: Store, seed: int) -> None:
        self._verilog, self._config, self._store, self._seed = verilog, config, store, seed
        folders = [Path(import_module(package).__file__ or "").parent for package in ("cbit_model", "cbit_sim")]
        sources = [path.read_bytes() for folder in folders for path in sorted(folder.glob("*.py"))]
        bench = Path(import_module("cbit_sim").__file__ or "").parent / "benches" / "upsets.py"
        self._content = digest(without_source_lines(verilog.read_text(encoding="utf-8")), config.as_dict(), seed,
                               *sources, bench.read_bytes())

    def outcomes(self, batch: Sequence[Strike]) -> list[dict[str, Any]]:
        """Of each strike its line of the bench's report."""
        done = self._store.done("upsets", digest(self._content, batch), partial(self._simulate, batch))
        outcomes: list[dict[str, Any]] = done["outcomes"]
        return outcomes

    def require_right(self) -> None:
        """Runs trials without a strike."""
        for one in self.outcomes([_NOTHING] * _TRIALS_WITHOUT):
            if one["outcome"] != Outcome.MASKED.value:
                raise WrongEngineError(f"without a strike the engine fails: {one['reason']}")

    def _simulate(self, batch: Sequence[Strike], _folder: Path) -> dict[str, Any]:
        return simulate("engine", "cbit_sim.benches.upsets", parameters={"seed": self._seed, "strikes": batch},
                        config=self._config, source=self._verilog)
