"""What the read and the write path exchange with the XTS unit."""

from amaranth.hdl import ShapeLike, unsigned
from amaranth.lib.data import StructLayout

from cbit.axi.beat import BeatShape

__all__ = ["lane_input_layout", "lane_output_layout", "tweak_request_layout", "tweak_result_layout"]


def lane_input_layout(*, data_width: int, slot_width: int, tag: ShapeLike) -> StructLayout:
    """Beat ``number`` of a line whose first block's tweak is ``tweak``, to be encrypted or decrypted.

    The key is that of ``slot``; ``tag`` comes back with the result. ``fault``: the tweak was made with a faulty round
    key.
    """
    return StructLayout({"data": unsigned(data_width), "slot": unsigned(slot_width), "tweak": unsigned(128),
                         "number": unsigned(BeatShape(data_width).number_bits), "fault": unsigned(1), "tag": tag})


def lane_output_layout(*, data_width: int, tag: ShapeLike) -> StructLayout:
    """A beat encrypted or decrypted. ``fault``: a round key that it or its tweak was made with was faulty."""
    return StructLayout({"data": unsigned(data_width), "fault": unsigned(1), "tag": tag})


def tweak_request_layout(*, c_bit: int, slot_width: int, entries: int) -> StructLayout:
    """Asks for the tweak of the first block of ``line``, an address without its 6 lowest bits, for entry ``index``."""
    return StructLayout({"line": unsigned(c_bit - 6), "slot": unsigned(slot_width), "index": range(entries)})


def tweak_result_layout(*, entries: int) -> StructLayout:
    """The tweak that entry ``index`` has asked for. ``fault``: it was made with a faulty round key."""
    return StructLayout({"index": range(entries), "tweak": unsigned(128), "fault": unsigned(1)})
