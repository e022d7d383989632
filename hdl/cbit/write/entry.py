"""What the write path knows of a write on its way to DRAM."""

import functools
import operator

from amaranth.hdl import unsigned
from amaranth.lib.data import StructLayout

from cbit.access.request import ATTRIBUTES
from cbit.axi.beat import BeatShape
from cbit.axi.ports import Burst

__all__ = ["MERGES", "NUMBER_BITS", "PAGE_CLASS_BITS", "PLAIN_DEPTH", "fold", "line_layout", "merge_places",
           "near_bits", "places_per_id", "plain_layout"]


MERGES = 16
"""Beats that are being read for partial writes, or have been and wait for their turn."""

NUMBER_BITS = 12
"""Bits of a line's number. What is remembered of a number is wrong again after as many lines as it counts, and
then only lets another wait once."""

PAGE_CLASS_BITS = 4
"""Bits of a page's class, in place of its address."""

PLAIN_DEPTH = 16
"""Plain writes, and beats of them, on their way to DRAM's port: what a distributed RAM holds."""


def merge_places(*, entries: int, data_width: int) -> int:
    """How many beats that a partial write has asked for are told apart: all of the lines, or those that may be read."""
    return max(MERGES, entries * BeatShape(data_width).per_line)


def near_bits(entries: int) -> int:
    """Bits of a line's number that tell it from all others that are not settled: four times ``entries``, and as many
    that are."""
    return (8 * entries - 1).bit_length()


def places_per_id(entries: int, id_width: int) -> int:
    """How many bursts of one ID may be in flight: all of them, or what a memory of 2048 holds."""
    return min(entries, 2048 >> id_width)


def fold(value, width: int):
    """``value`` as ``width`` bits, each the sum of every ``width``-th bit."""
    return functools.reduce(operator.xor, (value[start:start + width] for start in range(0, len(value), width)))


def line_layout(*, entries: int, data_width: int, c_bit: int, id_width: int, slot_width: int) -> StructLayout:
    """An encrypted write of the beats ``first_beat`` to ``last_beat`` of a line.

    ``number`` counts lines; its lowest bits are the line's index. ``place`` counts the bursts of the
    ID, ``plains`` the plain writes that came before. ``is_final`` marks the last line of an access.
    """
    beat = BeatShape(data_width)
    return StructLayout({
        "number": unsigned(NUMBER_BITS),
        "line": unsigned(c_bit - 6),
        "first_beat": unsigned(beat.number_bits),
        "last_beat": unsigned(beat.number_bits),
        "slot": unsigned(slot_width),
        "id": unsigned(id_width),
        "place": range(places_per_id(entries, id_width)),
        "plains": unsigned(near_bits(entries)),
        "is_final": unsigned(1),
        "attributes": ATTRIBUTES,
    })


def plain_layout(*, entries: int, c_bit: int, id_width: int) -> StructLayout:
    """A plain write; ``place`` counts the bursts of its ID."""
    return StructLayout({
        "id": unsigned(id_width),
        "place": range(places_per_id(entries, id_width)),
        "addr": unsigned(c_bit),
        "len": unsigned(8),
        "size": unsigned(3),
        "burst": Burst,
        "lock": unsigned(1),
        "attributes": ATTRIBUTES,
    })
