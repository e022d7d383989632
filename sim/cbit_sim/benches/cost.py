"""What accesses cost in cycles, on whatever the top is; the caller compares the engine with the wire.

DRAM answers in order, 30 cycles after an access, and gives a beat a cycle in each direction. Each kind of access, one
of :data:`KINDS`, goes to random lines, each under another key than the one before; on the wire it goes to the same
lines, plain. Parameters: ``seed``; ``samples``, accesses of each kind whose latency is taken; ``bursts`` of each
measurement of bandwidth, more than 64.

Report: ``latency``, of the ``idle`` bus and of the ``loaded`` one, where an access begins every 8 cycles on average,
a partial write every 40, by kind: cycles of each access from its offer to the first beat of its answer. ``bandwidth``
by kind, and of reads mixed with writes: ``beats`` and the ``cycles`` that they took, in the steady state, which begins
when as many accesses of a direction have ended as the manager keeps in flight.
"""

import random
from typing import Any

import cocotb

from cbit_sim.beats import Address, WriteData
from cbit_sim.dram import Personality
from cbit_sim.manager import Transaction
from cbit_sim.session import Session, current_session
from cbit_sim.testbed import Testbed
from cbit_sim.traffic import PAGE_BYTES, user_bits

_PAGES = 64
_LINE_BYTES = 64
_KEYS = 3
_IDS = 4
_DRAM = Personality(latency_cycles=(30, 30), reorder=False, interleave=False, outstanding=256)
_OUTSTANDING = 64
_IDLE_CYCLES = 64
_LOADED_GAP_CYCLES = {"partial write": 40}
_USUAL_GAP_CYCLES = 8
_MOST_LINE_BEATS = 4

KINDS = ("plain read", "plain write", "encrypted read", "encrypted write", "partial write")
"""Lines of 64 bytes; the partial write is one of 8 bytes to encrypted memory."""

MIXES = {kind: (kind,) for kind in KINDS} | {
    "plain mixed": KINDS[:2], "encrypted mixed": KINDS[2:4]}
"""What the bandwidth is measured of: kinds, each as often."""


class _Measurement:
    """The engine or the wire, with keys and nothing in its way."""

    def __init__(self, dut: Any, session: Session):
        self._seed = session.parameters["seed"]
        self._c_bit = int(session.config["c_bit"])
        self._asid_width = (int(session.config["asid_count"]) - 1).bit_length()
        self._bus_bytes = int(session.config["data_width"]) // 8
        self.has_keys = session.has_engine
        self.bed = Testbed(dut, session, size_bytes=_PAGES * PAGE_BYTES, personality=_DRAM, checked=False,
                           outstanding=_OUTSTANDING)

    async def start(self) -> None:
        await self.bed.reset()
        if self.has_keys:
            await self.bed.install(*range(_KEYS))
        await self.bed.release(sme=self.has_keys, sev=self.has_keys)

    def accesses(self, kinds: tuple[str, ...], count: int) -> list[Transaction]:
        """The same for the same kinds, on either top."""
        rng = random.Random(f"{kinds} {self._seed}")
        return [self._access(rng, number, kind) for number in range(count) for kind in kinds]

    def _access(self, rng: random.Random, number: int, kind: str) -> Transaction:
        start = rng.randrange(_PAGES * PAGE_BYTES // _LINE_BYTES) * _LINE_BYTES
        is_partial = kind == "partial write"
        is_encrypted = self.has_keys and not kind.startswith("plain")
        user = user_bits(self._asid_width, asid=number % _KEYS if is_encrypted else 0)
        beats = 1 if is_partial else _LINE_BYTES // self._bus_bytes
        size = 4 if is_partial else self._bus_bytes.bit_length() - 1
        address = Address(number % _IDS, start | is_encrypted << self._c_bit, beats - 1, size, user=user)
        if kind.endswith("read"):
            return Transaction(address)
        strobe = (1 << (8 if is_partial else self._bus_bytes)) - 1
        return Transaction(address, [WriteData(rng.getrandbits(8 * self._bus_bytes), strobe, int(beat == beats))
                                     for beat in range(1, beats + 1)])

    async def idle_latency(self, kind: str, count: int) -> list[int]:
        """Of one access at a time."""
        accesses = self.accesses((kind,), count)
        for access in accesses:
            await self.bed.manager.perform(access)
            await self.bed.clocked.cycles(1 + access.address.addr // _LINE_BYTES % _MOST_LINE_BEATS)
        return _latencies(accesses)

    async def loaded_latency(self, kind: str, count: int) -> list[int]:
        """Of accesses that begin at random times."""
        accesses = self.accesses((kind,), count)
        rng = random.Random(self._seed)
        gap_cycles = _LOADED_GAP_CYCLES.get(kind, _USUAL_GAP_CYCLES)
        for access in accesses:
            self.bed.manager.submit(access)
            await self.bed.clocked.cycles(rng.randint(1, 2 * gap_cycles - 1))
        await self.bed.quiet()
        return _latencies(accesses)

    async def bandwidth(self, kinds: tuple[str, ...], count: int) -> dict[str, int]:
        """Of accesses that begin as soon as they may."""
        accesses = self.accesses(kinds, count)
        await self.bed.clocked.cycles(_IDLE_CYCLES)
        await self.bed.manager.perform(*accesses, limit_cycles=200 * len(accesses))
        spans = []
        beats = 0
        for is_write in {access.is_write for access in accesses}:
            ended = sorted(access.ended for access in accesses if access.is_write is is_write)[_OUTSTANDING:]
            spans.append(ended[-1] - ended[0])
            beats += (len(ended) - 1) * (accesses[0].address.len + 1)
        return {"beats": beats, "cycles": max(spans)}


def _latencies(accesses: list[Transaction]) -> list[int]:
    assert all(response == 0 for access in accesses for response in access.responses)
    return [access.answered - access.begun for access in accesses]


@cocotb.test()
async def cost(dut: Any) -> None:
    """Everything that is measured, one after the other."""
    session = current_session()
    samples, bursts = session.parameters["samples"], session.parameters["bursts"]
    measurement = _Measurement(dut, session)
    await measurement.start()
    latency: dict[str, dict[str, list[int]]] = {"idle": {}, "loaded": {}}
    bandwidth = {}
    parts = len(KINDS) + len(MIXES)
    for done, kind in enumerate(KINDS, 1):
        latency["idle"][kind] = await measurement.idle_latency(kind, samples)
        latency["loaded"][kind] = await measurement.loaded_latency(kind, samples)
        session.progress(done / parts, f"latency of {kind}")
    for done, (name, kinds) in enumerate(MIXES.items(), len(KINDS) + 1):
        bandwidth[name] = await measurement.bandwidth(kinds, bursts)
        session.progress(done / parts, f"bandwidth of {name}")
    session.report(cycles=measurement.bed.clocked.cycle, latency=latency, bandwidth=bandwidth)
