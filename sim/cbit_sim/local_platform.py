"""What platforms have in common that are no process of their own."""

from typing import Self

from cbit_model.sev.memory import EncryptedMemory

__all__ = ["LocalPlatform"]


class LocalPlatform:
    """A platform within this process. Used as a context it ends like one that is not.

    Parameters
    ----------
    memory : :class:`~cbit_model.sev.memory.EncryptedMemory`
        DRAM and engine.
    """

    def __init__(self, memory: EncryptedMemory) -> None:
        self.memory = memory

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def dram(self, address: int, length: int) -> bytes:
        """What an attacker at the DRAM sees."""
        return bytes(self.memory.dram[address:address + length])

    def close(self) -> None:
        """Does nothing: there is no process to end."""
