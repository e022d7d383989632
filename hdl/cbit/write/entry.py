"""What the write path knows of a burst on its way to DRAM."""

from amaranth.hdl import unsigned
from amaranth.lib.data import StructLayout

from cbit.access.request import ATTRIBUTES

__all__ = ["BLOCKS_PER_ENTRY", "line_job_layout", "place_of"]


BLOCKS_PER_ENTRY = 4
"""Blocks of a line of 64 bytes; entry ``i`` owns the places ``4 * i`` to ``4 * i + 3`` of the block memories."""


def place_of(index, block):
    """The place of block number ``block`` (2 bits) of entry ``index`` in the block memories."""
    return (index << 2) | block


def line_job_layout(*, entries: int, c_bit: int, id_width: int, slot_width: int) -> StructLayout:
    """An encrypted write of the blocks ``first_block`` to ``last_block`` of a line, in entry ``index``."""
    return StructLayout({
        "index": range(entries),
        "line": unsigned(c_bit - 6),
        "first_block": unsigned(2),
        "last_block": unsigned(2),
        "slot": unsigned(slot_width),
        "id": unsigned(id_width),
        "is_final": unsigned(1),
        "attributes": ATTRIBUTES,
    })
