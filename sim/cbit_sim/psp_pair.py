"""The firmware beside the golden model: the same commands to both, and every difference an error."""

from collections.abc import Callable, Iterable
from typing import Protocol

from cbit_model.sev.constants import Status
from cbit_model.sev.memory import SeededEntropy
from cbit_model.sev.psp import DONE, Psp, command_of
from cbit_sim.native_firmware import NativeFirmware, Surroundings
from cbit_sim.psp_surroundings import ModelSurroundings, RefusingMemory

__all__ = ["DEVICE_SECRET", "PairMemory", "PspPair", "RunningFirmware"]

DEVICE_SECRET = bytes(range(1, 33))


class RunningFirmware(Protocol):
    """A firmware after its boot, wherever it runs.

    Members
    -------
    boot_code : :class:`int`
        How the boot has ended.
    """

    boot_code: int

    def command(self, number: int, buffer: int = 0) -> int:
        """The status of a command."""


class PairMemory:
    """Both memories, as one host writes and reads them.

    Parameters
    ----------
    memories : pair of :class:`~cbit_sim.psp_surroundings.RefusingMemory`
        The model's and the firmware's.
    """

    def __init__(self, memories: tuple[RefusingMemory, ...]) -> None:
        self._memories = memories

    def read(self, address: int, length: int, asid: int) -> bytes:
        """The bytes of the firmware's memory."""
        return self._memories[-1].read(address, length, asid)

    def write(self, address: int, data: bytes, asid: int) -> None:
        """Writes both."""
        for memory in self._memories:
            memory.write(address, data, asid)


class PspPair:
    """A model and a firmware with memory, engine and entropy of their own, which are the same.

    Parameters
    ----------
    seed : :class:`int`
        Of the raw words.
    memory_bytes : :class:`int`
        A multiple of 4096.
    c_bit, asid_count : :class:`int`
        As of an engine.
    start
        Makes a firmware run in surroundings.

    Members
    -------
    model : :class:`~cbit_model.sev.psp.Psp`
        The golden model, whose state may be looked at.
    firmware : :class:`RunningFirmware`
        The firmware, after its boot.
    memories : pair of :class:`~cbit_sim.psp_surroundings.RefusingMemory`
        The model's and the firmware's.
    memory : :class:`PairMemory`
        Both.
    """

    def __init__(self, *, seed: int, memory_bytes: int = 1 << 18, c_bit: int = 47, asid_count: int = 16,
                 start: Callable[[Surroundings], RunningFirmware] = NativeFirmware) -> None:
        self.memories = tuple(
            RefusingMemory(size_bytes=memory_bytes, c_bit=c_bit, asid_count=asid_count) for _ in range(2))
        self.memory = PairMemory(self.memories)
        self._sources = tuple(SeededEntropy(seed) for _ in range(2))
        self.model = Psp(memory=self.memories[0], slots=self.memories[0], entropy=self._sources[0],
                         device_secret=DEVICE_SECRET, memory_bytes=memory_bytes, c_bit=c_bit, asid_count=asid_count)
        self.surroundings = ModelSurroundings(memory=self.memories[1], source=self._sources[1],
                                              device_secret=DEVICE_SECRET, asid_count=asid_count)
        self.firmware = start(self.surroundings)

    def flush_caches(self) -> None:
        """The host writes all caches back and invalidates them."""
        self.model.flush_caches()
        self.surroundings.caches_flushed = True

    def break_memory(self, holes: Iterable[range] = (), *, read_only: Iterable[range] = ()) -> None:
        """Lets accesses that meet these addresses fail, or only the writes of them, and no others."""
        broken, unwritable = list(holes), list(read_only)
        for memory in self.memories:
            memory.broken, memory.read_only = broken, unwritable

    def refuse(self, *, refuses: bool) -> None:
        """Lets the engine refuse commands, or no longer."""
        for memory in self.memories:
            memory.refuses = refuses

    def fail_entropy(self, *, failed: bool) -> None:
        """Lets the health tests fail, or no longer."""
        for source in self._sources:
            source.failed = failed

    def mailbox(self, word: int, buffer: int) -> int:
        """The response to a command word as the host writes it. Errors as of :meth:`command`."""
        return DONE | self.command(command_of(word), buffer)

    def command(self, number: int, buffer: int = 0) -> Status:
        """The status of a command.

        Raises
        ------
        AssertionError
            If the two differ in status, memory, what they read and wrote of it, or what they know of caches.
        """
        for memory in self.memories:
            memory.reads.clear()
            memory.writes.clear()
        expected = self.model.command(number, buffer)
        status = self.firmware.command(number, buffer)
        assert status == expected, f"command {number:#x}: firmware {Status(status).name}, model {expected.name}"
        model, firmware = self.memories
        assert firmware.dram == model.dram, f"command {number:#x}: memory differs at {self._first_difference():#x}"
        assert _joined(firmware.reads) == _joined(model.reads), f"command {number:#x}: other reads"
        assert _joined(firmware.writes) == _joined(model.writes), f"command {number:#x}: other writes"
        assert self.surroundings.caches_flushed == self.model.state.caches_flushed
        return expected

    def leaks(self) -> list[str]:
        """Keys that the security processor holds and that lie in memory as they are, first or last byte first."""
        dram = self.memories[1].dram
        return [secret.hex() for secret in self.model.secrets() if secret in dram or secret[::-1] in dram]

    def _first_difference(self) -> int:
        model, firmware = (memory.dram for memory in self.memories)
        return next(address for address, (first, second) in enumerate(zip(model, firmware)) if first != second)


def _joined(accesses: list[tuple[int, int, int, bool]]) -> list[tuple[int, bool, int, int]]:
    """Accesses of each ASID, with and without C-bit, as ranges that do not touch."""
    ranges: list[tuple[int, bool, int, int]] = []
    for asid, private, begin, end in sorted((asid, private, begin, end) for begin, end, asid, private in accesses):
        if ranges and ranges[-1][:2] == (asid, private) and begin <= ranges[-1][3]:
            *_, start, last = ranges.pop()
            ranges.append((asid, private, start, max(last, end)))
        else:
            ranges.append((asid, private, begin, end))
    return ranges
