"""Commands for the life of a guest (SEV API, chapter 6): its ASID, its status, its end."""

from cbit_model.sev.call import Call
from cbit_model.sev.constants import PlatformState, Status
from cbit_model.sev.guest import Guest
from cbit_model.sev.ports import SlotError
from cbit_model.sev.refusal import RefusedError, require
from cbit_model.sev.state import PspState

__all__ = ["activate", "deactivate", "decommission", "guest_status"]


def activate(state: PspState, call: Call, guest: Guest) -> None:
    """ACTIVATE."""
    asid = call.number("asid")
    require(1 <= asid < state.asid_count, Status.INVALID_ASID)
    require(not guest.asid, Status.ACTIVE)
    require(all(other.asid != asid for other in state.guests.values()), Status.ASID_OWNED)
    require(asid not in state.dirty_asids, Status.DF_FLUSH_REQUIRED)
    try:
        state.slots.install(asid, guest.key, guest.tweak_key)
    except SlotError:
        raise RefusedError(Status.HARDWARE_ERROR_PLATFORM) from None
    guest.asid = asid


def deactivate(state: PspState, _call: Call, guest: Guest) -> None:
    """DEACTIVATE."""
    require(guest.asid != 0, Status.INACTIVE)
    state.deactivate(guest)


def decommission(state: PspState, _call: Call, guest: Guest) -> None:
    """DECOMMISSION."""
    state.forget(guest)
    if not state.guests:
        state.platform = PlatformState.INIT


def guest_status(_state: PspState, call: Call, guest: Guest) -> None:
    """GUEST_STATUS."""
    call.output(policy=guest.policy, asid=guest.asid, state=guest.state)
