"""How the paths ask for tweaks."""

from amaranth.hdl import unsigned
from amaranth.lib.data import StructLayout

__all__ = ["tweak_request_layout", "tweak_result_layout"]


def tweak_request_layout(*, c_bit: int, slot_width: int, entries: int) -> StructLayout:
    """Asks for the tweak of the first block of ``line``, an address without its 6 lowest bits, for entry ``index``."""
    return StructLayout({"line": unsigned(c_bit - 6), "slot": unsigned(slot_width), "index": range(entries)})


def tweak_result_layout(*, entries: int) -> StructLayout:
    """The tweak that entry ``index`` has asked for."""
    return StructLayout({"index": range(entries), "tweak": unsigned(128)})
