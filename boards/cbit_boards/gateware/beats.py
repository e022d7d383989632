"""Where the beats of a burst are."""

from typing import Any

from amaranth.hdl import Module

from cbit.traffic.burst import BeatPlace

__all__ = ["beat_place"]

_PAGE_BITS = 12


def beat_place(m: Module, request: Any, index: Any, *, addr_width: int) -> BeatPlace:
    """Adds what tells the block, of 16 bytes, and the lanes of a legal burst's beat, by its number; addresses count up
    to ``addr_width`` bits. Combinational."""
    m.submodules.place = place = BeatPlace(region_width=addr_width - _PAGE_BITS, offset_width=_PAGE_BITS)
    m.d.comb += [
        place.index.eq(index), place.burst.len.eq(request.len), place.burst.size.eq(request.size),
        place.burst.burst.eq(request.burst), place.burst.offset.eq(request.addr[:_PAGE_BITS]),
        place.burst.region.eq(request.addr[_PAGE_BITS:]),
    ]
    return place
