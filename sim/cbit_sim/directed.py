"""What a directed test needs: the engine with keys, accesses in a line each, and the golden model as judge."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

from cbit_model.access import BLOCK_BYTES, Burst, burst_beats
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
    bus_bytes, bus_size : :class:`int`
        Bytes of the data bus, and AxSIZE of a beat as wide.
    sizes : tuple of :class:`int`
        AxSIZE of a block, and if that is another one ``bus_size``.
    all_ones : :class:`int`
        The data of a beat that is refused.
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
        self.bus_bytes = self.bed.bus_bytes
        self.bus_size = self.bus_bytes.bit_length() - 1
        self.sizes = tuple({4: None, self.bus_size: None})
        self.all_ones = (1 << 8 * self.bus_bytes) - 1
        self.board = Scoreboard(self.bed.model, asid_width=self.asid_width, ids=range(self.ids),
                                replay=self.session.top, owner_mask=self._owner_mask)

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
        """An address beat; by default of the host, with the C-bit, for beats of a block."""
        return Address(identifier, start | c_bit << self.bed.model.c_bit, length - 1, size, burst,
                       user=user_bits(self.asid_width, asid=asid, npt_c=npt_c, dma=dma, walk=walk), **sideband)

    def read(self, start: int, **view: Any) -> Transaction:
        """A read; the arguments are those of :meth:`address`."""
        return Transaction(self.address(start, **view))

    def write(self, start: int, *, strobe: int = ALL_LANES, data: bytes | None = None, delays: tuple[int, int] = (0, 0),
              is_shared: bool = False, **view: Any) -> Transaction:
        """A write of random bytes, or of given ones, which are 16 for each beat that is not wider.

        ``strobe`` has a bit for each byte of a block, and counts for each block, on the lanes of each beat; of a place
        that ``is_shared`` by IDs only for the bytes that are the writer's.
        """
        address = self.address(start, **view)
        length, size = address.len + 1, min(address.size, self.bus_size)
        part = max(BLOCK_BYTES, 1 << size)
        content = data if data is not None else self.rng.randbytes(part * length)
        strobes = sum(strobe << block for block in range(0, self.bus_bytes, BLOCK_BYTES))
        payloads = []
        for number, (place, lanes) in enumerate(burst_beats(start, length, size, Burst(address.burst), self.bus_bytes)):
            offset = ((lanes & -lanes).bit_length() - 1) & -part
            value = int.from_bytes(content[part * number:part * (number + 1)], "little") << 8 * offset
            if part < self.bus_bytes:
                mask = (1 << 8 * part) - 1 << 8 * offset
                value |= self.rng.getrandbits(8 * self.bus_bytes) & ~mask
            mine = self._owner_mask(place, address.id) if is_shared else lanes
            payloads.append(WriteData(value, strobes & lanes & mine, int(number == length - 1)))
        return Transaction(address, payloads, *delays)

    def content(self, read: Transaction) -> bytes:
        """The bytes that a read of whole beats has brought, in the order of the bus."""
        lanes = burst_beats(read.address.addr, read.address.len + 1, read.address.size, Burst(read.address.burst),
                            self.bus_bytes)
        return b"".join(data.to_bytes(self.bus_bytes, "little")[(mask & -mask).bit_length() - 1:mask.bit_length()]
                        for data, (_, mask) in zip(read.read, lanes, strict=True))

    def _owner_mask(self, place: int, identifier: int) -> int:
        return owner_mask(place, identifier, self.ids, self.bus_bytes)

    async def perform(self, *transactions: Transaction) -> None:
        """All at once; returns when all have ended and were judged."""
        await self.bed.manager.perform(*transactions, limit_cycles=100_000 * self.bed.patience)

    async def in_turn(self, *transactions: Transaction) -> None:
        """One after the other."""
        for transaction in transactions:
            await self.perform(transaction)
