"""A file cut into bursts: as a cache writes it back and fetches it, and as programs without one do."""

import enum
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cbit_model.access import BLOCK_BYTES
from cbit_model.dram import LINE_BYTES

__all__ = ["PAGE_BYTES", "Kind", "Piece", "cut", "pages", "runs", "shares"]

PAGE_BYTES = 4096
"""No burst crosses a multiple of it (AMBA AXI4, A3.4.1)."""

_LONG_PAGES = 0.25


class Kind(enum.Enum):
    """How a piece goes over the bus."""

    LINE = "lines of 64 bytes, INCR"
    WRAP = "lines of 64 bytes, WRAP, critical word first"
    LONG = "bursts of up to 256 beats"
    NARROW = "bursts of beats narrower than the bus"
    UNALIGNED = "unaligned pieces"
    BYTE = "single bytes"


_KINDS = {Kind.LINE: 60, Kind.WRAP: 30, Kind.NARROW: 4, Kind.UNALIGNED: 5, Kind.BYTE: 1}
"""Lines in a hundred of each kind, in pages that no long burst carries."""


class Piece(NamedTuple):
    """One burst of a file that begins at a multiple of ``PAGE_BYTES``.

    Parameters
    ----------
    offset : :class:`int`
        Where in the file its first byte on the bus lies.
    size : :class:`int`
        Bytes it carries.
    kind : :class:`Kind`
        How.
    beat_bytes : :class:`int`
        Bytes of a beat: 1, 2, 4, 8 or 16.
    """

    offset: int
    size: int
    kind: Kind
    beat_bytes: int = BLOCK_BYTES


def cut(size: int, rng: random.Random) -> list[Piece]:
    """Every byte of a file once, in bursts of all kinds, in random order."""
    pieces: list[Piece] = []
    for page in pages(size):
        if rng.random() < _LONG_PAGES:
            pieces.append(page)
        else:
            for line in range(page.offset, page.offset + page.size, LINE_BYTES):
                pieces += _cut_line(line, min(LINE_BYTES, size - line), rng)
    rng.shuffle(pieces)
    return pieces


def _cut_line(start: int, size: int, rng: random.Random) -> Iterator[Piece]:
    (kind,) = rng.choices(list(_KINDS), list(_KINDS.values()))
    match kind:
        case Kind.WRAP if size == LINE_BYTES:
            yield Piece(start + BLOCK_BYTES * rng.randrange(LINE_BYTES // BLOCK_BYTES), size, kind)
        case Kind.NARROW:
            yield Piece(start, size, kind, rng.choice((1, 2, 4, 8)))
        case Kind.UNALIGNED:
            cuts = sorted(rng.sample(range(1, size), k=min(2, size - 1)))
            for first, end in zip([0, *cuts], [*cuts, size]):
                yield Piece(start + first, end - first, kind)
        case Kind.BYTE:
            for offset in range(start, start + size):
                yield Piece(offset, 1, kind, 1)
        case _:
            yield Piece(start, size, Kind.LINE)


def pages(size: int) -> Iterator[Piece]:
    """Every byte of a file once, in bursts as long as AXI4 allows."""
    for start in range(0, size, PAGE_BYTES):
        yield Piece(start, min(PAGE_BYTES, size - start), Kind.LONG)


def runs(offsets: Iterable[int]) -> Iterator[Piece]:
    """The bytes at ``offsets``, which ascend, in pieces of neighbors within a line."""
    first = end = -1
    for offset in offsets:
        if offset != end or offset % LINE_BYTES == 0:
            if end > first:
                yield Piece(first, end - first, Kind.UNALIGNED)
            first = offset
        end = offset + 1
    if end > first:
        yield Piece(first, end - first, Kind.UNALIGNED)


def shares(pieces: Iterable[Piece]) -> dict[str, float]:
    """The part of the bytes that each kind carries, by its text."""
    sizes: Counter[str] = Counter()
    for piece in pieces:
        sizes[piece.kind.value] += piece.size
    return {kind.value: sizes[kind.value] / sizes.total() for kind in Kind if sizes[kind.value]}
