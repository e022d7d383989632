"""What travels on from the managers' port once an access has been decided."""

from amaranth.hdl import Array, Value, unsigned
from amaranth.lib import enum
from amaranth.lib.data import StructLayout

from cbit.axi.ports import Response

__all__ = ["ATTRIBUTES", "MODE", "Route", "Violation", "beat_mask", "extent_layout", "request_layout",
           "user_layout"]


MODE = StructLayout({"sme": 1, "tsme": 1, "sev": 1})
"""The mode bits that the PSP sets: SME and SEV allow encryption, TSME forces it."""


class Route(enum.Enum, shape=2):
    """Which way an access goes through the engine.

    ``DISCARDED`` is an exclusive write to encrypted memory: it fails as AXI has it, with OKAY and
    nothing written.
    """

    PLAIN = 0
    ENCRYPTED = 1
    DENIED = 2
    DISCARDED = 3


class Violation(enum.Enum, shape=3):
    """Why an access is denied, in the order in which the rules are tried; ``NONE`` if it is not."""

    NONE = 0
    MALFORMED = 1
    ADDRESS = 2
    ASID_RANGE = 3
    SEV_OFF = 4
    SLOT_INACTIVE = 5
    DMA_PRIVATE = 6
    SME_OFF = 7


def user_layout(*, asid_width: int) -> StructLayout:
    """AxUSER of the managers' port, least significant field first."""
    return StructLayout({"asid": unsigned(asid_width), "npt_c": 1, "dma": 1, "walk": 1})


ATTRIBUTES = StructLayout({"cache": 4, "prot": 3, "qos": 4, "region": 4})
"""What of an address payload passes to DRAM unchanged."""


def beat_mask(size: Value, *, widest: int) -> Value:
    """The address bits within a beat of AxSIZE ``size``; those of AxSIZE ``widest`` where it is wider than that."""
    return Array((1 << bits) - 1 for bits in range(widest + 1))[size]


def extent_layout() -> StructLayout:
    """How a burst is cut at lines of 64 bytes: the place of its last beat in its line, aligned to the beat, and the
    number of chunks that follow the first."""
    return StructLayout({"last_byte": 6, "chunks_after": 6})


def request_layout(*, c_bit: int, id_width: int, slot_width: int) -> StructLayout:
    """A decided access: ``addr`` is DRAM's, ``slot`` and ``extent`` count if it is encrypted, ``resp`` if denied."""
    return StructLayout({
        "route": Route,
        "slot": unsigned(slot_width),
        "resp": Response,
        "id": unsigned(id_width),
        "addr": unsigned(c_bit),
        "len": unsigned(8),
        "size": unsigned(3),
        "burst": unsigned(2),
        "extent": extent_layout(),
        "lock": unsigned(1),
        "attributes": ATTRIBUTES,
    })
