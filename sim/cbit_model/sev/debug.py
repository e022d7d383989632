"""Commands that show a guest's memory where its owner allows it (SEV API, chapter 7)."""

from cbit_model.sev.call import Call
from cbit_model.sev.constants import PIECE_BYTES, Policy, Status
from cbit_model.sev.guest import Guest
from cbit_model.sev.refusal import require
from cbit_model.sev.state import BLOCK_BYTES, PspState

__all__ = ["dbg_decrypt", "dbg_encrypt"]


def dbg_decrypt(state: PspState, call: Call, guest: Guest) -> None:
    """DBG_DECRYPT."""
    source, destination, length = _fields(call, guest)
    state.require_guest_range(guest, source, length)
    state.require_host_blocks(destination, length)
    for offset in range(0, length, PIECE_BYTES):
        piece = state.read_guest(guest, source + offset, min(PIECE_BYTES, length - offset))
        state.write_host(destination + offset, piece)


def dbg_encrypt(state: PspState, call: Call, guest: Guest) -> None:
    """DBG_ENCRYPT."""
    source, destination, length = _fields(call, guest)
    state.require_host_blocks(source, length)
    state.require_guest_range(guest, destination, length)
    for offset in range(0, length, PIECE_BYTES):
        piece = state.read_host(source + offset, min(PIECE_BYTES, length - offset))
        state.write_guest(guest, destination + offset, piece)


def _fields(call: Call, guest: Guest) -> tuple[int, int, int]:
    """Source, destination and length, once everything about the guest and the length is right."""
    require(not guest.policy & Policy.NO_DEBUG, Status.POLICY_FAILURE)
    require(guest.asid != 0, Status.INACTIVE)
    call.require_reserved()
    length = call.number("length")
    require(length > 0 and length % BLOCK_BYTES == 0, Status.INVALID_LENGTH)
    return call.number("source"), call.number("destination"), length
