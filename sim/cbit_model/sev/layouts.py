"""Structures that lie in memory: where each field is. Little-endian, packed."""

import dataclasses
from collections.abc import Mapping

from cbit_model.sev.constants import Command

__all__ = ["COMMAND_BUFFERS", "REPORT", "SECRET_HEADER", "SESSION", "SIGNED_REPORT_BYTES", "Layout"]


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """A structure of fixed size.

    Parameters
    ----------
    size : :class:`int`
        Bytes of the whole.
    numbers : mapping from :class:`str` to pairs of :class:`int`
        Fields that are numbers: offset and bytes.
    strings : mapping from :class:`str` to pairs of :class:`int`
        Fields that are bytes: offset and bytes.
    reserved : sequence of pairs of :class:`int`
        What must be zero: offset and bytes.
    """

    size: int
    numbers: Mapping[str, tuple[int, int]] = dataclasses.field(default_factory=dict)
    strings: Mapping[str, tuple[int, int]] = dataclasses.field(default_factory=dict)
    reserved: tuple[tuple[int, int], ...] = ()

    def number(self, content: bytes, name: str) -> int:
        """The value of a field that is a number."""
        offset, size = self.numbers[name]
        return int.from_bytes(content[offset:offset + size], "little")

    def string(self, content: bytes, name: str) -> bytes:
        """The bytes of a field that is bytes."""
        offset, size = self.strings[name]
        return content[offset:offset + size]

    def reserved_is_zero(self, content: bytes) -> bool:
        """Whether everything reserved is zero."""
        return not any(any(content[offset:offset + size]) for offset, size in self.reserved)

    def pack(self, **fields: int | bytes) -> bytes:
        """A structure with some of its fields, all else zero.

        Raises
        ------
        ValueError
            If there is no such field, or the value does not fit.
        """
        content = bytearray(self.size)
        for name, value in fields.items():
            offset, size = self._place(name)
            if isinstance(value, int):
                if not 0 <= value < 1 << 8 * size:
                    raise ValueError(f"{name} must be from 0 to below 2^{8 * size}, not {value}")
                value = value.to_bytes(size, "little")
            if len(value) != size:
                raise ValueError(f"{name} must be {size} bytes, not {len(value)}")
            content[offset:offset + size] = value
        return bytes(content)

    def _place(self, name: str) -> tuple[int, int]:
        places = {**self.numbers, **self.strings}
        if name not in places:
            raise ValueError(f"Field must be one of {', '.join(places)}, not {name!r}")
        return places[name]


_HANDLE = Layout(0x04, {"handle": (0, 4)})
_BLOB = Layout(0x0C, {"address": (0, 8), "length": (8, 4)})
_RANGE = Layout(0x14, {"handle": (0, 4), "address": (8, 8), "length": (0x10, 4)}, reserved=((4, 4),))
_DEBUG = Layout(0x1C, {"handle": (0, 4), "source": (8, 8), "destination": (0x10, 8), "length": (0x18, 4)},
                reserved=((4, 4),))

COMMAND_BUFFERS: dict[Command, Layout] = {
    Command.INIT: Layout(0x14, {"flags": (0, 4), "tmr_address": (8, 8), "tmr_length": (0x10, 4)}, reserved=((4, 4),)),
    Command.PLATFORM_STATUS: Layout(0x0C, {
        "api_major": (0, 1), "api_minor": (1, 1), "state": (2, 1), "owner": (3, 1), "config": (4, 4),
        "guests": (8, 4)}),
    Command.PEK_CSR: _BLOB,
    Command.PEK_CERT_IMPORT: Layout(0x1C, {
        "pek_address": (0, 8), "pek_length": (8, 4), "oca_address": (0x10, 8), "oca_length": (0x18, 4)},
        reserved=((0x0C, 4),)),
    Command.PDH_CERT_EXPORT: Layout(0x1C, {
        "pdh_address": (0, 8), "pdh_length": (8, 4), "chain_address": (0x10, 8), "chain_length": (0x18, 4)},
        reserved=((0x0C, 4),)),
    Command.GET_ID: _BLOB,
    Command.DECOMMISSION: _HANDLE,
    Command.ACTIVATE: Layout(0x08, {"handle": (0, 4), "asid": (4, 4)}),
    Command.DEACTIVATE: _HANDLE,
    Command.GUEST_STATUS: Layout(0x0D, {"handle": (0, 4), "policy": (4, 4), "asid": (8, 4), "state": (0x0C, 1)}),
    Command.LAUNCH_START: Layout(0x24, {
        "handle": (0, 4), "policy": (4, 4), "dh_address": (8, 8), "dh_length": (0x10, 4),
        "session_address": (0x18, 8), "session_length": (0x20, 4)}, reserved=((0x14, 4),)),
    Command.LAUNCH_UPDATE_DATA: _RANGE,
    Command.LAUNCH_MEASURE: _RANGE,
    Command.LAUNCH_SECRET: Layout(0x34, {
        "handle": (0, 4), "header_address": (8, 8), "header_length": (0x10, 4), "guest_address": (0x18, 8),
        "guest_length": (0x20, 4), "transport_address": (0x28, 8), "transport_length": (0x30, 4)},
        reserved=((4, 4), (0x14, 4), (0x24, 4))),
    Command.LAUNCH_FINISH: _HANDLE,
    Command.ATTESTATION: Layout(0x24, {"handle": (0, 4), "address": (8, 8), "length": (0x20, 4)},
                                {"mnonce": (0x10, 0x10)}, reserved=((4, 4),)),
    Command.DBG_DECRYPT: _DEBUG,
    Command.DBG_ENCRYPT: _DEBUG,
}
"""Command buffers; a command that is not here has none."""

SESSION = Layout(0x80, strings={
    "nonce": (0, 0x10), "wrapped": (0x10, 0x20), "iv": (0x30, 0x10), "wrap_mac": (0x40, 0x20),
    "policy_mac": (0x60, 0x20)})

SECRET_HEADER = Layout(0x34, {"flags": (0, 4)}, {"iv": (4, 0x10), "mac": (0x14, 0x20)})

REPORT = Layout(0xD0, {"policy": (0x30, 4), "usage": (0x34, 4), "algorithm": (0x38, 4)},
                {"mnonce": (0, 0x10), "digest": (0x10, 0x20), "r": (0x40, 0x48), "s": (0x88, 0x48)},
                reserved=((0x3C, 4),))

SIGNED_REPORT_BYTES = 0x34
"""What the PEK signs of a report: its beginning."""
