"""What the parts of the serial bus side tell each other."""

from amaranth.hdl import Cat, Const, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from cbit.axi.ports import Response

__all__ = ["LINE_BUFFERS", "MERGE_PLACE", "NARROW_READ_SLOTS", "ONES_PLACE", "PLACE_BITS", "READ_SLOTS", "TEST_PLACE",
           "TWEAK_PLACE", "TurnSignature", "entry_layout", "feed_layout", "job_layout", "line_place",
           "read_tag_layout", "result_layout", "stored_layout"]

READ_SLOTS = 3
"""Bursts of reads in flight: one is delivered, one arrives, one is asked for."""

NARROW_READ_SLOTS = 2
"""Of a narrow engine."""

LINE_BUFFERS = 4
"""Lines of writes whose blocks wait for DRAM: one is being sent, one is to be sent, one is being encrypted."""

PLACE_BITS = 10
"""Of a place in the store: a block's number of 8 bits in a read's slot, or what writes and others have in region 3."""

_REGION = READ_SLOTS << 8

MERGE_PLACE = _REGION | 0x40
"""Of the block that a partial write reads."""

TEST_PLACE = _REGION | 0x41
"""Of the self-test's block."""

ONES_PLACE = _REGION | 0x42
"""Of what a denied read shows."""

TWEAK_PLACE = _REGION | 0x43
"""Of a tweak, which is not stored."""


def line_place(buffer: Value, number: Value) -> Value:
    """The place of block ``number`` of a line that is written."""
    return Cat(number, buffer, Const(0, 4), Const(READ_SLOTS, 2))


def entry_layout() -> StructLayout:
    """A block and its response."""
    return StructLayout({"data": unsigned(128), "resp": Response})


def stored_layout() -> StructLayout:
    """What is stored, and where. ``hide``: all ones in place of the data."""
    return StructLayout({"place": unsigned(PLACE_BITS), "entry": entry_layout(), "hide": unsigned(1)})


def result_layout() -> StructLayout:
    """Where a block from the ring was stored, and whether as all ones."""
    return StructLayout({"place": unsigned(PLACE_BITS), "hide": unsigned(1)})


def job_layout(*, c_bit: int, slot_width: int) -> StructLayout:
    """A line whose blocks are to be encrypted or decrypted: an address without its 6 lowest bits, and its key."""
    return StructLayout({"line": unsigned(c_bit - 6), "slot": unsigned(slot_width)})


def read_tag_layout() -> StructLayout:
    """What comes back with a line that is read: the slot of its burst, the number of its first block, and whether it
    is the first line of the burst."""
    return StructLayout({"region": range(READ_SLOTS), "number": unsigned(2), "is_first": unsigned(1)})


def feed_layout() -> StructLayout:
    """A block of the line whose turn it is, by its number. Decrypted, it comes from ``place`` and goes there."""
    return StructLayout({"decrypt": unsigned(1), "number": unsigned(2), "place": unsigned(PLACE_BITS)})


class TurnSignature(wiring.Signature):
    """A line's turn at the ring, seen from whose line it is.

    Members
    -------
    valid : ``In(1)``
        It is this line's turn.
    feed : ``Out(stream.Signature(feed_layout()))``
        Blocks, in ascending order of their numbers, each as often as it takes. What is to be encrypted is to be there
        in the cycle after.
    done : ``Out(1)``
        In this cycle the turn ends.
    """

    def __init__(self) -> None:
        super().__init__({"valid": In(1), "feed": Out(stream.Signature(feed_layout())), "done": Out(1)})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TurnSignature)
