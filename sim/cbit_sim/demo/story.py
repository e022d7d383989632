"""What happens in the demonstration, step by step: the engine and the golden model act the same story."""

import dataclasses
import random
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from cbit_sim.demo.bytemap import ByteMap
from cbit_sim.demo.pieces import PAGE_BYTES, Piece, cut, pages, runs

__all__ = ["COPIES", "GUEST_1", "GUEST_2", "HOST", "HOST_PLAIN", "SLOTS", "Dump", "Move", "Read", "Step", "Story",
           "View", "Write", "make_keys"]


class View(NamedTuple):
    """Someone who accesses memory: a name, the ASID, and whether the C-bit is set."""

    name: str
    asid: int
    c_bit: bool


HOST_PLAIN = View("host without C-bit", asid=0, c_bit=False)
HOST = View("host with C-bit", asid=0, c_bit=True)
GUEST_1 = View("guest 1", asid=1, c_bit=True)
GUEST_2 = View("guest 2", asid=2, c_bit=True)

COPIES = {"plain": HOST_PLAIN, "host": HOST, "guest 1": GUEST_1, "guest 2": GUEST_2}
"""Name of each copy of the file, in the order of their addresses, and its owner."""

SLOTS = (HOST.asid, GUEST_1.asid, GUEST_2.asid)
"""Slots that get a key."""

_AREAS = ("plain", "host", "guest 1", "guest 2", "elsewhere", "hoard")


@dataclasses.dataclass(frozen=True)
class Write:
    """``view`` writes those bytes of ``data`` that ``pieces`` name; ``data`` begins at ``start``."""

    view: View
    start: int
    data: bytes
    pieces: Sequence[Piece]


@dataclasses.dataclass(frozen=True)
class Read:
    """``view`` reads what ``pieces``, which begin at ``start``, name: an observation of ``size`` bytes."""

    name: str
    view: View
    start: int
    size: int
    pieces: Sequence[Piece]


@dataclasses.dataclass(frozen=True)
class Dump:
    """An attacker at the DRAM copies all of it: an observation."""

    name: str


@dataclasses.dataclass(frozen=True)
class Move:
    """An attacker at the DRAM overwrites bytes of it with others of it."""

    source: int
    target: int
    size: int


Step: TypeAlias = Write | Read | Dump | Move


class Story:
    """The steps for one file, the same for the same seed.

    Parameters
    ----------
    data : :class:`bytes`
        The file.
    seed : :class:`int`
        Of the cuts into bursts, of the keys and of what DRAM holds at first.

    Attributes
    ----------
    start : :class:`dict`
        Name of an area of DRAM, a copy's or the attacker's, to its address.
    dram_bytes : :class:`int`
        Bytes of DRAM.
    edited : :class:`bytes`
        The file as guest 1 changes it later on.
    steps : list of :data:`Step`
        What happens. Names of observations are ``"<observer>: <area>"``, and of dumps ``"DRAM"``, ``"DRAM edited"`` and
        ``"DRAM restored"``.
    """

    def __init__(self, data: bytes, *, seed: int):
        self.data = data
        self.seed = seed
        size = -(-len(data) // PAGE_BYTES) * PAGE_BYTES
        self.start = {name: number * size for number, name in enumerate(_AREAS)}
        self.dram_bytes = len(_AREAS) * size
        stamp = ByteMap.of(data).stamp(len(data))
        self._edit = list(runs(stamp))
        changed = bytearray(data)
        for offset in stamp:
            changed[offset] ^= 0xFF
        self.edited = bytes(changed)
        self._rng = random.Random(seed)
        self._pages = list(pages(len(data)))
        self.steps: list[Step] = [*self._write_copies(), Dump("DRAM"), *self._views(), *self._moved(),
                                  *self._compared(), *self._replayed()]

    @property
    def dram_at_first(self) -> bytes:
        """What DRAM holds before anything is written: noise."""
        return random.Random(f"DRAM {self.seed}").randbytes(self.dram_bytes)

    @property
    def written(self) -> list[Piece]:
        """The pieces in which the copies are written."""
        return [piece for step in self.steps[:len(COPIES)] if isinstance(step, Write) for piece in step.pieces]

    def _read(self, view: View, area: str, pieces: Sequence[Piece] | None = None) -> Read:
        return Read(f"{view.name}: {area}", view, self.start[area], len(self.data), pieces or self._pages)

    def _write_copies(self) -> list[Step]:
        return [Write(owner, self.start[name], self.data, cut(len(self.data), self._rng))
                for name, owner in COPIES.items()]

    def _views(self) -> list[Step]:
        """Everyone reads every copy, the owners with bursts of all kinds."""
        return [self._read(view, name, cut(len(self.data), self._rng) if view is owner else None)
                for name, owner in COPIES.items() for view in COPIES.values()]

    def _moved(self) -> list[Step]:
        return [Move(self.start["guest 1"], self.start["elsewhere"], len(self.data)),
                self._read(GUEST_1, "elsewhere")]

    def _compared(self) -> list[Step]:
        """Guest 1 changes its copy and changes it back, while the attacker compares ciphertext."""
        start = self.start["guest 1"]
        return [Move(start, self.start["hoard"], self.start["host"]),
                Write(GUEST_1, start, self.edited, self._edit), Dump("DRAM edited"),
                Write(GUEST_1, start, self.data, self._edit), Dump("DRAM restored")]

    def _replayed(self) -> list[Step]:
        """Guest 1 changes its copy, and the attacker puts the ciphertext of before in its place."""
        start = self.start["guest 1"]
        return [Write(GUEST_1, start, self.edited, self._edit),
                dataclasses.replace(self._read(GUEST_1, "guest 1"), name="guest 1: edited"),
                Move(self.start["hoard"], start, self.start["host"]),
                dataclasses.replace(self._read(GUEST_1, "guest 1"), name="guest 1: replayed")]


def make_keys(seed: int, key_bits: int) -> dict[int, tuple[bytes, bytes]]:
    """K1 and K2 of each slot in use."""
    rng = random.Random(f"keys {seed}")
    return {slot: (rng.randbytes(key_bits // 8), rng.randbytes(key_bits // 8)) for slot in SLOTS}
