"""Beat by beat through a page."""

from amaranth.hdl import Cat, Mux, Value, unsigned
from amaranth.lib.data import StructLayout

from cbit.access.request import beat_mask
from cbit.axi.ports import Burst

__all__ = ["BLOCK_SIZE", "after", "walk_layout", "wrap_mask"]

BLOCK_SIZE = 4
"""AxSIZE of a block."""


def walk_layout() -> StructLayout:
    """A beat at byte ``at`` of a page, of ``1 << size`` bytes, and how many follow. Bits of ``at`` that ``mask`` has
    not set stay."""
    return StructLayout({"at": unsigned(12), "mask": unsigned(12), "size": unsigned(3), "left": unsigned(8)})


def wrap_mask(request) -> Value:
    """Of an access, the bits of an address that move from beat to beat (IHI 0022, A3.4.1)."""
    container = (request.len[:4] << request.size) | beat_mask(request.size, widest=BLOCK_SIZE)
    return Mux(request.burst == Burst.INCR, 0xFFF, Mux(request.burst == Burst.WRAP, container[:8], 0))


def after(walk) -> Value:
    """Where the next beat is."""
    return (walk.at & ~walk.mask) | ((walk.at + Cat((walk.size == size) for size in range(BLOCK_SIZE + 1))) & walk.mask)
