"""What the read path knows of a burst that it has sent to DRAM."""

from amaranth.hdl import unsigned
from amaranth.lib import enum
from amaranth.lib.data import StructLayout

from cbit.access.request import ATTRIBUTES
from cbit.axi.beat import BeatShape

__all__ = ["GENERATIONS", "TICKET_BITS", "ReadKind", "burst_layout", "merge_request_layout", "plan_layout"]


TICKET_BITS = 11
"""Bits of the numbers of arrived beats: of two of them in the engine, at most 512 apart, the earlier is known."""


GENERATIONS = StructLayout({"manager": 1, "key": 1})
"""Of which generation a burst is among those of managers, and among those that need a key."""


class ReadKind(enum.Enum, shape=2):
    """What a burst was sent for: a manager's plain or encrypted read, or the read of a partial write."""

    PLAIN = 0
    ENCRYPTED = 1
    MERGE = 2


def merge_request_layout(*, data_width: int, c_bit: int, id_width: int, slot_width: int, places: int) -> StructLayout:
    """The beat of a line that a partial write needs; ``place`` is where it waits."""
    return StructLayout({
        "line": unsigned(c_bit - 6),
        "beat": unsigned(BeatShape(data_width).number_bits),
        "slot": unsigned(slot_width),
        "id": unsigned(id_width),
        "attributes": ATTRIBUTES,
        "place": range(places),
    })


def burst_layout(*, entries: int) -> StructLayout:
    """A burst that DRAM has been asked for: ``index`` is its entry if it has to be decrypted, ``generation`` that
    among the managers' bursts if it is plain."""
    return StructLayout({"kind": ReadKind, "index": range(entries), "generation": unsigned(1)})


def plan_layout(*, data_width: int, id_width: int, slot_width: int, places: int) -> StructLayout:
    """What becomes of the beats of a burst that has to be decrypted.

    They begin with ``first_beat`` of a line. Each serves one beat of the manager more than ``first_repeat``,
    ``last_repeat`` or, between the two, ``inner_repeat``; ``first_repeat`` counts if there is only one. ``is_final``
    marks the last burst of a manager's access, ``place`` the partial write of a merge.
    """
    beat = BeatShape(data_width)
    return StructLayout({
        "is_merge": unsigned(1),
        "id": unsigned(id_width),
        "slot": unsigned(slot_width),
        "first_beat": unsigned(beat.number_bits),
        "first_repeat": unsigned(beat.size),
        "inner_repeat": unsigned(beat.size),
        "last_repeat": unsigned(beat.size),
        "is_final": unsigned(1),
        "place": range(places),
    })
