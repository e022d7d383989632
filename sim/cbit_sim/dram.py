"""A DRAM that does all that AXI4 allows one to do: reorders, interleaves, waits, errs."""

import random
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cbit_model.access import BeatLanes, Response
from cbit_model.dram import LINE_BYTES
from cbit_sim.beats import Address, ReadData, WriteData, WriteResponse, lanes_of
from cbit_sim.channel import Sink, Source
from cbit_sim.clocked import Clocked

__all__ = ["Dram", "Personality"]


@dataclass(frozen=True, kw_only=True)
class Personality:
    """How a DRAM behaves.

    Parameters
    ----------
    latency_cycles : pair of :class:`int`
        Least and most cycles from an accepted address (read) or last beat (write) until the answer may come. A read
        or write whose latency is the least answers that many cycles later when the channel is free.
    reorder : :class:`bool`
        Whether answers of different IDs may pass each other. Of one ID they never do.
    interleave : :class:`bool`
        Whether read beats of different IDs may alternate.
    outstanding : :class:`int`
        Bursts accepted, in each direction, before the address channel stalls.
    """

    latency_cycles: tuple[int, int] = (10, 40)
    reorder: bool = True
    interleave: bool = True
    outstanding: int = 64


@dataclass(slots=True, eq=False)
class _Job:
    """A burst on its way; ``sent`` of its beats are answered."""

    address: Address
    due: int
    beats: tuple[BeatLanes, ...]
    data: list[WriteData] = field(default_factory=list)
    sent: int = 0
    exclusive_okay: bool = False


class _Queues:
    """Jobs in order within each ID, and chosen among IDs."""

    def __init__(self, rng: random.Random, *, reorder: bool, interleave: bool):
        self._rng = rng
        self._reorder = reorder
        self._interleave = interleave
        self._of_id: dict[int, deque[_Job]] = {}
        self._arrived: deque[_Job] = deque()
        self._current: _Job | None = None
        self.count = 0

    def clear(self) -> None:
        self._of_id.clear()
        self._arrived.clear()
        self._current = None
        self.count = 0

    def push(self, job: _Job) -> None:
        self.count += 1
        if self._reorder:
            self._of_id.setdefault(job.address.id, deque()).append(job)
        else:
            self._arrived.append(job)

    def choose(self, cycle: int) -> _Job | None:
        """A job that is due; the same one until it is finished, unless beats may interleave."""
        if not self._reorder:
            return self._arrived[0] if self._arrived and self._arrived[0].due <= cycle else None
        if self._current is not None and not self._interleave:
            return self._current
        due = [jobs[0] for jobs in self._of_id.values() if jobs[0].due <= cycle]
        self._current = due[int(self._rng.random() * len(due))] if due else None
        return self._current

    def finish(self, job: _Job) -> None:
        self.count -= 1
        self._current = None
        if not self._reorder:
            self._arrived.popleft()
            return
        jobs = self._of_id[job.address.id]
        jobs.popleft()
        if not jobs:
            del self._of_id[job.address.id]


