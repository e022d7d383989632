"""Accesses as coverage tells them apart: by burst, size, strobes, decision and what they do to blocks."""

from typing import NamedTuple

from cbit_model.access import BLOCK_BYTES, HOST_SLOT, Burst, Decision, Violation, burst_beats
from cbit_model.dram import LINE_BYTES
from cbit_model.memory import ALL_LANES
from cbit_sim.manager import Transaction

__all__ = ["ALIGNMENTS", "BURSTS", "DECISIONS", "DENIALS", "KINDS", "LENGTHS", "READ", "SIZES", "STROBES", "WIDER",
           "Blocks", "Shape", "blocks_of", "decision_name", "kind_of", "shape_of"]

BURSTS = tuple(burst.name for burst in (Burst.INCR, Burst.WRAP, Burst.FIXED, Burst.RESERVED))
WIDER = "wider"
"""A beat with more bytes than the bus."""

SIZES = ("1", "2", "4", "8", "16", WIDER)
"""Bytes of a beat."""

LENGTHS = ("1", "2 to 4", "5 to 16", "17 to 255", "256")
"""Beats of a burst."""

ALIGNMENTS = ("line", "block", "beat", "none")
"""The most that the first byte's address is aligned to."""

READ = "read"
STROBES = ("whole", "empty", "one byte", "beats left out", "holes", "part", READ)
"""Of a write: every byte; none; one; some beats whole, the others empty; a part of some beat, with a gap or without."""

_DENIAL_NAMES = {violation: f"denied: {violation.name.lower().replace('_', ' ')}" for violation in Violation}
DENIALS = tuple(_DENIAL_NAMES.values())
DECISIONS = ("plain", "host key", "own key", *DENIALS)

KINDS = ("plain read", "encrypted read", "denied read", "plain write", "line write", "partial write", "denied write")
"""An encrypted write is partial if a block of it is partly strobed."""

_LENGTH_ENDS = (1, 4, 16, 255, 256)


class Shape(NamedTuple):
    """An access; a field is one of the names above, ``access`` a read or a write, ``lock`` normal or exclusive."""

    access: str
    burst: str
    length: str
    size: str
    alignment: str
    strobe: str
    decision: str
    lock: str


class Blocks(NamedTuple):
    """Addresses of the blocks that an access reaches, without the C-bit, and of those that it writes a part of."""

    all: frozenset[int]
    partly: frozenset[int]


def decision_name(decision: Decision) -> str:
    """One of :data:`DECISIONS`."""
    if decision.violation is not None:
        return _DENIAL_NAMES[decision.violation]
    if decision.slot is None:
        return "plain"
    return "host key" if decision.slot == HOST_SLOT else "own key"


def _lanes(transaction: Transaction) -> list[tuple[int, int]]:
    """Block and byte lanes of each beat; of bursts that have none by AXI4's rules, all lanes."""
    address = transaction.address
    if address.burst == Burst.RESERVED or 1 << address.size > BLOCK_BYTES:
        return [(address.addr & -BLOCK_BYTES, ALL_LANES)] * (address.len + 1)
    return list(burst_beats(address.addr, address.len + 1, address.size, Burst(address.burst)))


def _strobe_name(transaction: Transaction) -> str:
    if transaction.data is None:
        return READ
    beats = [(lanes, lanes & beat.strb) for (_, lanes), beat in zip(_lanes(transaction), transaction.data, strict=True)]
    strobed = sum(strobe.bit_count() for _, strobe in beats)
    if all(strobe == lanes for lanes, strobe in beats):
        return "whole"
    if strobed < 2:
        return "one byte" if strobed else "empty"
    if all(strobe in (0, lanes) for lanes, strobe in beats):
        return "beats left out"
    return "holes" if any(_has_gap(strobe) for _, strobe in beats) else "part"


def _has_gap(strobe: int) -> bool:
    run = strobe // (strobe & -strobe) if strobe else 0
    return bool(run & run + 1)


def shape_of(transaction: Transaction, decision: Decision) -> Shape:
    """An access and what was decided of it."""
    address = transaction.address
    beats, size = address.len + 1, 1 << address.size
    length = next(name for name, end in zip(LENGTHS, _LENGTH_ENDS, strict=True) if beats <= end)
    alignment = next(name for name, unit in zip(ALIGNMENTS, (LINE_BYTES, BLOCK_BYTES, size, 1), strict=True)
                     if address.addr % unit == 0)
    return Shape("write" if transaction.is_write else READ, Burst(address.burst).name, length,
                 str(size) if size <= BLOCK_BYTES else WIDER, alignment, _strobe_name(transaction),
                 decision_name(decision), "exclusive" if address.lock else "normal")


def blocks_of(transaction: Transaction, c_bit: int) -> Blocks:
    """The blocks of an access that was not denied."""
    strobes: dict[int, int] = {}
    given = [0] * (transaction.address.len + 1) if transaction.data is None else [
        beat.strb for beat in transaction.data]
    for (container, lanes), strobe in zip(_lanes(transaction), given, strict=True):
        block = container & ~(1 << c_bit)
        strobes[block] = strobes.get(block, 0) | lanes & strobe
    return Blocks(frozenset(strobes), frozenset(block for block, strobe in strobes.items()
                                                if strobe not in (0, ALL_LANES)))


def kind_of(transaction: Transaction, decision: Decision, blocks: Blocks) -> str:
    """One of :data:`KINDS`."""
    access = "write" if transaction.is_write else "read"
    if decision.violation is not None:
        return f"denied {access}"
    if decision.slot is None:
        return f"plain {access}"
    if not transaction.is_write:
        return "encrypted read"
    return "partial write" if blocks.partly else "line write"
