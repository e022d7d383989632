"""What a directed test needs: the engine with keys, accesses in a line each, and the golden model as judge."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

from cbit_model.access import BUS_BYTES, Burst, burst_beats
from cbit_model.memory import ALL_LANES
from cbit_sim.beats import Address, WriteData
from cbit_sim.dram import Personality
from cbit_sim.manager import Transaction
from cbit_sim.scoreboard import Scoreboard
from cbit_sim.session import current_session
from cbit_sim.testbed import Testbed
from cbit_sim.traffic import owner_mask, user_bits

__all__ = ["Directed"]

_MAX_IDS = 8


class Directed:
    """The engine after release, with keys in some slots; every access is judged.

    Parameters
    ----------
    dut
        cocotb's handle of the design.
    personality : :class:`~cbit_sim.dram.Personality`
        How DRAM behaves.
    manager_pauses, dram_pauses : mapping
        Back-pressure, by channel.
    size_bytes : :class:`int`
        Bytes of DRAM.

    Attributes
    ----------
    bed : :class:`~cbit_sim.testbed.Testbed`
        Everything around the engine.
    ids : :class:`int`
        Number of IDs in use. Bytes that several IDs write at once are divided by
        :func:`cbit_sim.traffic.owner_mask`.
    rng : :class:`random.Random`
        Seeded from the parameter ``seed`` of the session.
    """

    def __init__(self, dut: Any, *, personality: Personality | None = None,
                 manager_pauses: Mapping[str, Iterator[bool]] | None = None,
                 dram_pauses: Mapping[str, Iterator[bool]] | None = None, size_bytes: int = 1 << 16):
        self.session = current_session()
        seed = self.session.parameters.get("seed", 1)
        self.rng = random.Random(seed)
        self.bed = Testbed(dut, self.session, size_bytes=size_bytes, personality=personality,
                           manager_pauses=manager_pauses, dram_pauses=dram_pauses, seed=seed,
                           on_begin=lambda transaction: self.board.begin(transaction),
                           on_end=lambda transaction: self.board.end(transaction))
        self.asid_width = (self.bed.model.asid_count - 1).bit_length()
        self.ids = min(_MAX_IDS, 1 << int(self.session.config["id_width"]))
        self.board = Scoreboard(
            self.bed.model, asid_width=self.asid_width, ids=range(self.ids), replay=self.session.top,
            owner_mask=lambda block, identifier: owner_mask(block, identifier, self.ids))

    async def start(self, *slots: int, sme: bool = True, tsme: bool = False, sev: bool = True) -> None:
        """Fills DRAM, resets, installs keys (by default in slots 0 and 1) and releases."""
        self.bed.fill_dram()
        await self.bed.reset()
        await self.bed.install(*(slots or (0, 1)))
        await self.bed.release(sme=sme, tsme=tsme, sev=sev)

    async def finish(self) -> None:
        """Waits for quiet, compares all of DRAM with the model's, and reports the cycles."""
        await self.settle()
        self.session.report(cycles=self.bed.clocked.cycle)

    async def settle(self) -> None:
        """Waits for quiet, and compares all of DRAM with the model's."""
        await self.bed.quiet()
        self.board.settle(self.bed.dram.memory)

    def address(self, start: int, *, length: int = 1, size: int = 4, burst: Burst = Burst.INCR, asid: int = 0,
                c_bit: bool = True, identifier: int = 0, npt_c: bool = False, dma: bool = False, walk: bool = False,
                **sideband: int) -> Address:
        """An address beat; by default of the host, with the C-bit."""
        return Address(identifier, start | c_bit << self.bed.model.c_bit, length - 1, size, burst,
                       user=user_bits(self.asid_width, asid=asid, npt_c=npt_c, dma=dma, walk=walk), **sideband)

    def read(self, start: int, **view: Any) -> Transaction:
        """A read; the arguments are those of :meth:`address`."""
        return Transaction(self.address(start, **view))

    def write(self, start: int, *, strobe: int = ALL_LANES, data: bytes | None = None, delays: tuple[int, int] = (0, 0),
              **view: Any) -> Transaction:
        """A write of random or given bytes, 16 a beat, under a strobe on the lanes of each beat."""
        address = self.address(start, **view)
        length = address.len + 1
        beats = burst_beats(start, length, min(address.size, 4), Burst(address.burst))
        content = data if data is not None else self.rng.randbytes(BUS_BYTES * length)
        payloads = [
            WriteData(int.from_bytes(content[BUS_BYTES * number:BUS_BYTES * (number + 1)], "little"),
                      strobe & lanes, int(number == length - 1)) for number, (_, lanes) in enumerate(beats)]
        return Transaction(address, payloads, *delays)

    async def perform(self, *transactions: Transaction) -> None:
        """All at once; returns when all have ended and were judged."""
        await self.bed.manager.perform(*transactions, limit_cycles=100_000)

    async def in_turn(self, *transactions: Transaction) -> None:
        """One after the other."""
        for transaction in transactions:
            await self.perform(transaction)
