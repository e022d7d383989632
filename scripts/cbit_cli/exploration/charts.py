"""Charts of an exploration's page: each point a mark that the page can find again."""

import dataclasses
import html
import re
from collections.abc import Callable, Iterable, Mapping

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator, StrMethodFormatter

from cbit_cli.exploration.point import Point, best
from cbit_cli.page.svg import INK, STYLE, page_svg

__all__ = ["CHARTS", "Chart", "chart_svg"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chart:
    """What is drawn against size.

    Parameters
    ----------
    name, title, unit : :class:`str`
        For the page.
    value : callable
        Of a point that was placed.
    better : :class:`int`
        1 where more is better, -1 where less is.
    """

    name: str
    title: str
    unit: str
    value: Callable[[Point], float]
    better: int

    def front(self, points: Iterable[Point]) -> list[Point]:
        """Those that no other beats in size without losing in value, by rising size."""
        return best(points, lambda point: point.measurement.cells.luts, lambda point: self.better * self.value(point))


def _gbps(point: Point) -> float:
    assert point.figures is not None
    return point.figures.gbps


CHARTS = (
    Chart(name="throughput", title="Throughput", unit="Gb/s each way", value=_gbps, better=1),
    Chart(name="latency", title="Latency that an encrypted read adds", unit="ns", value=lambda point: point.latency_ns,
          better=-1),
)


def chart_svg(chart: Chart, points: Mapping[int, Point]) -> str:
    """Points by number: value against LUTs, block RAMs as color, the best for their size joined. One must be placed.

    Each mark is the SVG group ``<name>-<number>``, which shows its point's parameters.
    """
    placed = {number: point for number, point in points.items() if point.figures is not None}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 4.6))
        axes = figure.subplots()
        axes.set(xlabel="LUT4", ylabel=chart.unit, xscale="log", yscale="log")
        for axis, numbers in ((axes.xaxis, EngFormatter(sep="")), (axes.yaxis, StrMethodFormatter("{x:g}"))):
            axis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
            axis.set_major_formatter(numbers)
            axis.set_minor_locator(NullLocator())
        axes.spines[["top", "right"]].set_visible(False)
        front = chart.front(placed.values())
        axes.plot([point.measurement.cells.luts for point in front], [chart.value(point) for point in front],
                  color=INK, linewidth=1, drawstyle="steps-post", zorder=1)
        most = max(point.measurement.cells.block_rams for point in placed.values())
        scale = mpl.colors.Normalize(0, max(most, 1))
        for number, point in placed.items():
            marks = axes.scatter([point.measurement.cells.luts], [chart.value(point)], s=60, zorder=2, linewidth=0.6,
                                 c=[point.measurement.cells.block_rams], norm=scale, cmap="viridis", edgecolors=INK)
            marks.set_gid(f"{chart.name}-{number}")
        colors = mpl.cm.ScalarMappable(scale, "viridis")
        bar = figure.colorbar(colors, ax=axes, label="block RAMs", pad=0.02)
        bar.outline.set_visible(False)
        figure.tight_layout()
        svg = page_svg(figure, label=f"{chart.title} against LUT4")
    return re.sub(rf'<g id="{chart.name}-(\d+)">', lambda match: _titled(match[0], placed[int(match[1])]), svg)


def _titled(group: str, point: Point) -> str:
    return f'{group[:-1]} class="point"><title>{html.escape(point.label)}</title>'


