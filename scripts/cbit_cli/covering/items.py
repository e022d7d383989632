"""What is to be covered, each under a name that a waiver can tell."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from cbit_cli.covering.campaign import Covered
from cbit_cli.covering.counts import Point
from cbit_cli.covering.waivers import Item

__all__ = ["by_file", "code_items", "folder_of", "traffic_items"]


def traffic_items(covered: Covered) -> dict[Item, int]:
    """The bins of the crosses, such as ``INCR, 16, whole, plain``, and their hits."""
    return {Item(kind="traffic", where=cross, name=", ".join(one)): hits
            for cross, bins in covered.traffic.items() for one, hits in bins.items()}


def code_items(covered: Covered) -> dict[Item, int]:
    """Toggles, such as ``valid[0]:0->1``, and lines, as their text in the Verilog, and their hits.

    Lines of a module that read alike are numbered.
    """
    lines = covered.verilog.splitlines()
    items: dict[Item, int] = {}
    alike: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for point, hits in sorted(covered.points.items(), key=lambda entry: (entry[0].module, entry[0].line,
                                                                        entry[0].column)):
        name = point.name
        if point.kind == "line":
            name = _line_name(point, lines)
            seen = alike[point.module, point.kind]
            seen[name] += 1
            name = name if seen[name] == 1 else f"{name} #{seen[name]}"
        items[Item(kind=point.kind, where=point.module, name=name)] = hits
    return items


def _line_name(point: Point, lines: list[str]) -> str:
    text = lines[point.line - 1].strip()
    if point.name == "case":
        return f"{text} {lines[point.line].strip()}"
    return text if point.name in ("if", "block") else f"{point.name} of {text}"


def by_file(items: Mapping[Item, int], places: Mapping[str, str]) -> dict[str, dict[Item, int]]:
    """The items of each file of the gateware."""
    found: dict[str, dict[Item, int]] = defaultdict(dict)
    for item, hits in items.items():
        found[places[item.where]][item] = hits
    return dict(sorted(found.items()))


def folder_of(file: str) -> str:
    """The folder of a file of the gateware; that of those which stand in none is called ``engine``."""
    return file.partition("/")[0] if "/" in file else "engine"
