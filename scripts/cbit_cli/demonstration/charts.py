"""Charts, as SVG that takes its colors and its typeface from the page."""

import io
import re
from collections import Counter

import matplotlib as mpl
from matplotlib.figure import Figure

from cbit_sim.demo.figures import Latency

__all__ = ["latency_chart"]

# Stand-ins that matplotlib accepts as colors; the page's own take their place.
_COLORS = {"#010203": "var(--ink-2)", "#010204": "var(--idle)", "#010205": "var(--load)", "#010206": "var(--line)"}
_INK, _IDLE, _LOADED, _LINE = _COLORS
_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "cbit", "font.size": 11, "text.color": _INK,
          "axes.edgecolor": _LINE, "axes.labelcolor": _INK, "xtick.color": _INK, "ytick.color": _INK}


def latency_chart(latencies: list[Latency]) -> str:
    """Histograms of added cycles, one above the other: the idle bus, and under load."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(8.6, 1.0 + 0.95 * len(latencies)))
        axes = figure.subplots(len(latencies), 1, sharex=True, squeeze=False)[:, 0]
        end = max(max(*row.idle, row.loaded_tail) for row in latencies) * 1.08 + 1
        width = max(0.5, end / 160)
        for row, place in zip(latencies, axes):
            for samples, color, shift, label in ((row.idle, _IDLE, 0, "idle bus"),
                                                 (row.loaded, _LOADED, width, "under load")):
                counts = Counter(samples)
                parts = [count / len(samples) for count in counts.values()]
                place.bar([value + shift for value in counts], parts, width, color=color, label=label, align="edge")
            place.set(ylim=(0, 1.15), xlim=(0, end), yticks=[])
            place.set_title(f"{row.kind}: +{row.added:g}", loc="left", fontsize=11, pad=3)
            place.spines[["top", "right", "left"]].set_visible(False)
        axes[0].legend(frameon=False, ncols=2, loc="upper right", bbox_to_anchor=(1, 1.7))
        axes[-1].set_xlabel("cycles that the engine adds; height is the part of accesses")
        figure.tight_layout()
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg"):]
    for stand_in, color in _COLORS.items():
        svg = svg.replace(stand_in, color)
    svg = re.sub(r"font-family: [^;]*; ", "", svg)
    return re.sub(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" xmlns:xlink="http://www.w3.org/1999/xlink" '
                  r'role="img" aria-label="Histograms of added latency">', svg, count=1)
