"""The memory of a simulated SDRAM chip behind the design, as :class:`~cbit_sim.dram.Dram` shows its own."""

from typing import Any, Final

from cbit_model.access import Response
from cbit_sim.signals import bits_reader, bits_writer

__all__ = ["Chip"]


class Chip:
    """The bytes of a chip, from some address on: read and written from behind.

    Parameters
    ----------
    dut
        cocotb's handle of the design in its harness: one whose top is :class:`~cbit_sim.gateware.dram_top.DramTop`.
    base, size_bytes : :class:`int`
        Which bytes.

    Attributes
    ----------
    base : :class:`int`
        As given.
    read_errors, write_errors : :class:`dict`
        Of a chip none: they stay empty.
    """

    WRITTEN_CYCLES: Final = 16
    """A write that has been answered is in the chip after so many."""

    def __init__(self, dut: Any, *, base: int, size_bytes: int):
        self.base = base
        self.read_errors: dict[int, Response] = {}
        self.write_errors: dict[int, Response] = {}
        self._dut = dut
        words = dut.core.core.chip.memory
        self._word_bytes = len(words[0]) // 8
        first = base // self._word_bytes
        self._words = [words[first + number] for number in range(size_bytes // self._word_bytes)]
        self._lookers = [bits_reader(word) for word in self._words]

    @property
    def memory(self) -> bytearray:
        """What it holds now; a copy."""
        return bytearray(b"".join(int(look(), 2).to_bytes(self._word_bytes, "little") for look in self._lookers))

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way but what a manager waits for: always."""
        return True

    def check(self) -> None:
        """Looks whether the controller has kept the chip's rules. Raises :exc:`AssertionError` if not."""
        broken = int(self._dut.memory_errors.value)
        rules = [rule for rule in range(16) if broken >> rule & 1]
        assert not rules, f"the chip's rules {rules} of sdram.v are broken"

    def is_ready(self) -> bool:
        """Whether it has been initialized."""
        return bool(int(self._dut.memory_ready.value))

    @property
    def refreshes(self) -> int:
        """How many there have been."""
        return int(self._dut.memory_refreshes.value)

    def fill(self, content: bytes) -> None:
        """Gives it other bytes, of its size."""
        width = self._word_bytes
        for number, word in enumerate(self._words):
            value = int.from_bytes(content[width * number:width * (number + 1)], "little")
            bits_writer(word)(f"{value:0{8 * width}b}")

    def reset(self) -> None:
        """A reset leaves the chip as it is."""
