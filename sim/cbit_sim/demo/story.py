"""What happens in the demonstration, step by step: gateware and the golden model act the same story."""

import dataclasses
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from cbit_model.access import BLOCK_BYTES
from cbit_sim.demo.bytemap import ByteMap
from cbit_sim.demo.pieces import PAGE_BYTES, Piece, cut, pages, runs

__all__ = ["COPIES", "GUEST_1", "GUEST_2", "HOST", "HOST_PLAIN", "LARGEST_IMAGE_BYTES", "SECRET", "Dump", "Launch",
           "Overwrite", "Read", "Step", "Story", "View", "Write"]

LARGEST_IMAGE_BYTES = 1 << 18
"""How much of a file a guest is launched from; the guest itself writes what follows."""

SECRET = b"Only this guest, launched from these bytes, may read this."
"""What the owner of guest 1 sends it."""


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

_AREAS = (*COPIES, "elsewhere")


@dataclasses.dataclass(frozen=True)
class Launch:
    """The host has a guest launched from ``image`` at ``start``.

    Where ``secret_start`` is an address, the guest has an owner, who verifies it and sends its secret there.
    """

    guest: View
    start: int
    image: bytes
    secret_start: int | None


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
    """An attacker at the DRAM copies all of it that the story is about: an observation."""

    name: str


@dataclasses.dataclass(frozen=True)
class Overwrite:
    """An attacker at the DRAM overwrites bytes of it with those that lay at ``source`` in an earlier dump."""

    dump: str
    source: int
    target: int
    size: int


Step: TypeAlias = Launch | Write | Read | Dump | Overwrite


class Story:
    """The steps for one file, the same for the same seed.

    Parameters
    ----------
    data : :class:`bytes`
        The file.
    seed : :class:`int`
        Of the cuts into bursts, and of what the guest's owner draws.

    Attributes
    ----------
    start : :class:`dict`
        Name of an area of DRAM, a copy's or the attacker's, to its address.
    image : :class:`bytes`
        What guests are launched from: the file's first bytes, zeros to a whole block.
    dram_bytes : :class:`int`
        Bytes of DRAM that the story is about, from address 0 on.
    edited : :class:`bytes`
        The file as guest 1 changes it later on.
    steps : list of :data:`Step`
        What happens once the platform has booted and its host has initialized it. Names of observations are
        ``"<observer>: <area>"``, and of dumps ``"DRAM"``, ``"DRAM edited"`` and ``"DRAM restored"``.
    """

    def __init__(self, data: bytes, *, seed: int):
        self.data = data
        self.seed = seed
        size = -(-len(data) // PAGE_BYTES) * PAGE_BYTES
        self.start = {name: number * size for number, name in enumerate(_AREAS)}
        secret = len(_AREAS) * size
        self.dram_bytes = secret + PAGE_BYTES
        image = data[:LARGEST_IMAGE_BYTES]
        self.image = image + bytes(-len(image) % BLOCK_BYTES)
        stamp = ByteMap.of(data).stamp(len(data))
        self._edit = list(runs(stamp))
        changed = bytearray(data)
        for offset in stamp:
            changed[offset] ^= 0xFF
        self.edited = bytes(changed)
        self._rng = random.Random(seed)
        self._pages = list(pages(len(data)))
        self.steps: list[Step] = [*self._launches(secret), *self._write_copies(), Dump("DRAM"), *self._views(),
                                  *self._moved(), *self._compared(), *self._replayed()]

    @property
    def written(self) -> list[Piece]:
        """The pieces in which the host writes its copies, and guests what they are not launched from."""
        first_dump = next(number for number, step in enumerate(self.steps) if isinstance(step, Dump))
        return [piece for step in self.steps[:first_dump] if isinstance(step, Write) for piece in step.pieces]

    def _read(self, view: View, area: str, pieces: Sequence[Piece] | None = None) -> Read:
        return Read(f"{view.name}: {area}", view, self.start[area], len(self.data), pieces or self._pages)

    def _launches(self, secret: int) -> list[Step]:
        return [Launch(GUEST_1, self.start["guest 1"], self.image, secret),
                Launch(GUEST_2, self.start["guest 2"], self.image, None),
                Read("guest 1: secret", GUEST_1, secret, len(SECRET), list(pages(len(SECRET))))]

    def _write_copies(self) -> Iterator[Step]:
        """All copies, but for what guests are launched from."""
        for name, owner in COPIES.items():
            done = len(self.image) if owner.asid else 0
            if done < len(self.data):
                yield Write(owner, self.start[name] + done, self.data[done:], cut(len(self.data) - done, self._rng))

    def _views(self) -> list[Step]:
        """Everyone reads every copy, the owners with bursts of all kinds."""
        return [self._read(view, name, cut(len(self.data), self._rng) if view is owner else None)
                for name, owner in COPIES.items() for view in COPIES.values()]

    def _moved(self) -> list[Step]:
        return [Overwrite("DRAM", self.start["guest 1"], self.start["elsewhere"], len(self.data)),
                self._read(GUEST_1, "elsewhere")]

    def _compared(self) -> list[Step]:
        """Guest 1 changes its copy and changes it back, while the attacker compares ciphertext."""
        start = self.start["guest 1"]
        return [Write(GUEST_1, start, self.edited, self._edit), Dump("DRAM edited"),
                Write(GUEST_1, start, self.data, self._edit), Dump("DRAM restored")]

    def _replayed(self) -> list[Step]:
        """Guest 1 changes its copy, and the attacker puts the ciphertext of before in its place."""
        start = self.start["guest 1"]
        return [Write(GUEST_1, start, self.edited, self._edit),
                dataclasses.replace(self._read(GUEST_1, "guest 1"), name="guest 1: edited"),
                Overwrite("DRAM", start, start, self.start["host"]),
                dataclasses.replace(self._read(GUEST_1, "guest 1"), name="guest 1: replayed")]
