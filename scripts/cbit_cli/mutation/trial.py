"""One mutant against the engine's benches."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cbit.config import EngineConfig
from cbit_cli.mutation.mutants import LIMIT, MUTANT
from cbit_fpga.elaboration import sources_digest
from cbit_fpga.store import Store, digest
from cbit_sim.netlist import without_source_lines
from cbit_sim.runner import BenchError, simulate

__all__ = ["BENCHES", "Bench", "Trials", "WrongEngineError"]

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
    def label(self) -> str:
        """The name, with the personality where there are several."""
        return f"{self.name} {self.parameters.get('personality', '')}".strip()


def _random(personality: str, transactions: int) -> Bench:
    return Bench("random_traffic", {"seed": 20, "transactions": transactions, "personality": personality})


BENCHES: Sequence[Bench] = (
    Bench("smoke"), _random("unordered", 500), Bench("corners_policy"), Bench("corners_bursts"),
    Bench("corners_ordering"), Bench("corners_keys"), Bench("corners_load"), _random("swift", 1000),
    _random("stalled", 1000), _random("crowded", 1000), _random("transparent", 1000),
    Bench("latency", {"bursts": 60, "dram_latency_cycles": 80}, _other_costs), Bench("guests", {}, _other_waits))
"""What tests/bench runs on an engine, what kills most first. ``corners_pace`` is left out: it asks for the cycles of
an engine with neither registers between its steps nor fewer ways than ASIDs."""


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
        text = without_source_lines(verilog.read_text(encoding="utf-8"))
        self._content = digest(text, config.as_dict(), sources_digest("cbit_model", "cbit_sim"))
        self.right: list[dict[str, Any]] = []
        for number, bench in enumerate(benches):
            progress(number / len(benches), f"without a mutation: {bench.label}")
            self.right.append(self._right(bench))

    def _right(self, bench: Bench) -> dict[str, Any]:
        def run(_folder: Path) -> dict[str, Any]:
            try:
                return self._simulate(bench, 0, 0)
            except BenchError as error:
                raise WrongEngineError(f"without a mutation the {self._top} fails {bench.label}: {error}") from error

        return self._store.done("unmutated", digest(self._content, bench.name, bench.parameters), run)

    def _simulate(self, bench: Bench, number: int, limit_cycles: int) -> dict[str, Any]:
        return simulate(self._top, f"cbit_sim.benches.{bench.name}", parameters=bench.parameters, config=self._config,
                        source=self._verilog, plusargs={MUTANT: number, LIMIT: limit_cycles})

    def verdict(self, number: int) -> dict[str, Any]:
        """``bench``, the label of the first that a mutant fails, or :data:`None`, and ``reason``, its message."""
        benches = [(bench.name, bench.parameters) for bench in self._benches]
        return self._store.done("mutants", digest(self._content, benches, number), lambda _folder: self._tried(number))

    def _tried(self, number: int) -> dict[str, Any]:
        for bench, right in zip(self._benches, self.right, strict=True):
            limit = _ENOUGH * int(right["cycles"]) + _MARGIN_CYCLES
            try:
                report = self._simulate(bench, number, limit)
            except BenchError as error:
                reason = f"not done after {limit} cycles" if _ENDED in str(error) else str(error).partition("\n")[0]
                return {"bench": bench.label, "reason": reason}
            reason = bench.differs(report, right)
            if reason:
                return {"bench": bench.label, "reason": reason}
        return {"bench": None, "reason": "survived"}
