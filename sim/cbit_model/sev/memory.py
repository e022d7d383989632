"""Memory behind an encryption engine, and a source of entropy: what a PSP works on where no gateware is."""

import random
from collections.abc import Sequence

from cbit_model.sev.ports import AccessError, EntropyFailedError, SlotError
from cbit_model.slots import KeySlots
from cbit_model.xts import XtsKey

__all__ = ["EncryptedMemory", "SeededEntropy"]

_BLOCK_BYTES = 16


class EncryptedMemory:
    """DRAM and the engine before it. Accesses with the C-bit are encrypted under the key of their ASID.

    Parameters
    ----------
    size_bytes : :class:`int`
        Bytes of DRAM, a multiple of 4096.
    c_bit : :class:`int`
        The C-bit's position in an address.
    asid_count : :class:`int`
        Key slots.
    data_unit_bytes : :class:`int`
        Bytes of an XTS data unit.

    Members
    -------
    dram : :class:`bytearray`
        What an attacker at the DRAM sees.
    broken : :class:`list` of :class:`range`
        Addresses without C-bit that answer with an error.
    read_only : :class:`list` of :class:`range`
        Those that answer only writes with an error.
    """

    def __init__(self, *, size_bytes: int, c_bit: int = 47, asid_count: int = 16, data_unit_bytes: int = 64) -> None:
        if size_bytes <= 0 or size_bytes % 4096:
            raise ValueError(f"size_bytes must be a positive multiple of 4096, not {size_bytes}")
        self.dram = bytearray(size_bytes)
        self.broken: list[range] = []
        self.read_only: list[range] = []
        self.c_bit = c_bit
        self.data_unit_bytes = data_unit_bytes
        self.slots = KeySlots(count=asid_count, key_bits=128)

    def read(self, address: int, length: int, asid: int) -> bytes:
        """Bytes at an address, its C-bit included. Raises :class:`~cbit_model.sev.ports.AccessError`."""
        begin, key = self._decide(address, length, asid)
        if key is None:
            return bytes(self.dram[begin:begin + length])
        first, last = _blocks(begin, length)
        plain = key.decrypt(self.dram[first:last], address=first, data_unit_bytes=self.data_unit_bytes)
        return plain[begin - first:begin - first + length]

    def write(self, address: int, data: bytes, asid: int) -> None:
        """The inverse. Raises :class:`~cbit_model.sev.ports.AccessError`, and changes nothing then."""
        begin, key = self._decide(address, len(data), asid, self.read_only)
        if key is None:
            self.dram[begin:begin + len(data)] = data
            return
        first, last = _blocks(begin, len(data))
        plain = bytearray(key.decrypt(self.dram[first:last], address=first, data_unit_bytes=self.data_unit_bytes))
        plain[begin - first:begin - first + len(data)] = data
        self.dram[first:last] = key.encrypt(plain, address=first, data_unit_bytes=self.data_unit_bytes)

    def install(self, slot: int, key: bytes, tweak_key: bytes) -> None:
        """Makes an empty slot active. Raises :class:`~cbit_model.sev.ports.SlotError`."""
        try:
            self.slots.install(slot, key, tweak_key)
        except ValueError as error:
            raise SlotError(str(error)) from error

    def retire(self, slot: int) -> None:
        """Erases an active slot. Raises :class:`~cbit_model.sev.ports.SlotError`."""
        try:
            self.slots.retire(slot)
        except ValueError as error:
            raise SlotError(str(error)) from error

    def _decide(self, address: int, length: int, asid: int, besides: Sequence[range] = ()) -> tuple[int, XtsKey | None]:
        """The address in DRAM and the key, if any; ``besides`` answers with an error, too."""
        begin = address & ~(1 << self.c_bit)
        end = begin + length
        if end > len(self.dram) or any(begin < hole.stop and hole.start < end for hole in (*self.broken, *besides)):
            raise AccessError(f"No memory answers at {address:#x}")
        private = begin != address
        if (private or asid) and asid not in self.slots.active:
            raise AccessError(f"No key is active under ASID {asid}")
        return begin, self.slots.key(asid) if private else None


class SeededEntropy:
    """A source of entropy that is none: pseudorandom words, the same for the same seed. For simulation only.

    Members
    -------
    failed : :class:`bool`
        May be set, as a health test would.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.failed = False

    def take(self) -> int:
        """The next word. Raises :class:`~cbit_model.sev.ports.EntropyFailedError` once failed."""
        if self.failed:
            raise EntropyFailedError
        return self._random.getrandbits(32)


def _blocks(begin: int, length: int) -> tuple[int, int]:
    return begin // _BLOCK_BYTES * _BLOCK_BYTES, -(-(begin + length) // _BLOCK_BYTES) * _BLOCK_BYTES
