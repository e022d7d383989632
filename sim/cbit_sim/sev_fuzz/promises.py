"""What a command may end with and may write, whatever its buffer holds: the table of sim/cbit_model/sev/README.md."""

from collections.abc import Iterator

from cbit_model.sev.certificate import CERTIFICATE_BYTES
from cbit_model.sev.constants import Command, Status
from cbit_model.sev.launch import MEASUREMENT_BYTES
from cbit_model.sev.layouts import COMMAND_BUFFERS, REPORT
from cbit_model.sev.platform import CHAIN_BYTES

__all__ = ["STATUSES", "writable"]

_OF_GUESTS = {Status.SUCCESS, Status.INVALID_PLATFORM_STATE, Status.INVALID_ADDRESS, Status.INVALID_GUEST}
_OF_STATES = _OF_GUESTS | {Status.INVALID_GUEST_STATE}
_WITHOUT_BUFFER = {Status.SUCCESS, Status.INVALID_PLATFORM_STATE}
_PARAMETERS = {Status.INVALID_PARAM, Status.INVALID_LENGTH}
_DEBUG = _OF_STATES | _PARAMETERS | {Status.POLICY_FAILURE, Status.INACTIVE}

STATUSES: dict[Command, set[Status]] = {
    Command.INIT: {*_WITHOUT_BUFFER, Status.INVALID_ADDRESS, Status.INVALID_PARAM},
    Command.SHUTDOWN: _WITHOUT_BUFFER,
    Command.PLATFORM_RESET: _WITHOUT_BUFFER,
    Command.PLATFORM_STATUS: {Status.SUCCESS, Status.INVALID_ADDRESS},
    Command.PEK_GEN: {*_WITHOUT_BUFFER, Status.ALREADY_OWNED},
    Command.PEK_CSR: {*_WITHOUT_BUFFER, Status.INVALID_ADDRESS, Status.INVALID_LENGTH},
    Command.PEK_CERT_IMPORT: {*_WITHOUT_BUFFER, *_PARAMETERS, Status.INVALID_ADDRESS, Status.ALREADY_OWNED,
                              Status.INVALID_CERTIFICATE, Status.BAD_SIGNATURE},
    Command.PDH_CERT_EXPORT: {*_WITHOUT_BUFFER, *_PARAMETERS, Status.INVALID_ADDRESS},
    Command.PDH_GEN: _WITHOUT_BUFFER,
    Command.DF_FLUSH: {*_WITHOUT_BUFFER, Status.WBINVD_REQUIRED},
    Command.GET_ID: {Status.SUCCESS, Status.INVALID_ADDRESS, Status.INVALID_LENGTH},
    Command.DECOMMISSION: _OF_GUESTS,
    Command.ACTIVATE: {*_OF_GUESTS, Status.INVALID_ASID, Status.ACTIVE, Status.ASID_OWNED, Status.DF_FLUSH_REQUIRED},
    Command.DEACTIVATE: {*_OF_GUESTS, Status.INACTIVE},
    Command.GUEST_STATUS: _OF_GUESTS,
    Command.LAUNCH_START: {*_OF_GUESTS, *_PARAMETERS, Status.POLICY_FAILURE, Status.UNSUPPORTED, Status.RESOURCE_LIMIT,
                           Status.INVALID_CERTIFICATE, Status.BAD_MEASUREMENT},
    Command.LAUNCH_UPDATE_DATA: {*_OF_STATES, *_PARAMETERS, Status.INACTIVE, Status.RESOURCE_LIMIT},
    Command.LAUNCH_MEASURE: {*_OF_STATES, *_PARAMETERS},
    Command.LAUNCH_SECRET: {*_OF_STATES, *_PARAMETERS, Status.INACTIVE, Status.BAD_MEASUREMENT},
    Command.LAUNCH_FINISH: _OF_STATES,
    Command.ATTESTATION: {*_OF_STATES, *_PARAMETERS},
    Command.DBG_DECRYPT: _DEBUG,
    Command.DBG_ENCRYPT: _DEBUG,
}
"""What supported commands end with where no hardware fails."""

_FIXED: dict[Command, dict[str, int]] = {
    Command.PEK_CSR: {"address": CERTIFICATE_BYTES},
    Command.PDH_CERT_EXPORT: {"pdh_address": CERTIFICATE_BYTES, "chain_address": CHAIN_BYTES},
    Command.GET_ID: {"address": 0x40},
    Command.LAUNCH_MEASURE: {"address": MEASUREMENT_BYTES},
    Command.ATTESTATION: {"address": REPORT.size},
}
"""Outputs of a fixed length: the field with the address, and the length."""

_VARIABLE: dict[Command, tuple[str, str]] = {
    Command.LAUNCH_UPDATE_DATA: ("address", "length"),
    Command.LAUNCH_SECRET: ("guest_address", "guest_length"),
    Command.DBG_DECRYPT: ("destination", "length"),
    Command.DBG_ENCRYPT: ("destination", "length"),
}
"""Outputs whose length the command gives."""

_FIELDS: dict[Command, tuple[str, ...]] = {
    Command.PLATFORM_STATUS: ("api_major", "api_minor", "state", "owner", "config", "guests"),
    Command.GUEST_STATUS: ("policy", "asid", "state"),
    Command.LAUNCH_START: ("handle",),
}
_LENGTHS = ("length", "pdh_length", "chain_length")


def writable(command: Command, buffer_address: int, content: bytes, status: Status) -> Iterator[tuple[int, int]]:
    """Where a command may have written: addresses as given, C-bit included, and lengths."""
    layout = COMMAND_BUFFERS.get(command)
    if layout is None or status not in (Status.SUCCESS, Status.INVALID_LENGTH):
        return
    if command in _FIXED:
        yield from ((buffer_address + offset, size) for name, (offset, size) in layout.numbers.items()
                    if name in _LENGTHS)
    if status is not Status.SUCCESS:
        return
    yield from ((buffer_address + layout.numbers[name][0], layout.numbers[name][1])
                for name in _FIELDS.get(command, ()))
    yield from ((layout.number(content, name), length) for name, length in _FIXED.get(command, {}).items())
    if command in _VARIABLE:
        address, length = (layout.number(content, name) for name in _VARIABLE[command])
        yield address, length
