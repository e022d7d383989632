"""Platforms that the story can be acted on: what it asks of one, and that of the golden model."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from cbit.config import EngineConfig
from cbit_model.memory import Memory, WriteBeat
from cbit_model.sev.memory import EncryptedMemory
from cbit_sim.entropy_words import RecordedEntropy
from cbit_sim.manager import Transaction
from cbit_sim.platforms import HostedPlatform
from cbit_sim.scoreboard import access_of
from cbit_sim.sev_model import ModelPlatform
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES

__all__ = ["BurstPlatform", "GoldenPlatform"]


class BurstPlatform(HostedPlatform, Protocol):
    """A platform whose managers' port takes bursts, and whose DRAM an attacker may write.

    Members
    -------
    cycles : :class:`int`
        Cycles of the security processor until now.
    """

    cycles: int

    def perform(self, bursts: Sequence[Transaction]) -> None:
        """Carries out bursts at the managers' port, several at a time, and notes in each what came of it."""

    def overwrite(self, address: int, content: bytes) -> None:
        """Puts bytes in DRAM, as an attacker does."""


class GoldenPlatform(ModelPlatform):
    """The golden model, given the raw words that gateware has taken: it then makes the same keys.

    The access of a burst is that of :class:`~cbit_model.memory.Memory`, on the DRAM and with the keys of the model's
    security processor.

    Parameters
    ----------
    words : iterable of :class:`int`
        In order.
    config : :class:`~cbit.config.EngineConfig`
        Of the engine.
    """

    cycles = 0

    def __init__(self, words: Iterable[int], config: EngineConfig) -> None:
        engine = {"c_bit": config.c_bit, "asid_count": config.asid_count, "data_unit_bytes": config.data_unit_bytes}
        memory = EncryptedMemory(size_bytes=PLATFORM_MEMORY_BYTES, **engine)
        super().__init__(memory=memory, entropy=RecordedEntropy(words))
        self._asid_width = config.asid_width
        self._port = Memory(size_bytes=PLATFORM_MEMORY_BYTES, addr_width=config.addr_width, **engine)
        self._port.dram.content = memory.dram
        self._port.slots = memory.slots
        self._port.set_mode(sme=True, tsme=False, sev=True)
        self._port.release()

    def perform(self, bursts: Sequence[Transaction]) -> None:
        """One burst after the other."""
        for burst in bursts:
            access = access_of(burst.address, self._asid_width)
            if burst.data is None:
                beats = self._port.read(access)
                burst.read = [int.from_bytes(beat.data, "little") for beat in beats]
                burst.responses = [beat.response for beat in beats]
            else:
                data = [WriteBeat(beat.data.to_bytes(self._port.bus_bytes, "little"), beat.strb) for beat in burst.data]
                burst.responses = [self._port.write(access, data)]

    def overwrite(self, address: int, content: bytes) -> None:
        """Puts bytes in DRAM, as an attacker does."""
        self.memory.dram[address:address + len(content)] = content
