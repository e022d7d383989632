"""A simulated platform that the golden model follows, with the same raw words and commands: no difference is good."""

from typing import Self

from cbit_model.sev.constants import Status
from cbit_model.sev.ports import AccessError, EntropyFailedError
from cbit_sim.platform_run import PLATFORM_CONFIG
from cbit_sim.sev_fuzz.key_search import KeySearch
from cbit_sim.sev_host import SevHost
from cbit_sim.sev_model import ModelPlatform
from cbit_sim.simulated_platform import SimulatedPlatform
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES

__all__ = ["FollowedPlatform"]

_SCRATCH_BYTES = 1 << 14
_UP = 0x780
"""Of BOOT_STATUS: the host is released, and has been told so; secret and entropy are known to all."""


class _FollowedEntropy:
    """The raw words that the gateware has taken; the model may take no others."""

    def __init__(self, platform: SimulatedPlatform) -> None:
        self._platform = platform
        self._words: list[int] = []
        self._taken = 0
        self.failed = False

    def take(self) -> int:
        if self.failed:
            raise EntropyFailedError
        if self._taken == len(self._words):
            self._words = self._platform.entropy_words()
        assert self._taken < len(self._words), "the model takes a raw word that the gateware has not"
        self._taken += 1
        return self._words[self._taken - 1]

    def require_all_taken(self) -> None:
        taken = len(self._platform.entropy_words())
        assert self._taken == taken, f"the gateware has taken {taken} raw words, the model {self._taken}"


class FollowedPlatform:
    """Both, after their boot, as one host drives them.

    After each command status, all of DRAM, what the host reads of the mailbox, and raw words taken are compared, and
    what has changed in DRAM is searched for every key that there has ever been.

    Parameters
    ----------
    seed : :class:`int`
        Of the simulated platform.

    Members
    -------
    memory : :class:`FollowedPlatform`
        Both memories: :meth:`read` and :meth:`write`.
    host : :class:`~cbit_sim.sev_host.SevHost`
        Their host.
    platform : :class:`~cbit_sim.simulated_platform.SimulatedPlatform`
        The gateware.
    model : :class:`~cbit_sim.sev_model.ModelPlatform`
        The model.
    keys : :class:`~cbit_sim.sev_fuzz.key_search.KeySearch`
        All keys so far.
    """

    def __init__(self, seed: int) -> None:
        self.platform = SimulatedPlatform(seed)
        self._entropy = _FollowedEntropy(self.platform)
        self.model = ModelPlatform(size_bytes=PLATFORM_MEMORY_BYTES, entropy=self._entropy)
        self.keys = KeySearch(self.model)
        self.memory = self
        self.host = SevHost(self, self._mailbox, scratch=PLATFORM_MEMORY_BYTES - _SCRATCH_BYTES)
        self._dram = bytearray(PLATFORM_MEMORY_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.platform.close()

    def read(self, address: int, length: int, asid: int) -> bytes:
        """What both show. Raises :class:`~cbit_model.sev.ports.AccessError` where both do, or where no bus leads."""
        if address >> PLATFORM_CONFIG.addr_width:
            raise AccessError(f"No bus leads to {address:#x}")
        try:
            expected: bytes | None = self.model.memory.read(address, length, asid)
        except AccessError:
            expected = None
        try:
            content: bytes | None = self.platform.memory.read(address, length, asid)
        except AccessError:
            content = None
        assert content == expected, f"a read at {address:#x} differs"
        if content is None:
            raise AccessError(f"Memory denies a read at {address:#x} under ASID {asid}")
        return content

    def write(self, address: int, data: bytes, asid: int) -> None:
        """Writes both. Raises :class:`~cbit_model.sev.ports.AccessError`, and writes neither, where the model does."""
        self.model.memory.write(address, data, asid)
        self.platform.memory.write(address, data, asid)

    def flush_caches(self) -> None:
        """The host has written back and invalidated all its caches."""
        self.model.flush_caches()
        self.platform.flush_caches()

    def _mailbox(self, word: int, buffer: int) -> int:
        number = word >> 16
        self.keys.before(number, buffer)
        response = self.platform.mailbox(word, buffer)
        expected = self.model.psp.mailbox(word, buffer)
        status = Status(response & 0xFFFF)
        assert response == expected, \
            f"command {number:#x}: gateware {status.name}, model {Status(expected & 0xFFFF).name}"
        self._entropy.require_all_taken()
        self._compare_registers(response, buffer)
        pages = self.platform.changes()
        for start, content in pages.items():
            self._dram[start:start + len(content)] = content
        assert self._dram == self.model.memory.dram, f"command {number:#x}: memory differs"
        self.keys.update()
        for start, content in pages.items():
            self.keys.search(content)
            self.keys.search(self.model.memory.read(1 << self.model.memory.c_bit | start, len(content), 0))
        return response

    def _compare_registers(self, response: int, buffer: int) -> None:
        """The mailbox holds what the host has written, and the answer."""
        expected = {"INTERRUPT_ENABLE": 2, "INTERRUPT_STATUS": 0, "COMMAND": response, "FEATURE": 1, "BOOT_STATUS": _UP,
                    "BUFFER_LOW": buffer & 0xFFFF_FFFF, "BUFFER_HIGH": buffer >> 32}
        assert self.platform.registers() == expected
