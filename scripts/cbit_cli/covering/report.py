"""Figures of coverage: by cross, by file of the gateware, and what is left with its reason."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cbit.config import EngineConfig
from cbit_cli.benchmark.tables import aligned
from cbit_cli.covering.campaign import Covered
from cbit_cli.covering.counts import places
from cbit_cli.covering.items import by_file, code_items, traffic_items
from cbit_cli.covering.waivers import Item, Waived, Waiver, waived

__all__ = ["Figures", "Report"]

_SHOWN = 20
"""Items without a reason that the text names; the page has all."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figures:
    """How many items there are, how many of them are covered, and how many are not and have a reason."""

    total: int
    covered: int
    reasons: int

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(total=self.total + other.total, covered=self.covered + other.covered,
                       reasons=self.reasons + other.reasons)

    @property
    def open(self) -> int:
        """Those that are not covered, without a reason."""
        return self.total - self.covered - self.reasons

    @property
    def part(self) -> float:
        """Of those that have no reason not to be, the part that is covered, 0 to 1."""
        wanted = self.total - self.reasons
        return self.covered / wanted if wanted else 1.0

    @classmethod
    def of(cls, items: Mapping[Item, int], what: Waived) -> "Figures":
        """Of some items."""
        return cls(total=len(items), covered=sum(bool(hits) for hits in items.values()),
                   reasons=sum(item in what.reasons for item in items))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**dataclasses.asdict(self), "part": round(self.part, 4)}


class Report:
    """What was covered of an engine, and what not.

    Parameters
    ----------
    covered : :class:`~cbit_cli.covering.campaign.Covered`
    config : :class:`~cbit.config.EngineConfig`
    waivers : iterable of :class:`~cbit_cli.covering.waivers.Waiver`
    command : :class:`str`
        What repeats it.
    """

    def __init__(self, covered: Covered, *, config: EngineConfig, waivers: Iterable[Waiver], command: str):
        self.covered = covered
        self.config = config
        self.command = command
        items = {**traffic_items(covered), **code_items(covered)}
        self.waived = waived(items, waivers)
        self.stale = [*self.waived.stale, *(
            f"{cross} {', '.join(one)} was hit, and cbit_sim.coverage.rules has it that it can not be"
            for cross, bins in covered.contradicted.items() for one in bins)]
        self._items = items
        self.crosses = {name: self._figures(item for item in items if (item.kind, item.where) == ("traffic", name))
                        for name in covered.traffic}
        code = {item: hits for item, hits in items.items() if item.kind != "traffic"}
        self.files = {file: {kind: self._figures(item for item in of_file if item.kind == kind)
                             for kind in ("line", "toggle")}
                      for file, of_file in by_file(code, places(covered.verilog)).items()}

    def _figures(self, items: Iterable[Item]) -> Figures:
        return Figures.of({item: self._items[item] for item in items}, self.waived)

    def figures(self, kind: str) -> Figures:
        """Of all of a kind: ``traffic``, ``line`` or ``toggle``."""
        return self._figures(item for item in self._items if item.kind == kind)

    @property
    def reasons(self) -> Sequence[tuple[str, str, int]]:
        """Kind, reason, and number of items that are not covered for it, the most frequent first."""
        counts = Counter((item.kind, reason) for item, reason in self.waived.reasons.items())
        return [(kind, reason, count) for (kind, reason), count in counts.most_common()]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "command": self.command, "config": self.config.as_dict(), "cycles": self.covered.cycles,
            "figures": {kind: self.figures(kind).as_dict() for kind in ("traffic", "line", "toggle")},
            "crosses": {name: figures.as_dict() for name, figures in self.crosses.items()},
            "files": {file: {kind: figures.as_dict() for kind, figures in kinds.items()}
                      for file, kinds in self.files.items()},
            "reasons": [dict(zip(("kind", "reason", "items"), row)) for row in self.reasons],
            "open": [dataclasses.asdict(item) for item in self.waived.open], "stale": self.stale}

    def as_text(self) -> str:
        """For a terminal."""
        heading = ("", "covered", "of", "", "reasons", "open")
        rows: list[Sequence[str]] = [heading, *(_row(name, figures) for name, figures in self.crosses.items()),
                                     _row("all traffic", self.figures("traffic"))]
        parts = [aligned(rows)]
        for kind in ("line", "toggle"):
            parts.append(aligned([(f"{kind}s", *heading[1:]),
                                  *(_row(file, kinds[kind]) for file, kinds in self.files.items() if kinds[kind].total),
                                  _row(f"all {kind}s", self.figures(kind))]))
        parts.append("\n".join(["not covered, with a reason:", *(
            f"  {count:,} {kind}: {reason}" for kind, reason, count in self.reasons)]))
        if self.waived.open:
            shown = [f"  {item.kind} {item.where} {item.name}" for item in self.waived.open[:_SHOWN]]
            parts.append("\n".join([f"not covered, without a reason, {len(self.waived.open):,}:", *shown]))
        if self.stale:
            parts.append("\n".join(["stale:", *(f"  {text}" for text in self.stale)]))
        return "\n\n".join(parts)


def _row(name: str, figures: Figures) -> Sequence[str]:
    return (name, f"{figures.covered:,}", f"{figures.total:,}", f"{figures.part:.1%}", f"{figures.reasons:,}",
            f"{figures.open:,}")
