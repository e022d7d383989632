"""What a security processor is joined to, made of the golden model: for the firmware in a process of this machine."""

import dataclasses

from cbit.csr.map import register
from cbit_model.sev.memory import EncryptedMemory
from cbit_model.sev.ports import AccessError, EntropyFailedError, EntropySource, SlotError
from cbit_sim.native_firmware import DramRegisters

__all__ = ["ModelSurroundings", "RefusingMemory", "result_code"]

_PAGE_BYTES = 4096


def result_code(name: str) -> int:
    """A result of the engine's commands as its register has it."""
    (field,) = (field for field in register("psp", "COMMAND_STATUS").fields if field.name == "RESULT")
    return field.values[name]


class RefusingMemory(EncryptedMemory):
    """The same that knows what was accessed, and whose engine refuses commands where it is told to.

    Members
    -------
    refuses : :class:`bool`
        Whether it does.
    reads, writes : :class:`list`
        Accesses that were good: address without C-bit, address past it, ASID, and whether the C-bit was set.
    """

    def __init__(self, *, size_bytes: int, c_bit: int, asid_count: int) -> None:
        super().__init__(size_bytes=size_bytes, c_bit=c_bit, asid_count=asid_count)
        self.refuses = False
        self.reads: list[tuple[int, int, int, bool]] = []
        self.writes: list[tuple[int, int, int, bool]] = []

    def read(self, address: int, length: int, asid: int) -> bytes:
        """As before."""
        data = super().read(address, length, asid)
        self.reads.append(self._access(address, length, asid))
        return data

    def write(self, address: int, data: bytes, asid: int) -> None:
        """As before."""
        super().write(address, data, asid)
        self.writes.append(self._access(address, len(data), asid))

    def install(self, slot: int, key: bytes, tweak_key: bytes) -> None:
        """As before."""
        self._require_willing()
        super().install(slot, key, tweak_key)

    def retire(self, slot: int) -> None:
        """As before."""
        self._require_willing()
        super().retire(slot)

    def _require_willing(self) -> None:
        if self.refuses:
            raise SlotError("refused")

    def _access(self, address: int, length: int, asid: int) -> tuple[int, int, int, bool]:
        begin = address & ~(1 << self.c_bit)
        return begin, begin + length, asid, begin != address


@dataclasses.dataclass(kw_only=True)
class ModelSurroundings:
    """Surroundings of :class:`cbit_sim.native_firmware.NativeFirmware`.

    Parameters
    ----------
    memory : :class:`RefusingMemory`
        Memory and the engine before it.
    source : :class:`~cbit_model.sev.ports.EntropySource`
        Raw words.
    device_secret : :class:`bytes`
        32 bytes.
    asid_count : :class:`int`
        As of the engine.
    engine_is_well, engine_opens : :class:`bool`
        Whether its self-test has passed, and whether it opens.
    caches_flushed : :class:`bool`
        Whether they were since the firmware last set this to false.
    dram : :class:`~cbit_sim.native_firmware.DramRegisters` or :data:`None`
        If there is DRAM that has to be leveled.
    """

    memory: RefusingMemory
    source: EntropySource
    device_secret: bytes
    asid_count: int
    tsme: bool = False
    engine_is_well: bool = True
    engine_opens: bool = True
    caches_flushed: bool = False
    dram: DramRegisters | None = None

    @property
    def c_bit(self) -> int:
        """Position of the C-bit."""
        return self.memory.c_bit

    @property
    def memory_pages(self) -> int:
        """Pages of 4096 bytes."""
        return len(self.memory.dram) // _PAGE_BYTES

    @property
    def entropy_failed(self) -> bool:
        """Whether a health test has failed."""
        return self.source.failed

    def read(self, address: int, asid: int, length: int) -> bytes | None:
        """Memory as the engine shows it, or :data:`None` for an error."""
        try:
            return self.memory.read(address, length, asid)
        except AccessError:
            return None

    def write(self, address: int, asid: int, data: bytes) -> bool:
        """Whether memory has taken it."""
        try:
            self.memory.write(address, data, asid)
        except AccessError:
            return False
        return True

    def entropy(self) -> int | None:
        """A raw word, or :data:`None` if the source fails."""
        try:
            return self.source.take()
        except EntropyFailedError:
            return None

    def install(self, slot: int, data_key: bytes, tweak_key: bytes) -> int:
        """The engine's result."""
        try:
            self.memory.install(slot, data_key, tweak_key)
        except SlotError:
            return result_code("SLOT_STATE")
        return result_code("OK")

    def retire(self, slot: int) -> int:
        """The engine's result."""
        try:
            self.memory.retire(slot)
        except SlotError:
            return result_code("SLOT_STATE")
        return result_code("OK")

    def self_test(self) -> bool:
        """Whether the engine is well."""
        return self.engine_is_well

    def open_engine(self, *, tsme: bool) -> bool:
        """Whether it opens, with the mode that the strap says."""
        return self.engine_opens and tsme == self.tsme
