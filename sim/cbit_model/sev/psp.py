"""The PSP as its host sees it: takes commands, gives statuses."""

from collections.abc import Callable

from cbit_model.sev import activation, debug, launch, platform
from cbit_model.sev.call import Call
from cbit_model.sev.constants import Command, GuestState, PlatformState, Status
from cbit_model.sev.drbg import Drbg
from cbit_model.sev.guest import Guest
from cbit_model.sev.identity import Chip
from cbit_model.sev.layouts import COMMAND_BUFFERS
from cbit_model.sev.ports import AccessError, EntropyFailedError, EntropySource, KeySlotPort, MemoryPort
from cbit_model.sev.refusal import RefusedError, require
from cbit_model.sev.state import PspState

__all__ = ["DONE", "GUEST_STATES", "PLATFORM_STATES", "Psp", "command_of"]

DONE = 1 << 31
"""The bit of the response that says that a command is done."""

_UNINIT, _INIT, _WORKING = PlatformState.UNINIT, PlatformState.INIT, PlatformState.WORKING
_INITIALIZED = frozenset({_INIT, _WORKING})

PLATFORM_STATES: dict[Command, frozenset[PlatformState]] = {
    Command.INIT: frozenset({_UNINIT}),
    Command.SHUTDOWN: _INITIALIZED,
    Command.PLATFORM_RESET: frozenset({_UNINIT}),
    Command.PLATFORM_STATUS: frozenset(PlatformState),
    Command.PEK_GEN: frozenset({_INIT}),
    Command.PEK_CSR: frozenset({_INIT}),
    Command.PEK_CERT_IMPORT: frozenset({_INIT}),
    Command.PDH_CERT_EXPORT: _INITIALIZED,
    Command.PDH_GEN: _INITIALIZED,
    Command.DF_FLUSH: _INITIALIZED,
    Command.GET_ID: frozenset(PlatformState),
    Command.LAUNCH_START: _INITIALIZED,
}
"""Where a command is allowed; those of guests that are not here, in WORKING."""

_ALIVE = frozenset(GuestState) - {GuestState.UNINIT}

GUEST_STATES: dict[Command, frozenset[GuestState]] = {
    Command.DECOMMISSION: _ALIVE,
    Command.ACTIVATE: _ALIVE,
    Command.DEACTIVATE: _ALIVE,
    Command.GUEST_STATUS: _ALIVE,
    Command.LAUNCH_UPDATE_DATA: frozenset({GuestState.LUPDATE}),
    Command.LAUNCH_MEASURE: frozenset({GuestState.LUPDATE}),
    Command.LAUNCH_SECRET: frozenset({GuestState.LSECRET}),
    Command.LAUNCH_FINISH: frozenset({GuestState.LSECRET}),
    Command.ATTESTATION: frozenset({GuestState.RUNNING}),
    Command.DBG_DECRYPT: frozenset({GuestState.RUNNING}),
    Command.DBG_ENCRYPT: frozenset({GuestState.RUNNING}),
}
"""Where in a guest's life a command with its handle is allowed."""

_WITHOUT_BUFFER: dict[Command, Callable[[PspState], None]] = {
    Command.SHUTDOWN: platform.shutdown,
    Command.PLATFORM_RESET: platform.platform_reset,
    Command.PEK_GEN: platform.pek_gen,
    Command.PDH_GEN: platform.pdh_gen,
    Command.DF_FLUSH: platform.df_flush,
}

_WITH_BUFFER: dict[Command, Callable[[PspState, Call], None]] = {
    Command.INIT: platform.init,
    Command.PLATFORM_STATUS: platform.platform_status,
    Command.PEK_CSR: platform.pek_csr,
    Command.PEK_CERT_IMPORT: platform.pek_cert_import,
    Command.PDH_CERT_EXPORT: platform.pdh_cert_export,
    Command.GET_ID: platform.get_id,
    Command.LAUNCH_START: launch.launch_start,
}

_OF_GUEST: dict[Command, Callable[[PspState, Call, Guest], None]] = {
    Command.DECOMMISSION: activation.decommission,
    Command.ACTIVATE: activation.activate,
    Command.DEACTIVATE: activation.deactivate,
    Command.GUEST_STATUS: activation.guest_status,
    Command.LAUNCH_UPDATE_DATA: launch.launch_update_data,
    Command.LAUNCH_MEASURE: launch.launch_measure,
    Command.LAUNCH_SECRET: launch.launch_secret,
    Command.LAUNCH_FINISH: launch.launch_finish,
    Command.ATTESTATION: launch.attestation,
    Command.DBG_DECRYPT: debug.dbg_decrypt,
    Command.DBG_ENCRYPT: debug.dbg_encrypt,
}


