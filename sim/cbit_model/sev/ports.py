"""What the PSP of the model needs of its surroundings, and how these fail."""

from typing import Protocol

__all__ = ["AccessError", "EntropyFailedError", "EntropySource", "KeySlotPort", "MemoryPort", "SlotError"]


class AccessError(Exception):
    """Memory or the engine answered an access with an error."""


class SlotError(Exception):
    """The engine refused a command to a key slot."""


class EntropyFailedError(Exception):
    """A health test of the source of entropy has failed."""


class MemoryPort(Protocol):
    """Memory as the engine shows it."""

    def read(self, address: int, length: int, asid: int) -> bytes:
        """Bytes at an address, its C-bit included, under an ASID. Raises :class:`AccessError`."""

    def write(self, address: int, data: bytes, asid: int) -> None:
        """The inverse. Raises :class:`AccessError`."""


class KeySlotPort(Protocol):
    """The engine's key slots."""

    def install(self, slot: int, key: bytes, tweak_key: bytes) -> None:
        """Makes an empty slot active. Raises :class:`SlotError`."""

    def retire(self, slot: int) -> None:
        """Ends the use of an active slot and erases it. Raises :class:`SlotError`."""


class EntropySource(Protocol):
    """Raw random words with health tests."""

    @property
    def failed(self) -> bool:
        """Whether a health test has ever failed."""

    def take(self) -> int:
        """The next word of 32 bits. Raises :class:`EntropyFailedError`."""
