"""All that the PSP holds, and the checks and accesses that several commands share."""

from cbit_model.sev.constants import MEMORY_PAGE_BYTES, PlatformState, Status
from cbit_model.sev.drbg import Drbg
from cbit_model.sev.guest import Guest
from cbit_model.sev.identity import Chip, Identity
from cbit_model.sev.ports import KeySlotPort, MemoryPort, SlotError
from cbit_model.sev.ranges import PrivateRanges
from cbit_model.sev.refusal import RefusedError, require

__all__ = ["BLOCK_BYTES", "PspState"]

BLOCK_BYTES = 16


class PspState:
    """The state that commands work on.

    Parameters
    ----------
    memory : :class:`~cbit_model.sev.ports.MemoryPort`
        Memory through the engine.
    slots : :class:`~cbit_model.sev.ports.KeySlotPort`
        The engine's key slots.
    drbg : :class:`~cbit_model.sev.drbg.Drbg`
        Random numbers.
    chip : :class:`~cbit_model.sev.identity.Chip`
        The CEK and the ID.
    memory_bytes : :class:`int`
        Bytes of DRAM, a multiple of 4096, at most 2^c_bit.
    c_bit : :class:`int`
        The C-bit's position in an address.
    asid_count : :class:`int`
        ASIDs of the engine, 0 among them.

    Raises
    ------
    ValueError
        If the memory is of another size.
    """

    def __init__(self, *, memory: MemoryPort, slots: KeySlotPort, drbg: Drbg, chip: Chip, memory_bytes: int, c_bit: int,
                 asid_count: int) -> None:
        if memory_bytes <= 0 or memory_bytes % MEMORY_PAGE_BYTES:
            raise ValueError(f"memory_bytes must be a positive multiple of {MEMORY_PAGE_BYTES}, not {memory_bytes}")
        if memory_bytes > 1 << c_bit:
            raise ValueError(f"memory_bytes must be at most 2^{c_bit}, as the C-bit is bit {c_bit}, not {memory_bytes}")
        self.memory, self.slots, self.drbg, self.chip = memory, slots, drbg, chip
        self.memory_bytes, self.c_bit, self.asid_count = memory_bytes, c_bit, asid_count
        self.platform = PlatformState.UNINIT
        self.identity: Identity | None = None
        self.guests: dict[int, Guest] = {}
        self.ranges = PrivateRanges()
        self.dirty_asids: set[int] = set()
        self.caches_flushed = False
        self._last_handle = 0

    @property
    def keys(self) -> Identity:
        """The platform's keys, in a state where there are any."""
        assert self.identity is not None
        return self.identity

    def require_host_range(self, address: int, length: int) -> None:
        """Refuses what is not all in memory, or is some guest's."""
        begin = address & ~(1 << self.c_bit)
        require(begin + length <= self.memory_bytes, Status.INVALID_ADDRESS)
        require(not self.ranges.overlaps(begin, begin + length), Status.INVALID_ADDRESS)

    def require_host_blocks(self, address: int, length: int) -> None:
        """As before, and the address a multiple of 16."""
        require(address % BLOCK_BYTES == 0, Status.INVALID_ADDRESS)
        self.require_host_range(address, length)

    def require_guest_range(self, guest: Guest, address: int, length: int) -> None:
        """Refuses what is not all in memory, is another guest's, or begins within a block."""
        begin = address & ~(1 << self.c_bit)
        require(address % BLOCK_BYTES == 0 and begin + length <= self.memory_bytes, Status.INVALID_ADDRESS)
        require(not self.ranges.overlaps(begin, begin + length, besides=guest.handle), Status.INVALID_ADDRESS)

    def read_host(self, address: int, length: int) -> bytes:
        """What the host would read."""
        return self.memory.read(address, length, 0)

    def write_host(self, address: int, data: bytes) -> None:
        """Writes as the host would."""
        self.memory.write(address, data, 0)

    def read_guest(self, guest: Guest, address: int, length: int) -> bytes:
        """What the guest would read from its private memory."""
        return self.memory.read(address | 1 << self.c_bit, length, guest.asid)

    def write_guest(self, guest: Guest, address: int, data: bytes) -> None:
        """Writes as the guest would to its private memory."""
        self.memory.write(address | 1 << self.c_bit, data, guest.asid)

    def new_handle(self) -> int:
        """The next handle, which no living guest has."""
        while True:
            self._last_handle = self._last_handle % 0xFFFF_FFFF + 1
            if self._last_handle not in self.guests:
                return self._last_handle

    def deactivate(self, guest: Guest) -> None:
        """Takes a guest's key out of its slot, which then needs a flush."""
        try:
            self.slots.retire(guest.asid)
        except SlotError:
            raise RefusedError(Status.HARDWARE_ERROR_UNSAFE) from None
        self.dirty_asids.add(guest.asid)
        self.caches_flushed = False
        guest.asid = 0

    def forget(self, guest: Guest) -> None:
        """Ends a guest: its key taken out, all about it erased."""
        if guest.asid:
            self.deactivate(guest)
        del self.guests[guest.handle]
        self.ranges.forget(guest.handle)

    def secrets(self) -> list[bytes]:
        """Every secret that the PSP holds and no one may see."""
        chip = [self.chip.secret, self.chip.key.number.to_bytes(48, "big")]
        platform = self.identity.secrets() if self.identity else []
        return [*chip, *platform, *(secret for guest in self.guests.values() for secret in guest.secrets())]
