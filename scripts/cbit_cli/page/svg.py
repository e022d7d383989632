"""Charts as SVG that takes its colors and its typeface from the page."""

import io
import re

from matplotlib.figure import Figure

__all__ = ["IDLE", "INK", "LINE", "LOADED", "STYLE", "page_svg"]

# Stand-ins that matplotlib accepts as colors; the page's own take their place.
_COLORS = {"#010203": "var(--ink-2)", "#010204": "var(--idle)", "#010205": "var(--load)", "#010206": "var(--line)"}
INK, IDLE, LOADED, LINE = _COLORS
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "cbit", "font.size": 11, "text.color": INK,
         "axes.edgecolor": LINE, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}
"""For :func:`matplotlib.rc_context`."""


def page_svg(figure: Figure, *, label: str) -> str:
    """A figure drawn with :data:`STYLE`, for a page. ``label`` tells what it shows to those who do not see it."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg"):]
    for stand_in, color in _COLORS.items():
        svg = svg.replace(stand_in, color)
    svg = re.sub(r"font-family: [^;]*; ", "", svg)
    return re.sub(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" xmlns:xlink="http://www.w3.org/1999/xlink" '
                  rf'role="img" aria-label="{label}">', svg, count=1)
