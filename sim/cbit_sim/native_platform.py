"""A platform with the firmware in this process, among memory, engine and entropy of the golden model, and its host."""

from cbit_model.sev.memory import SeededEntropy
from cbit_model.sev.owner.development import DEVELOPMENT_DEVICE_SECRET
from cbit_model.sev.ports import EntropySource
from cbit_model.sev.psp import DONE, command_of
from cbit_sim.local_platform import LocalPlatform
from cbit_sim.native_firmware import NativeFirmware
from cbit_sim.psp_surroundings import ModelSurroundings, RefusingMemory
from cbit_sim.sev_host import SevHost

__all__ = ["NativePlatform"]

_C_BIT = 47
_ASIDS = 16
_SCRATCH_BYTES = 1 << 14
_BOOTED = 0x80


class NativePlatform(LocalPlatform):
    """A firmware that has booted, and its host. There is one in a process at a time.

    Parameters
    ----------
    seed : :class:`int`
        Of the entropy.
    size_bytes : :class:`int`
        Bytes of DRAM. The host's scratch memory is its last 16 KB.
    entropy : :class:`~cbit_model.sev.ports.EntropySource`
        In the place of a seeded one.

    Members
    -------
    memory : :class:`~cbit_model.sev.memory.EncryptedMemory`
        DRAM and engine.
    host : :class:`~cbit_sim.sev_host.SevHost`
        The host.

    Raises
    ------
    cbit_sim.firmware_build.FirmwareError
        If the firmware can not be compiled.
    """

    def __init__(self, seed: int = 1, *, size_bytes: int = 1 << 20, entropy: EntropySource | None = None) -> None:
        memory = RefusingMemory(size_bytes=size_bytes, c_bit=_C_BIT, asid_count=_ASIDS)
        super().__init__(memory)
        self._surroundings = ModelSurroundings(memory=memory, source=entropy or SeededEntropy(seed),
                                               asid_count=_ASIDS, device_secret=DEVELOPMENT_DEVICE_SECRET)
        self._firmware = NativeFirmware(self._surroundings)
        assert self._firmware.boot_code == _BOOTED, f"the firmware ends its boot with {self._firmware.boot_code:#x}"
        self.host = SevHost(self.memory, self._mailbox, scratch=size_bytes - _SCRATCH_BYTES)

    def flush_caches(self) -> None:
        """The host has written back and invalidated all its caches."""
        self._surroundings.caches_flushed = True

    def _mailbox(self, word: int, buffer: int) -> int:
        return DONE | self._firmware.command(command_of(word), buffer)
