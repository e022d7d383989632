"""One mutant against the engine's benches."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from cbit.config import EngineConfig
from cbit_cli.mutation.mutants import LIMIT, MUTANT
from cbit_fpga.store import Store
from cbit_sim.netlist import without_source_lines
from cbit_sim.runner import BenchError, simulate
from cbit_sim.sources import digest

__all__ = ["BENCHES", "Bench", "Trials", "WrongEngineError"]

_BENCH_FOLDER = "benches"
_ENOUGH = 3
"""A mutant that takes so many times the cycles of the engine hangs."""

_MARGIN_CYCLES = 10_000
"""Cycles that a report does not count, as of resets."""

_ENDED = "the simulation ended prematurely"
"""What cocotb says where the Verilog has ended the simulation."""

_STATED = ("plain_read", "plain_write", "encrypted_read")
_BANDWIDTH_TOLERANCE = 0.005


class WrongEngineError(RuntimeError):
    """The engine without a mutation fails a bench: no bench can judge its mutants. The text tells why."""


def _other_costs(report: Mapping[str, Any], right: Mapping[str, Any]) -> str:
    """What tests/bench/test_targets.py asserts: stated latencies to the cycle, and bandwidths."""
    for kind in _STATED:
        cycles, expected = (one["latency_cycles"][kind]["first"] for one in (report, right))
        if cycles != expected:
            return f"{kind} takes {cycles} cycles, not {expected}"
    for kind, expected in right["bandwidth"].items():
        cycles = report["bandwidth"][kind]["cycles"]
        if abs(cycles - expected["cycles"]) > _BANDWIDTH_TOLERANCE * expected["cycles"]:
            return f"{kind} has {expected['beats']} beats in {cycles} cycles, not {expected['cycles']}"
    return ""


def _other_waits(report: Mapping[str, Any], right: Mapping[str, Any]) -> str:
    """What tests/bench/test_targets.py asserts: what an access waits for its key."""
    for kind, expected in right["burst_cycles"].items():
        cycles = sorted(map(int, report["burst_cycles"][kind]))
        allowed = sorted(map(int, expected))
        if cycles[0] < allowed[0] or cycles[-1] > allowed[-1]:
            return f"{kind} takes {cycles[0]} to {cycles[-1]} cycles, not {allowed[0]} to {allowed[-1]}"
    return ""


@dataclasses.dataclass(frozen=True)
class Bench:
    """A bench as it judges mutants.

    Parameters
    ----------
    name : :class:`str`
        Module of :mod:`cbit_sim.benches`.
    parameters : mapping
        Its own.
    differs : callable
        From a mutant's report and the engine's, what is wrong with the mutant's, if anything is.
    """

    name: str
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    differs: Callable[[Mapping[str, Any], Mapping[str, Any]], str] = lambda _report, _right: ""

    @property
    def source(self) -> Path:
        """Its file."""
        return Path(import_module("cbit_sim").__file__ or "").parent / _BENCH_FOLDER / f"{self.name}.py"

    @property
    def label(self) -> str:
        """The name, with the personality where there are several."""
        return f"{self.name} {self.parameters.get('personality', '')}".strip()


def _surroundings() -> str:
    """A digest of the sources that all benches share."""
    folders = [Path(import_module(package).__file__ or "").parent for package in ("cbit_model", "cbit_sim")]
    return digest(*(path.read_bytes() for folder in folders for path in sorted(folder.rglob("*.py"))
                    if path.parent.name != _BENCH_FOLDER))


def _random(personality: str, transactions: int) -> Bench:
    return Bench("random_traffic", {"seed": 20, "transactions": transactions, "personality": personality})


BENCHES: Sequence[Bench] = (
    Bench("smoke"), _random("unordered", 500), Bench("corners_policy"), Bench("corners_bursts"),
    Bench("corners_ordering"), Bench("corners_keys"), Bench("corners_load"), Bench("corners_registers"),
    Bench("corners_meetings"), Bench("corners_shapes"), _random("swift", 1000), _random("stalled", 1000),
    _random("crowded", 1000), _random("transparent", 1000),
    Bench("latency", {"bursts": 60, "dram_latency_cycles": 80}, _other_costs), Bench("guests", {}, _other_waits))
"""What tests/bench runs on an engine, what kills most first. ``corners_pace`` is left out: it asks for the cycles of
an engine with neither registers between its steps nor fewer ways than ASIDs; and ``power_on``, whose resets others
have, too."""


class Trials:
    """Mutants of a sample against benches, each judged once for its content.

    Parameters
    ----------
    verilog : :class:`~pathlib.Path`
        Of :func:`~cbit_cli.mutation.mutants.mutants_verilog`.
    config : :class:`~cbit.config.EngineConfig`
        Of the engine.
    top : :class:`str`
        What is mutated: ``engine`` or ``wire``.
    store : :class:`~cbit_fpga.store.Store`
        Where verdicts are kept.
    benches : sequence of :class:`Bench`
        In the order in which they are run.

    Raises
    ------
    WrongEngineError
        If the engine without a mutation fails a bench.
    """

    def __init__(self, verilog: Path, config: EngineConfig, *, store: Store, top: str = "engine",
                 benches: Sequence[Bench] = BENCHES,
                 progress: Callable[[float, str], None] = lambda _part, _text: None):
        self._verilog, self._config, self._store, self._benches, self._top = verilog, config, store, benches, top
        self._content = digest(without_source_lines(verilog.read_text(encoding="utf-8")), config.as_dict(), top,
                               _surroundings())
        self.right: list[dict[str, Any]] = []
        for number, bench in enumerate(benches):
            progress(number / len(benches), f"without a mutation: {bench.label}")
            self.right.append(self._right(bench))

    def _of(self, bench: Bench, number: int) -> str:
        """All that the outcome of a bench depends on. A change of one bench leaves the outcomes of the others."""
        return digest(self._content, bench.name, bench.parameters, bench.source.read_bytes(), number)

    def _right(self, bench: Bench) -> dict[str, Any]:
        def run(_folder: Path) -> dict[str, Any]:
            try:
                return self._simulate(bench, 0, 0)
            except BenchError as error:
                raise WrongEngineError(f"without a mutation the {self._top} fails {bench.label}: {error}") from error

        return self._store.done("unmutated", self._of(bench, 0), run)

    def _simulate(self, bench: Bench, number: int, limit_cycles: int) -> dict[str, Any]:
        return simulate(self._top, f"cbit_sim.benches.{bench.name}", parameters=bench.parameters, config=self._config,
                        source=self._verilog, plusargs={MUTANT: number, LIMIT: limit_cycles})

    def verdict(self, number: int) -> dict[str, Any]:
        """``bench``, the label of the first that a mutant fails, or :data:`None`, and ``reason``, its message."""
        for bench, right in zip(self._benches, self.right, strict=True):
            outcome = self._store.done("mutants", self._of(bench, number), partial(self._tried, bench, right, number))
            if outcome["reason"]:
                return {"bench": bench.label, "reason": outcome["reason"]}
        return {"bench": None, "reason": "survived"}

    def _tried(self, bench: Bench, right: Mapping[str, Any], number: int, _folder: Path) -> dict[str, str]:
        limit = _ENOUGH * int(right["cycles"]) + _MARGIN_CYCLES
        try:
            report = self._simulate(bench, number, limit)
        except BenchError as error:
            hangs = _ENDED in str(error)
            return {"reason": f"not done after {limit} cycles" if hangs else str(error).partition("\n")[0]}
        return {"reason": bench.differs(report, right)}
