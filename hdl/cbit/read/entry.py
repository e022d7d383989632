"""What the read path knows of a burst that it has sent to DRAM."""

from amaranth.hdl import unsigned
from amaranth.lib import enum
from amaranth.lib.data import StructLayout

from cbit.access.request import ATTRIBUTES

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


def merge_request_layout(*, c_bit: int, id_width: int, slot_width: int, blocks: int) -> StructLayout:
    """The block that a partial write needs; ``place`` is where it waits."""
    return StructLayout({
        "line": unsigned(c_bit - 6),
        "block": unsigned(2),
        "slot": unsigned(slot_width),
        "id": unsigned(id_width),
        "attributes": ATTRIBUTES,
        "place": range(blocks),
    })


def burst_layout(*, entries: int) -> StructLayout:
    """A burst that DRAM has been asked for: ``index`` is its entry if it has to be decrypted, ``generation`` that
    among the managers' bursts if it is plain."""
    return StructLayout({"kind": ReadKind, "index": range(entries), "generation": unsigned(1)})


def plan_layout(*, id_width: int, slot_width: int, blocks: int) -> StructLayout:
    """What becomes of the blocks of a burst that has to be decrypted.

    They begin with ``first_block`` of a line. Each serves one beat more than ``first_repeat``,
    ``last_repeat`` or, between the two, ``inner_repeat``; ``first_repeat`` counts if there is only one
    block. ``is_final`` marks the last burst of a manager's access, ``place`` the partial write of a merge.
    """
    return StructLayout({
        "is_merge": unsigned(1),
        "id": unsigned(id_width),
        "slot": unsigned(slot_width),
        "first_block": unsigned(2),
        "first_repeat": unsigned(4),
        "inner_repeat": unsigned(4),
        "last_repeat": unsigned(4),
        "is_final": unsigned(1),
        "place": range(blocks),
    })
