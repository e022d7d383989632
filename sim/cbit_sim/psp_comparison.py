"""Random and spoiled commands, and faults around the security processor, to the firmware and to the golden model."""

import collections
import random

from cbit_model.sev.constants import Command, Status
from cbit_model.sev.layouts import COMMAND_BUFFERS
from cbit_model.sev.ports import AccessError
from cbit_sim.psp_pair import PspPair
from cbit_sim.sev_fuzz.commands import CommandSource
from cbit_sim.sev_host import SevHost

__all__ = ["Comparison"]

_SCRATCH_BYTES = 1 << 14
_HOLES = (16, 4096)


class Comparison:
    """A pair that gets one command after the other. The same seed and pair give the same commands.

    Parameters
    ----------
    pair : :class:`~cbit_sim.psp_pair.PspPair`
        Whom they are for; its last 16 KB of memory are the host's.
    seed : :class:`int`
        Of what is drawn.

    Attributes
    ----------
    seen : :class:`collections.Counter`
        How often a number of a command ended with a status.
    """

    def __init__(self, pair: PspPair, seed: int) -> None:
        memory_bytes, c_bit = len(pair.memories[0].dram), pair.memories[0].c_bit
        self.seen: collections.Counter[tuple[int, Status]] = collections.Counter()
        self._pair = pair
        self._host = SevHost(pair.memory, pair.mailbox, scratch=memory_bytes - _SCRATCH_BYTES)
        self._source = CommandSource(self._host, memory_bytes=memory_bytes, c_bit=c_bit, seed=seed)
        self._random = random.Random(seed)
        self._memory_bytes = memory_bytes

    def step(self) -> None:
        """A command, with faults around it now and then.

        Raises
        ------
        AssertionError
            If the two differ.
        """
        number, address, content = self._source.draw()
        self._put(address, content)
        size = COMMAND_BUFFERS[Command(number)].size if number in COMMAND_BUFFERS else 0
        held = self._content(address, size)
        self._disturb()
        if number == Command.PDH_CERT_EXPORT:
            # What the model writes whole or not at all, the firmware writes in pieces.
            self._pair.break_memory()
        status = self._host.execute(number, address)
        self._pair.break_memory()
        self.seen[number, status] += 1
        self._source.learn(number, address, held, status)

    def _disturb(self) -> None:
        self._pair.refuse(refuses=self._random.random() < 0.01)
        self._pair.fail_entropy(failed=self._random.random() < 0.01)
        if self._random.random() < 0.1:
            self._pair.flush_caches()
        if self._random.random() < 0.05:
            start = 16 * self._random.randrange(self._memory_bytes // 16)
            hole = range(start, start + self._random.choice(_HOLES))
            if self._random.random() < 0.5:
                self._pair.break_memory([hole])
            else:
                self._pair.break_memory(read_only=[hole])

    def _put(self, address: int, content: bytes) -> None:
        try:
            self._pair.memory.write(address, content, 0)
        except AccessError:
            return

    def _content(self, address: int, size: int) -> bytes:
        try:
            return self._pair.memory.read(address, size, 0)
        except AccessError:
            return b""
