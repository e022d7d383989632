"""Decided accesses as the gateware's parts hand them on, for tests of single components."""

import itertools

from cbit_model.access import Access, burst_beats

__all__ = ["extent", "request"]

_LINE_BYTES = 64


def extent(access: Access, bus_bytes: int = 16) -> dict[str, int]:
    """What ``extent_layout`` says of a well-formed burst on a bus of so many bytes, from its beats."""
    places = [_place(access, lanes)
              for lanes in burst_beats(access.address, access.length, access.size, access.burst, bus_bytes)]
    cuts = sum(place // _LINE_BYTES != before // _LINE_BYTES or place < before
               for before, place in itertools.pairwise(places))
    return {"last_byte": places[-1] % _LINE_BYTES, "chunks_after": cuts}


def _place(access: Access, beat: tuple[int, int]) -> int:
    """Address of a beat, aligned to it."""
    container, lanes = beat
    return container + (lanes & -lanes).bit_length() - 1 & -(1 << access.size)


def request(access: Access, bus_bytes: int = 16) -> dict[str, object]:
    """The fields of ``request_layout`` that tell of a well-formed burst on a bus of so many bytes."""
    return {"id": access.id, "addr": access.address, "len": access.length - 1, "size": access.size,
            "burst": access.burst, "extent": extent(access, bus_bytes)}