def command_of(word: int) -> int:
    """The number of a command in a word as the host writes it, whose bit 31 is ignored."""
    return word >> 16 & 0x7FFF


class Psp:
    """A PSP from its boot on: it has put a fresh SME key into slot 0.

    Given the same entropy and the same commands on the same memory, it gives the same bytes.

    Parameters
    ----------
    memory : :class:`~cbit_model.sev.ports.MemoryPort`
        Memory through the engine.
    slots : :class:`~cbit_model.sev.ports.KeySlotPort`
        The engine's key slots.
    entropy : :class:`~cbit_model.sev.ports.EntropySource`
        Raw random words.
    device_secret : :class:`bytes`
        32 bytes, of which the CEK and the ID are made.
    memory_bytes : :class:`int`
        Bytes of DRAM, a multiple of 4096, at most 2^c_bit.
    c_bit : :class:`int`
        The C-bit's position in an address.
    asid_count : :class:`int`
        ASIDs of the engine, 0 among them.

    Raises
    ------
    EntropyFailedError, SlotError
        If it can not boot.
    ValueError
        If the memory or the secret is of another size.
    """

    def __init__(self, *, memory: MemoryPort, slots: KeySlotPort, entropy: EntropySource, device_secret: bytes,
                 memory_bytes: int, c_bit: int = 47, asid_count: int = 16) -> None:
        drbg = Drbg(entropy)
        self._host_keys = drbg.key_pair()
        slots.install(0, *self._host_keys)
        self.state = PspState(memory=memory, slots=slots, drbg=drbg, chip=Chip(device_secret),
                              memory_bytes=memory_bytes, c_bit=c_bit, asid_count=asid_count)

    def mailbox(self, word: int, buffer: int) -> int:
        """The response to a command word as the host writes it: bit 31 and the status."""
        return DONE | self.command(command_of(word), buffer)

    def command(self, number: int, buffer: int = 0) -> Status:
        """Carries out a command, whose buffer lies at an address, and gives its status."""
        if number not in set(Command):
            return Status.INVALID_COMMAND
        try:
            self._carry_out(Command(number), buffer)
        except RefusedError as refusal:
            return refusal.status
        except AccessError:
            return Status.INVALID_ADDRESS
        except EntropyFailedError:
            return Status.HARDWARE_ERROR_PLATFORM
        return Status.SUCCESS

    def flush_caches(self) -> None:
        """The host has written back and invalidated all its caches."""
        self.state.caches_flushed = True

    def secrets(self) -> list[bytes]:
        """Every secret that the PSP holds and no one may see; its own of the host's memory among them."""
        return [*self._host_keys, *self.state.secrets()]

    def _carry_out(self, command: Command, buffer: int) -> None:
        require(command in {**_WITHOUT_BUFFER, **_WITH_BUFFER, **_OF_GUEST}, Status.UNSUPPORTED)
        allowed = PLATFORM_STATES.get(command, frozenset({_WORKING}))
        require(self.state.platform in allowed, Status.INVALID_PLATFORM_STATE)
        if command in _WITHOUT_BUFFER:
            _WITHOUT_BUFFER[command](self.state)
            return
        call = self._call(command, buffer)
        try:
            if command in _WITH_BUFFER:
                _WITH_BUFFER[command](self.state, call)
            else:
                _OF_GUEST[command](self.state, call, self._guest(command, call))
        except RefusedError as refusal:
            call.output(**refusal.outputs)
            raise

    def _call(self, command: Command, buffer: int) -> Call:
        layout = COMMAND_BUFFERS[command]
        self.state.require_host_blocks(buffer, layout.size)
        content = self.state.read_host(buffer, layout.size)
        return Call(layout, content, lambda offset, data: self.state.write_host(buffer + offset, data))

    def _guest(self, command: Command, call: Call) -> Guest:
        guest = self.state.guests.get(call.number("handle"))
        if guest is None:
            raise RefusedError(Status.INVALID_GUEST)
        require(guest.state in GUEST_STATES[command], Status.INVALID_GUEST_STATE)
        return guest
