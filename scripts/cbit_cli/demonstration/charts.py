"""Charts of the demonstration's page."""

from collections import Counter

import matplotlib as mpl
from matplotlib.figure import Figure

from cbit_cli.page.svg import IDLE, LOADED, STYLE, page_svg
from cbit_sim.demo.figures import Latency

__all__ = ["latency_chart"]

def latency_chart(latencies: list[Latency]) -> str:
    """Histograms of added cycles, one above the other: the idle bus, and under load."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 1.0 + 0.95 * len(latencies)))
        axes = figure.subplots(len(latencies), 1, sharex=True, squeeze=False)[:, 0]
        end = max(max(*row.idle, row.loaded_tail) for row in latencies) * 1.08 + 1
        width = max(0.5, end / 160)
        for row, place in zip(latencies, axes):
            for samples, color, shift, label in ((row.idle, IDLE, 0, "idle bus"),
                                                 (row.loaded, LOADED, width, "under load")):
                counts = Counter(samples)
                parts = [count / len(samples) for count in counts.values()]
                place.bar([value + shift for value in counts], parts, width, color=color, label=label, align="edge")
            place.set(ylim=(0, 1.15), xlim=(0, end), yticks=[])
            place.set_title(f"{row.kind}: +{row.added:g}", loc="left", fontsize=11, pad=3)
            place.spines[["top", "right", "left"]].set_visible(False)
        axes[0].legend(frameon=False, ncols=2, loc="upper right", bbox_to_anchor=(1, 1.7))
        axes[-1].set_xlabel("cycles that the engine adds; height is the part of accesses")
        figure.tight_layout()
        return page_svg(figure, label="Histograms of added latency")
