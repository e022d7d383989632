"""What accesses meet that are in flight at the same time, as a bench knows it from its own port.

An access is in flight from the handshake of its address to the last beat of its answer.
"""

import dataclasses
from collections.abc import Collection, Iterable, Iterator

from cbit_model.dram import LINE_BYTES
from cbit_sim.coverage.shape import Blocks
from cbit_sim.manager import Transaction

__all__ = ["EVENTS", "IDS", "PLACES", "Access", "aliases", "events_of_command", "meeting", "overtakings"]

PLACES = ("same block", "same line", "elsewhere")
"""Where two accesses meet: in a block; in a line, but no block; in neither."""

IDS = ("same ID", "other ID")

_MET = {"plain read": "reads", "encrypted read": "reads", "line write": "line writes",
        "partial write": "partial writes"}
_ENDS = tuple(f"{how} meets {what}" for how in ("retire", "zeroize", "reset") for what in dict.fromkeys(_MET.values()))

EVENTS = (
    "C-bit alias under one key", "C-bit alias, plain and encrypted", "block in parts by several beats",
    "plain write passes line", "line passes plain write", "read passes read", "crowd passes line",
    "all reads in flight", "all writes in flight", "install under load", *_ENDS)
"""What no pair of kinds tells. A crowd is twice as many plain writes as an engine has in flight."""


@dataclasses.dataclass(slots=True, eq=False)
class Access:
    """An access in flight: what it is, and where, the cycle in which its address was taken, and how many plain writes
    that came later were answered before it."""

    transaction: Transaction
    kind: str
    slot: int | None
    has_c_bit: bool
    blocks: Blocks
    lines: frozenset[int]
    taken: int = -1
    passed: int = 0

    @classmethod
    def of(cls, transaction: Transaction, kind: str, slot: int | None, blocks: Blocks, *,
           c_bit: int) -> "Access":
        """An access that begins; one that is denied has no blocks."""
        return cls(transaction, kind, slot, bool(transaction.address.addr >> c_bit & 1), blocks,
                   frozenset(block // LINE_BYTES for block in blocks.all))


def meeting(younger: Access, older: Access) -> tuple[str, str, str, str]:
    """Kinds of both, one of :data:`PLACES`, and one of :data:`IDS`."""
    if younger.blocks.all & older.blocks.all:
        place = "same block"
    else:
        place = "same line" if younger.lines & older.lines else "elsewhere"
    return younger.kind, older.kind, place, IDS[younger.transaction.address.id != older.transaction.address.id]


def aliases(younger: Access, older: Access) -> Iterator[str]:
    """Events of two accesses to a block under other C-bits, or with and without a key."""
    if not younger.blocks.all & older.blocks.all:
        return
    if (younger.slot is None) != (older.slot is None):
        yield "C-bit alias, plain and encrypted"
    elif younger.slot is not None and younger.has_c_bit != older.has_c_bit:
        yield "C-bit alias under one key"


def overtakings(ended: Access, older: Iterable[Access], crowd: int) -> Iterator[str]:
    """Events of an access that is answered while accesses are in flight that came before."""
    for other in older:
        match ended.kind, other.kind:
            case "plain write", "line write" | "partial write":
                other.passed += 1
                yield "plain write passes line"
                if other.passed >= crowd:
                    yield "crowd passes line"
            case "line write" | "partial write", "plain write":
                yield "line passes plain write"
            case "plain read" | "encrypted read", "plain read" | "encrypted read":
                yield "read passes read"


def events_of_command(how: str, slots: Collection[int] | None, in_flight: Iterable[Access]) -> Iterator[str]:
    """Events of a command on slots, or of a reset, which has none, and accesses in flight."""
    for access in in_flight:
        if how == "install":
            yield "install under load"
        elif access.kind in _MET and (slots is None or access.slot in slots):
            yield f"{how} meets {_MET[access.kind]}"