class Dram:
    """DRAM behind an AXI4 port of the design.

    A read's data is what memory holds when its beat is offered; a write's takes effect between its last beat and its
    response, in any order between IDs. Sustains one beat a cycle in each direction.

    Parameters
    ----------
    dut
        cocotb's handle of the design, which has ``<prefix>_awid`` and so on.
    clocked : :class:`~cbit_sim.clocked.Clocked`
        What steps this model.
    size_bytes : :class:`int`
        Bytes of memory. Before and beyond them beats answer DECERR.
    base : :class:`int`
        Address of the first.
    bus_bytes : :class:`int`
        Bytes of the data bus.
    personality : :class:`Personality`
        How it behaves.
    seed : :class:`int`
        Of its random choices.
    pauses : mapping
        For channels ``aw``, ``w``, ``b``, ``ar``, ``r``: iterators that are asked once a cycle whether to hold back.

    Attributes
    ----------
    memory : :class:`bytearray`
        The bytes; a bench may read, change and move them at any time.
    read_errors, write_errors : :class:`dict`
        Address of a 64-byte line to the response, SLVERR or DECERR, of its reads and its writes. A write that errs
        changes nothing of that line; a read shows its content.
    beats : :class:`dict`
        Beats passed, of ``r`` and ``w``.
    """

    def __init__(self, dut: Any, clocked: Clocked, *, size_bytes: int, base: int = 0, bus_bytes: int = 16,
                 personality: Personality | None = None, seed: int = 0,
                 pauses: Mapping[str, Iterator[bool]] | None = None, prefix: str = "m_axi"):
        self.memory = bytearray(size_bytes)
        self.base = base
        self.read_errors: dict[int, Response] = {}
        self.write_errors: dict[int, Response] = {}
        self.beats = {"r": 0, "w": 0}
        self.personality = personality or Personality()
        self._bus_bytes = bus_bytes
        self._full_strobe = (1 << bus_bytes) - 1
        self._clocked = clocked
        self._rng = random.Random(seed)
        order = {"reorder": self.personality.reorder}
        self._reads = _Queues(self._rng, interleave=self.personality.interleave, **order)
        self._writes = _Queues(self._rng, interleave=True, **order)
        self._write_addresses: deque[Address] = deque()
        self._write_data: deque[WriteData] = deque()
        self._burst_data: list[WriteData] = []
        self._complete_data: deque[list[WriteData]] = deque()
        self._reservations: dict[int, tuple[int, int]] = {}
        paused = pauses or {}
        self.ar = Sink(dut, clocked, f"{prefix}_ar", self._accept_read, self._room_for_read, paused.get("ar"))
        self.r = Source(dut, clocked, f"{prefix}_r", self._next_read_beat, paused.get("r"))
        self.aw = Sink(dut, clocked, f"{prefix}_aw", self._accept_write, self._room_for_write, paused.get("aw"))
        self.w = Sink(dut, clocked, f"{prefix}_w", self._accept_data, None, paused.get("w"))
        self.b = Source(dut, clocked, f"{prefix}_b", self._next_response, paused.get("b"))
        self._channels = (self.ar, self.r, self.aw, self.w, self.b)
        clocked.add(self)

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way."""
        return not (self._reads.count or self._writes.count or self._write_addresses or self._complete_data
                    or self._burst_data or self.r.valid or self.b.valid)

    def step(self) -> None:
        """One cycle."""
        for channel in self._channels:
            channel.step()

    def fill(self, content: bytes) -> None:
        """Gives it other bytes, of its size."""
        self.memory[:] = content

    def reset(self) -> None:
        """Forgets what is on its way, as a reset demands; memory stays."""
        for channel in self._channels:
            channel.reset()
        for queue in (self._reads, self._writes, self._write_addresses, self._burst_data, self._complete_data,
                      self._reservations):
            queue.clear()

    def _due(self) -> int:
        # An answer that is supplied in this step is on the bus a cycle later.
        least, most = self.personality.latency_cycles
        wait = least if least == most else self._rng.randint(least, most)
        return self._clocked.cycle + wait - 1

    def _room_for_read(self) -> bool:
        return self._reads.count < self.personality.outstanding

    def _room_for_write(self) -> bool:
        return self._writes.count + len(self._write_addresses) < self.personality.outstanding

    def _accept_read(self, address: Address) -> None:
        job = _Job(address, self._due(), lanes_of(address, self._bus_bytes))
        if address.lock and self._worst(self.read_errors, job.beats) == Response.OKAY:
            job.exclusive_okay = True
            self._reservations[address.id] = _span(job)
        self._reads.push(job)

    def _next_read_beat(self) -> ReadData | None:
        job = self._reads.choose(self._clocked.cycle)
        if job is None:
            return None
        block = job.beats[job.sent].container
        job.sent += 1
        last = job.sent == len(job.beats)
        if last:
            self._reads.finish(job)
        response = self._answer(self.read_errors, block)
        if job.exclusive_okay:
            response = Response.EXOKAY
        self.beats["r"] += 1
        place = block - self.base
        data = int.from_bytes(self.memory[place:place + self._bus_bytes] if place >= 0 else b"", "little")
        return ReadData(job.address.id, data, response, int(last))

    def _accept_write(self, address: Address) -> None:
        self._write_addresses.append(address)
        self._pair()

    def _accept_data(self, beat: WriteData) -> None:
        self.beats["w"] += 1
        self._burst_data.append(beat)
        if beat.last:
            self._complete_data.append(self._burst_data)
            self._burst_data = []
            self._pair()

    def _pair(self) -> None:
        if self._write_addresses and self._complete_data:
            address, data = self._write_addresses.popleft(), self._complete_data.popleft()
            self._writes.push(_Job(address, self._due(), lanes_of(address, self._bus_bytes), data))

    def _next_response(self) -> WriteResponse | None:
        job = self._writes.choose(self._clocked.cycle)
        if job is None:
            return None
        self._writes.finish(job)
        return WriteResponse(job.address.id, self._write(job))

    def _write(self, job: _Job) -> Response:
        first, end = span = _span(job)
        if job.address.lock and self._reservations.get(job.address.id) != span:
            return Response.OKAY
        if self._reservations:
            self._reservations = {owner: held for owner, held in self._reservations.items()
                                  if held[1] <= first or end <= held[0]}
        for beat, (block, lanes) in zip(job.data, job.beats, strict=True):
            if self._answer(self.write_errors, block) == Response.OKAY:
                self._store(block, beat.data, beat.strb & lanes)
        worst = self._worst(self.write_errors, job.beats)
        return Response.EXOKAY if job.address.lock and worst == Response.OKAY else worst

    def _store(self, block: int, value: int, strobe: int) -> None:
        data, place = value.to_bytes(self._bus_bytes, "little"), block - self.base
        if strobe == self._full_strobe:
            self.memory[place:place + self._bus_bytes] = data
            return
        for lane in range(self._bus_bytes):
            if strobe >> lane & 1:
                self.memory[place + lane] = data[lane]

    def _answer(self, errors: Mapping[int, Response], block: int) -> Response:
        if not self.base <= block < self.base + len(self.memory):
            return Response.DECERR
        return errors.get(block & -LINE_BYTES, Response.OKAY) if errors else Response.OKAY

    def _worst(self, errors: Mapping[int, Response], beats: tuple[BeatLanes, ...]) -> Response:
        return max(self._answer(errors, beat.container) for beat in beats)


def _span(job: _Job) -> tuple[int, int]:
    """First byte and end of what an exclusive access watches."""
    first = min(job.beats).container
    return first, first + ((job.address.len + 1) << job.address.size)
