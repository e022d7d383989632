"""A manager that issues any AXI4 access it is given, many at once."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cbit_sim.beats import Address, ReadData, WriteData, WriteResponse
from cbit_sim.channel import Sink, Source
from cbit_sim.clocked import Clocked

__all__ = ["Manager", "Transaction"]


@dataclass(slots=True, eq=False)
class Transaction:
    """One AXI4 burst, and what came of it.

    Parameters
    ----------
    address : :class:`~cbit_sim.beats.Address`
        Its beat on AW or AR.
    data : list of :class:`~cbit_sim.beats.WriteData` or :data:`None`
        Its beats on W; :data:`None` for a read.
    address_delay_cycles, data_delay_cycles : :class:`int`
        For a write: how long AW, and W, hold back after it has begun.

    Attributes
    ----------
    begun, answered, ended : :class:`int`
        Cycle in which the manager began to offer it, and in which the first and the last beat of its answer passed; -1
        until then.
    responses : list of :class:`int`
        xRESP of each beat of R, or the one of B.
    read : list of :class:`int`
        Data of each beat of R.
    """

    address: Address
    data: list[WriteData] | None = None
    address_delay_cycles: int = 0
    data_delay_cycles: int = 0
    begun: int = -1
    answered: int = -1
    ended: int = -1
    responses: list[int] = field(default_factory=list)
    read: list[int] = field(default_factory=list)

    @property
    def is_write(self) -> bool:
        """Whether it is a write."""
        return self.data is not None


class Manager:
    """The manager's side of an AXI4 port of the design.

    Transactions begin in the order in which they are submitted, reads and writes independently. Answers are matched by
    the order within each ID. An answer to nothing, and a burst that ends at the wrong beat, raise
    :exc:`AssertionError`.

    Parameters
    ----------
    dut
        cocotb's handle of the design, which has ``<prefix>_awid`` and so on.
    clocked : :class:`~cbit_sim.clocked.Clocked`
        What steps this model.
    outstanding : :class:`int`
        Transactions begun and not ended, of reads and of writes.
    on_begin, on_end : callable
        Called with a transaction as it begins and ends.
    pauses : mapping
        For channels ``aw``, ``w``, ``b``, ``ar``, ``r``: iterators that are asked once a cycle whether to hold back.
    """

    def __init__(self, dut: Any, clocked: Clocked, *, outstanding: int = 64,
                 on_begin: Callable[[Transaction], None] | None = None,
                 on_end: Callable[[Transaction], None] | None = None,
                 pauses: Mapping[str, Iterator[bool]] | None = None, prefix: str = "s_axi"):
        self.outstanding = outstanding
        self._on_begin = on_begin
        self._on_end = on_end
        self._clocked = clocked
        self._waiting: tuple[deque[Transaction], deque[Transaction]] = (deque(), deque())
        self._begun: tuple[dict[int, deque[Transaction]], dict[int, deque[Transaction]]] = ({}, {})
        self._counts = [0, 0]
        self._read_addresses: deque[Address] = deque()
        self._write_addresses: deque[tuple[int, Address]] = deque()
        self._write_data: deque[tuple[int, WriteData]] = deque()
        paused = pauses or {}
        self.aw = Source(dut, clocked, f"{prefix}_aw", self._next_write_address, paused.get("aw"))
        self.w = Source(dut, clocked, f"{prefix}_w", self._next_write_data, paused.get("w"))
        self.b = Sink(dut, clocked, f"{prefix}_b", self._accept_response, None, paused.get("b"))
        self.ar = Source(dut, clocked, f"{prefix}_ar", self._next_read_address, paused.get("ar"))
        self.r = Sink(dut, clocked, f"{prefix}_r", self._accept_data, None, paused.get("r"))
        self._channels = (self.aw, self.w, self.b, self.ar, self.r)
        clocked.add(self)

    @property
    def idle(self) -> bool:
        """Whether everything submitted has ended."""
        return not (self._counts[False] or self._counts[True] or self._waiting[False] or self._waiting[True])

    @property
    def backlog(self) -> int:
        """Transactions submitted and not begun."""
        return len(self._waiting[False]) + len(self._waiting[True])

    def submit(self, transaction: Transaction) -> None:
        """Issues a transaction when the limit of outstanding ones allows."""
        self._waiting[transaction.is_write].append(transaction)

    async def perform(self, *transactions: Transaction, limit_cycles: int = 10_000) -> None:
        """Submits transactions and waits for the end of all.

        Raises
        ------
        TimeoutError
            If they do not end within ``limit_cycles``.
        """
        for transaction in transactions:
            self.submit(transaction)
        unfinished = deque(transactions)

        def done() -> bool:
            while unfinished and unfinished[0].ended >= 0:
                unfinished.popleft()
            return not unfinished

        await self._clocked.until(done, limit_cycles)

    def reset(self) -> None:
        """Forgets everything that has not ended, as a reset demands."""
        for channel in self._channels:
            channel.reset()
        for queue in (*self._waiting, *self._begun, self._read_addresses, self._write_addresses, self._write_data):
            queue.clear()
        self._counts = [0, 0]

    def step(self) -> None:
        """One cycle."""
        for is_write in (False, True):
            while self._waiting[is_write] and self._counts[is_write] < self.outstanding:
                self._begin(self._waiting[is_write].popleft())
        for channel in self._channels:
            channel.step()

    def _begin(self, transaction: Transaction) -> None:
        cycle = transaction.begun = self._clocked.cycle
        is_write = transaction.is_write
        self._begun[is_write].setdefault(transaction.address.id, deque()).append(transaction)
        self._counts[is_write] += 1
        if transaction.data is None:
            self._read_addresses.append(transaction.address)
        else:
            self._write_addresses.append((cycle + transaction.address_delay_cycles, transaction.address))
            earliest = cycle + transaction.data_delay_cycles
            self._write_data.extend((earliest, beat) for beat in transaction.data)
        if self._on_begin is not None:
            self._on_begin(transaction)

    def _next_read_address(self) -> Address | None:
        return self._read_addresses.popleft() if self._read_addresses else None

    def _next_write_address(self) -> Address | None:
        queue = self._write_addresses
        return queue.popleft()[1] if queue and queue[0][0] <= self._clocked.cycle else None

    def _next_write_data(self) -> WriteData | None:
        queue = self._write_data
        return queue.popleft()[1] if queue and queue[0][0] <= self._clocked.cycle else None

    def _accept_data(self, beat: ReadData) -> None:
        transaction = self._oldest(beat.id, is_write=False)
        transaction.read.append(beat.data)
        transaction.responses.append(beat.resp)
        if transaction.answered < 0:
            transaction.answered = self._clocked.cycle
        beats = transaction.address.len + 1
        assert beat.last == (len(transaction.read) == beats), \
            f"RLAST at beat {len(transaction.read)} of {beats}, ID {beat.id}, cycle {self._clocked.cycle}"
        if beat.last:
            self._end(transaction)

    def _accept_response(self, beat: WriteResponse) -> None:
        transaction = self._oldest(beat.id, is_write=True)
        transaction.responses.append(beat.resp)
        transaction.answered = self._clocked.cycle
        self._end(transaction)

    def _oldest(self, identifier: int, *, is_write: bool) -> Transaction:
        begun = self._begun[is_write].get(identifier)
        assert begun, f"{'B' if is_write else 'R'} of ID {identifier} answers nothing, cycle {self._clocked.cycle}"
        return begun[0]

    def _end(self, transaction: Transaction) -> None:
        is_write = transaction.is_write
        self._begun[is_write][transaction.address.id].popleft()
        self._counts[is_write] -= 1
        transaction.ended = self._clocked.cycle
        if self._on_end is not None:
            self._on_end(transaction)
