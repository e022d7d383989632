"""A picture of what a board's design uses of its FPGA, and of how fast its clocks could be."""

import io

import matplotlib as mpl
from matplotlib.figure import Figure

from cbit_boards.report import Report

__all__ = ["utilization"]

_USED, _FREE, _OVER = "#3b6ea5", "#e6e9ed", "#b5432e"
_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "cbit", "font.size": 10}
_WIDTH_INCHES = 7.0
_BAR_INCHES = 0.32
_MARGIN_INCHES = 0.7


def utilization(report: Report) -> str:
    """The picture as SVG: a bar for each kind of site, those that are lacking in red, and one for each clock."""
    bars = _sites(report) + _clocks(report)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_INCHES, _MARGIN_INCHES + _BAR_INCHES * len(bars)), layout="constrained")
        axes = figure.subplots()
        places = range(len(bars))
        axes.barh(places, [1.0] * len(bars), color=_FREE)
        axes.barh(places, [min(part, 1.0) for _, part, _, _ in bars],
                  color=[_USED if is_good else _OVER for _, _, is_good, _ in bars])
        axes.set_yticks(list(places), [name for name, _, _, _ in bars])
        for place, (_, _, _, text) in zip(places, bars):
            axes.text(1.01, place, text, va="center")
        axes.set_xlim(0, 1)
        axes.invert_yaxis()
        axes.set_xticks([])
        axes.spines[:].set_visible(False)
        axes.set_title(f"{report.board.title}: {report.board.device}, {report.board.preset}", loc="left")
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _sites(report: Report) -> list[tuple[str, float, bool, str]]:
    """Name, part that is used, whether there are enough, and the figures."""
    device, best = report.board.fpga, report.best
    counts = {"LUT4": (report.cells.luts, device.luts), "block RAM": (report.cells.block_rams, device.block_rams)}
    if best is not None:
        counts |= {site: (usage.used, usage.available) for site, usage in best.usage.items()}
    return [(name, used / available, used <= available, f"{used:,} of {available:,}")
            for name, (used, available) in counts.items()]


def _clocks(report: Report) -> list[tuple[str, float, bool, str]]:
    """Name, what is needed as a part of what is reached, whether it is reached, and the figures."""
    clocks = () if report.best is None else report.best.clocks
    return [(clock.net, clock.needed_mhz / clock.mhz, clock.margin >= 1,
             f"needs {clock.needed_mhz:g} of {clock.mhz:g} MHz") for clock in clocks]
