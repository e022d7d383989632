"""What the read path knows of a burst that it has sent to DRAM."""

from amaranth.hdl import unsigned
from amaranth.lib import enum
from amaranth.lib.data import StructLayout

from cbit.access.request import ATTRIBUTES
from cbit.axi.ports import read_data_layout

__all__ = ["MERGE_ENTRIES", "ReadKind", "delivery_layout", "entry_layout", "merge_request_layout"]


MERGE_ENTRIES = 4
"""Bursts in flight that are kept for partial writes, so that a manager that takes no read data cannot stop them."""


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


def entry_layout(*, id_width: int, slot_width: int, blocks: int) -> StructLayout:
    """A burst in flight.

    Its blocks are ``first_block`` to ``last_block`` of a line. Each serves one beat more than
    ``first_repeat``, ``last_repeat`` or, between the two, ``inner_repeat``; ``first_repeat`` counts if
    there is only one block. ``is_final`` marks the last burst of a manager's access, ``place`` the
    partial write of a ``MERGE``.
    """
    return StructLayout({
        "kind": ReadKind,
        "id": unsigned(id_width),
        "slot": unsigned(slot_width),
        "first_block": unsigned(2),
        "last_block": unsigned(2),
        "first_repeat": unsigned(4),
        "inner_repeat": unsigned(4),
        "last_repeat": unsigned(4),
        "is_final": unsigned(1),
        "place": range(blocks),
    })


def delivery_layout(*, entries: int, id_width: int, data_width: int) -> StructLayout:
    """A beat on its way to the manager; ``is_end`` marks the last one of burst ``index``."""
    return StructLayout({
        "index": range(entries),
        "is_end": unsigned(1),
        "beat": read_data_layout(id_width, data_width),
    })
