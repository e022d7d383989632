"""What the five channels of AXI4 carry."""

from functools import lru_cache
from typing import NamedTuple

from cbit_model.access import BeatLanes, Burst, burst_beats

__all__ = ["CHANNELS", "Address", "Payload", "ReadData", "WriteData", "WriteResponse", "lanes_of"]


class Address(NamedTuple):
    """A beat of AW or AR; fields are AMBA's."""

    id: int
    addr: int
    len: int
    size: int = 4
    burst: int = 1
    lock: int = 0
    cache: int = 0
    prot: int = 0
    qos: int = 0
    region: int = 0
    user: int = 0


class WriteData(NamedTuple):
    """A beat of W. Byte *i* is bits *8i+7..8i* of ``data`` and bit *i* of ``strb``."""

    data: int
    strb: int
    last: int


class WriteResponse(NamedTuple):
    """A beat of B."""

    id: int
    resp: int


class ReadData(NamedTuple):
    """A beat of R."""

    id: int
    data: int
    resp: int
    last: int


Payload = Address | WriteData | WriteResponse | ReadData

CHANNELS: dict[str, type[Payload]] = {"aw": Address, "w": WriteData, "b": WriteResponse, "ar": Address, "r": ReadData}
"""The channels of a port, and their beats."""


def lanes_of(address: Address, bus_bytes: int) -> tuple[BeatLanes, ...]:
    """The bytes of each beat of a well-formed burst on a bus of so many bytes."""
    return _lanes(address.addr, address.len + 1, address.size, address.burst, bus_bytes)


@lru_cache(maxsize=1 << 12)
def _lanes(address: int, length: int, size: int, burst: int, bus_bytes: int) -> tuple[BeatLanes, ...]:
    return tuple(burst_beats(address, length, size, Burst(burst), bus_bytes))
