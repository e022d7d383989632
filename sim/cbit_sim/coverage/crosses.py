"""The crosses of functional coverage, and their points."""

from collections.abc import Mapping, Sequence

from cbit_sim.coverage.meetings import EVENTS, IDS, PLACES
from cbit_sim.coverage.shape import ALIGNMENTS, BURSTS, DECISIONS, KINDS, LENGTHS, READ, SIZES, STROBES

__all__ = ["ANSWERS", "CROSSES", "ORDERS", "cross_bins"]

_ACCESSES = (READ, "write")
_LOCKS = ("normal", "exclusive")
ORDERS = ("address first", "together", "data first")
ANSWERS = ("OKAY", "EXOKAY", "SLVERR", "DECERR")

CROSSES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "shape": {"burst": BURSTS, "size": SIZES, "strobe": STROBES, "decision": DECISIONS},
    "length": {"access": _ACCESSES, "burst": BURSTS, "length": LENGTHS},
    "alignment": {"burst": BURSTS, "size": SIZES, "alignment": ALIGNMENTS},
    "exclusive": {"access": _ACCESSES, "decision": DECISIONS, "lock": _LOCKS},
    "order": {"kind": KINDS, "order": ORDERS},
    "answer": {"kind": KINDS, "answer": ANSWERS},
    "meeting": {"younger": KINDS, "older": KINDS, "place": PLACES, "id": IDS},
    "event": {"event": EVENTS},
}
"""Name of a cross to its points, and their bins. Kinds stand in both directions."""


def cross_bins(cross: str) -> list[tuple[str, ...]]:
    """All bins of a cross, those that can not be hit among them."""
    bins: list[tuple[str, ...]] = [()]
    for point in CROSSES[cross].values():
        bins = [(*one, value) for one in bins for value in point]
    return bins
