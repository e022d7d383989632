"""What happens to an access: the AXI4 rules it must keep, the bytes of its beats, and the decision table."""

import dataclasses
import enum
from collections.abc import Container
from typing import Final, NamedTuple

__all__ = [
    "BLOCK_BYTES", "HOST_SLOT", "Access", "BeatLanes", "Burst", "Decision", "Mode", "Response", "Violation",
    "burst_beats", "decide", "malformed",
]

BLOCK_BYTES: Final = 16
"""Bytes of an AES block, and of the narrowest data bus."""

HOST_SLOT: Final = 0
"""The key slot of the host and of pages that guests share with it."""

_PAGE_BYTES = 4096
_MAX_FIXED_BEATS = 16
_WRAP_BEATS = (2, 4, 8, 16)


class Burst(enum.IntEnum):
    """AxBURST (AMBA AXI4, A3.4.1)."""

    FIXED = 0
    INCR = 1
    WRAP = 2
    RESERVED = 3


class Response(enum.IntEnum):
    """xRESP (AMBA AXI4, A3.4.4). The greater is the worse."""

    OKAY = 0
    EXOKAY = 1
    SLVERR = 2
    DECERR = 3


class Violation(enum.IntEnum):
    """Why an access is denied.

    ``MALFORMED``
        The burst breaks a rule of AXI4 that :func:`malformed` names.
    ``ADDRESS``
        An address bit above the C-bit is set.
    ``ASID_RANGE``
        There is no such ASID.
    ``SEV_OFF``
        A guest's access while SEV is off.
    ``SLOT_INACTIVE``
        The slot of the key that the access needs is not active, or the guest's own slot is not.
    ``DMA_PRIVATE``
        A device's access to private memory of a guest.
    ``SME_OFF``
        A C-bit of the host, or of the nested page table, while SME is off.
    """

    MALFORMED = 1
    ADDRESS = 2
    ASID_RANGE = 3
    SEV_OFF = 4
    SLOT_INACTIVE = 5
    DMA_PRIVATE = 6
    SME_OFF = 7

    @property
    def response(self) -> Response:
        """What the denied access is answered with."""
        return Response.DECERR if self is Violation.ADDRESS else Response.SLVERR


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """The address phase of an AXI4 burst.

    Parameters
    ----------
    address : :class:`int`
        AxADDR, the C-bit included.
    asid : :class:`int`
        The ASID of AxUSER. 0 is the host.
    npt_c : :class:`bool`
        AxUSER: the C-bit of the nested page table's entry.
    dma : :class:`bool`
        AxUSER: from a device.
    walk : :class:`bool`
        AxUSER: from a page-table walk.
    prot : :class:`int`
        AxPROT. Bit 2 marks an instruction fetch.
    id : :class:`int`
        AxID.
    lock : :class:`bool`
        AxLOCK: an exclusive access.
    length : :class:`int`
        Beats, which is AxLEN + 1. 1 to 256.
    size : :class:`int`
        AxSIZE: log2 of the bytes of a beat. 0 to 7.
    burst : :class:`Burst`
        AxBURST.
    """

    address: int
    asid: int = HOST_SLOT
    npt_c: bool = False
    dma: bool = False
    walk: bool = False
    prot: int = 0
    id: int = 0
    lock: bool = False
    length: int = 1
    size: int = 4
    burst: Burst = Burst.INCR

    @property
    def fetch(self) -> bool:
        """Whether this is an instruction fetch (AMBA AXI4, A4.7)."""
        return bool(self.prot & 0b100)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Mode:
    """What the security processor has switched on.

    Parameters
    ----------
    sme : :class:`bool`
        The C-bit of the host means encrypted (APM vol. 2, 7.10).
    tsme : :class:`bool`
        The host's memory is encrypted whatever the C-bit says.
    sev : :class:`bool`
        Guests have keys of their own (APM vol. 2, 15.34).
    """

    sme: bool = False
    tsme: bool = False
    sev: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """What is done with an access: denied, encrypted, or else plain.

    Parameters
    ----------
    violation : :class:`Violation` or :data:`None`
        Why it is denied.
    slot : :class:`int` or :data:`None`
        The slot whose key it is encrypted with.
    """

    violation: Violation | None = None
    slot: int | None = None


