"""The benches, run one after the other, and what they have covered together."""

import dataclasses
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cbit.config import EngineConfig
from cbit_cli.covering.counts import Point, counts
from cbit_sim.runner import simulate

__all__ = ["CORNERS", "Covered", "Run", "covered", "runs"]

CORNERS = ("bursts", "keys", "load", "meetings", "ordering", "policy", "registers", "shapes")
"""Benches of corners that any engine passes; those of the pace ask for the cycles of one kind of engine."""

Bin = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Run:
    """A bench and its parameters."""

    bench: str
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def label(self) -> str:
        """For progress."""
        return f"{self.bench} {self.parameters.get('seed', '')}".strip()


def runs(seeds: Sequence[int], transactions: int) -> list[Run]:
    """A short look, the corners, and random traffic with each seed."""
    return [Run("smoke"), Run("power_on"), *(Run(f"corners_{name}") for name in CORNERS),
            *(Run("random_traffic", {"seed": seed, "transactions": transactions}) for seed in seeds)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Covered:
    """What runs have covered together.

    Parameters
    ----------
    traffic : mapping
        Of each cross, its bins that can be hit, and their hits. More than a few hits of a run are not counted.
    contradicted : mapping
        Of each cross, bins that were hit and can not be, as :mod:`cbit_sim.coverage.rules` has it.
    points : mapping
        Lines and toggles of the Verilog, and their hits.
    verilog : :class:`str`
        What they are of.
    cycles : :class:`int`
        Of all runs.
    """

    traffic: Mapping[str, Mapping[Bin, int]]
    contradicted: Mapping[str, Sequence[Bin]]
    points: Mapping[Point, int]
    verilog: str
    cycles: int

    @classmethod
    def of(cls, reports: Iterator[Mapping[str, Any]]) -> "Covered":
        """From reports of :func:`cbit_sim.runner.simulate`, of one engine."""
        traffic: dict[str, Counter[Bin]] = {}
        contradicted: dict[str, set[Bin]] = {}
        points: Counter[Point] = Counter()
        verilog, cycles = "", 0
        for report in reports:
            cycles += report["cycles"]
            verilog = report["verilog"]
            for name, cross in report.get("coverage", {}).items():
                # Bins that nothing hit must stay, too.
                hits = {tuple(one): count for one, count in cross["hits"]}
                traffic.setdefault(name, Counter()).update(hits)
                contradicted.setdefault(name, set()).update(map(tuple, cross["contradicted"]))
            points.update(counts(Path(report["counts"]).read_text(encoding="utf-8")))
        return cls(traffic=traffic, contradicted={name: sorted(bins) for name, bins in contradicted.items() if bins},
                   points=points, verilog=Path(verilog).read_text(encoding="utf-8"), cycles=cycles)


def covered(config: EngineConfig, benches: Sequence[Run], *, top: str = "engine",
            progress: Callable[[float, str], None] = lambda _part, _text: None) -> Covered:
    """Runs benches on an engine and counts.

    Raises
    ------
    cbit_sim.runner.BenchError
        If one fails.
    cbit_sim.simulators.MissingToolError, cbit_sim.simulators.BuildError
        If the simulation can not be built.
    """
    def reports() -> Iterator[Mapping[str, Any]]:
        for number, run in enumerate(benches):
            progress(number / len(benches), run.label)
            report = simulate(top, f"cbit_sim.benches.{run.bench}", parameters=run.parameters, config=config,
                              start="zero", coverage=True)
            yield report
            shutil.rmtree(Path(report["log"]).parent)

    return Covered.of(reports())