class BeatLanes(NamedTuple):
    """The bytes of one beat.

    Parameters
    ----------
    container : :class:`int`
        Address of the bus-wide place that the beat lies in, a multiple of the bus's bytes.
    lanes : :class:`int`
        A bit per byte of that place that the beat carries, byte 0 least significant, as in WSTRB.
    """

    container: int
    lanes: int


def burst_beats(address: int, length: int, size: int, burst: Burst,
                bus_bytes: int = BLOCK_BYTES) -> list[BeatLanes]:
    """The beats of a well-formed burst, in the order of the bus (AMBA AXI4, A3.4.1 and A3.4.3).

    Parameters are those of :class:`Access`, and the bytes of the data bus. Only the first beat of an INCR burst, and
    every beat of a FIXED one, may begin at an address that is not aligned to the beat.
    """
    beat_bytes = 1 << size
    aligned = address & -beat_bytes
    total = beat_bytes * length
    beats = []
    start = address
    for beat in range(1, length + 1):
        first_lane = start % bus_bytes
        end_lane = (start & -beat_bytes) % bus_bytes + beat_bytes
        beats.append(BeatLanes(start - first_lane, (1 << end_lane) - (1 << first_lane)))
        if burst == Burst.INCR:
            start = aligned + beat * beat_bytes
        elif burst == Burst.WRAP:
            start = (aligned & -total) + (aligned + beat * beat_bytes) % total
    return beats


def malformed(access: Access, bus_bytes: int = BLOCK_BYTES) -> bool:
    """Whether the burst breaks a rule of AXI4 (A3.4.1): the bus's width, the kinds of burst, the 4 KiB boundary."""
    beat_bytes = 1 << access.size
    if beat_bytes > bus_bytes:
        return True
    aligned = access.address & -beat_bytes
    match access.burst:
        case Burst.FIXED:
            return access.length > _MAX_FIXED_BEATS
        case Burst.INCR:
            return aligned % _PAGE_BYTES + access.length * beat_bytes > _PAGE_BYTES
        case Burst.WRAP:
            return access.length not in _WRAP_BEATS or access.address != aligned
        case _:
            return True


def decide(access: Access, *, mode: Mode, active: Container[int], asid_count: int, c_bit: int,
           bus_bytes: int = BLOCK_BYTES) -> Decision:
    """What is done with an access. Pure: it depends on its arguments only.

    Parameters
    ----------
    access : :class:`Access`
        The access.
    mode : :class:`Mode`
        What is switched on.
    active : container of :class:`int`
        The slots that are active.
    asid_count : :class:`int`
        Number of ASIDs, the host's included.
    c_bit : :class:`int`
        Position of the C-bit.
    bus_bytes : :class:`int`
        Bytes of the data bus.
    """
    if malformed(access, bus_bytes):
        return Decision(Violation.MALFORMED)
    if access.address >> (c_bit + 1):
        return Decision(Violation.ADDRESS)
    c_bit_set = bool(access.address >> c_bit)
    if access.asid == HOST_SLOT:
        return _decide_host_key(c_bit_set, mode, active)
    if access.asid >= asid_count:
        return Decision(Violation.ASID_RANGE)
    if not mode.sev:
        return Decision(Violation.SEV_OFF)
    if access.asid not in active:
        return Decision(Violation.SLOT_INACTIVE)
    if not (c_bit_set or access.fetch or access.walk):
        return _decide_host_key(access.npt_c, mode, active)
    if access.dma:
        return Decision(Violation.DMA_PRIVATE)
    return Decision(slot=access.asid)


def _decide_host_key(host_c_bit: bool, mode: Mode, active: Container[int]) -> Decision:
    """Memory under the host's key or none: the host's own, and what guests share with it."""
    if host_c_bit and not mode.sme:
        return Decision(Violation.SME_OFF)
    if not (host_c_bit or mode.tsme):
        return Decision()
    if HOST_SLOT not in active:
        return Decision(Violation.SLOT_INACTIVE)
    return Decision(slot=HOST_SLOT)
