"""Latency and bandwidth in cycles, of whatever the top is; the caller takes the wire's from the engine's.

DRAM answers in order after a fixed number of cycles, and nothing else holds back. Parameters: ``dram_latency_cycles``
(default 30), ``dram_beat_cycles`` for each beat that DRAM gives or takes (default 1), ``bursts`` of 64 bytes in each
measurement of bandwidth (default 400), ``outstanding`` (default 64).

Report: ``latency_cycles`` of one 64-byte burst on an idle bus, by kind: ``first`` and ``last`` beat of the answer, from
the offer of the address. ``bandwidth`` by kind: ``beats`` and the ``cycles`` from the first of them to the last; mixed
traffic counts both directions. ``ways``: cycles between the first beats on a channel of the managers' port (``s``) and
of DRAM's (``m``), of the same burst.
"""

import random
from typing import Any

import cocotb

from cbit_model.access import BLOCK_BYTES
from cbit_sim.beats import Address, WriteData
from cbit_sim.dram import Personality
from cbit_sim.manager import Transaction
from cbit_sim.pauses import every
from cbit_sim.session import Session, current_session
from cbit_sim.testbed import Testbed
from cbit_sim.traffic import PAGE_BYTES, user_bits

_PAGES = 64
_LINE_BYTES = 64
_FULL = 0xFFFF
_PARTIAL = 0x00FF
_IDLE_CYCLES = 200


class _Stopwatch:
    """First and last cycle in which each channel has passed a beat."""

    def __init__(self, bed: Testbed):
        ports = {"s": bed.manager, "m": bed.dram}
        self._channels = {f"{side}_{name}": getattr(port, name) for side, port in ports.items()
                          for name in ("aw", "w", "b", "ar", "r")}
        self._clocked = bed.clocked
        self.first: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self.beats: dict[str, int] = {}
        bed.clocked.add(self)

    def clear(self) -> None:
        self.first, self.last, self.beats = {}, {}, {}

    def step(self) -> None:
        for name, channel in self._channels.items():
            if channel.valid and channel.ready:
                self.first.setdefault(name, self._clocked.cycle)
                self.last[name] = self._clocked.cycle
                self.beats[name] = self.beats.get(name, 0) + 1


class _Measurement:
    """The engine or the wire with keys and nothing in its way."""

    def __init__(self, dut: Any, session: Session):
        parameters = session.parameters
        latency = parameters.get("dram_latency_cycles", 30)
        self.bursts = parameters.get("bursts", 400)
        self.has_keys = session.has_engine
        self.rng = random.Random(parameters.get("seed", 1))
        self.bus_bytes = int(session.config["data_width"]) // 8
        self.c_bit = int(session.config["c_bit"])
        self.asid_count = int(session.config["asid_count"])
        self.asid_width = (self.asid_count - 1).bit_length()
        personality = Personality(latency_cycles=(latency, latency), reorder=False, interleave=False, outstanding=256)
        beat_cycles = parameters.get("dram_beat_cycles", 1)
        pauses = {channel: every(beat_cycles) for channel in ("r", "w")} if beat_cycles > 1 else None
        self.bed = Testbed(dut, session, size_bytes=_PAGES * PAGE_BYTES, personality=personality, checked=False,
                           outstanding=parameters.get("outstanding", 64), dram_pauses=pauses)
        self.watch = _Stopwatch(self.bed)

    async def start(self) -> None:
        await self.bed.reset()
        if self.has_keys:
            await self.bed.install(*range(min(self.asid_count, 4)))
        await self.bed.release(sme=self.has_keys, sev=self.has_keys)

    def burst(self, *, write: bool, encrypted: bool, partial: bool = False) -> Transaction:
        """A random line, or half of each of its blocks, and if encrypted a random ASID with a key."""
        rng = self.rng
        start = rng.randrange(_PAGES * PAGE_BYTES // _LINE_BYTES) * _LINE_BYTES
        asid = rng.randrange(min(self.asid_count, 4)) if encrypted else 0
        beats = _LINE_BYTES // self.bus_bytes
        strobe = sum((_PARTIAL if partial else _FULL) << block for block in range(0, self.bus_bytes, BLOCK_BYTES))
        address = Address(rng.randrange(4), start | encrypted << self.c_bit, beats - 1,
                          self.bus_bytes.bit_length() - 1, user=user_bits(self.asid_width, asid=asid))
        if not write:
            return Transaction(address)
        return Transaction(address, [
            WriteData(rng.getrandbits(8 * self.bus_bytes), strobe, int(beat == beats - 1))
            for beat in range(beats)])

    async def expand_keys(self) -> None:
        """Lets every key that is used be expanded, where they are only when they are wanted."""
        asids = (user_bits(self.asid_width, asid=asid) for asid in range(min(self.asid_count, 4)))
        await self.bed.manager.perform(*(Transaction(Address(0, 1 << self.c_bit, 0, user=user)) for user in asids))

    async def latency(self, **kind: Any) -> dict[str, int]:
        """Of one burst on an idle bus."""
        await self.bed.clocked.cycles(_IDLE_CYCLES)
        self.watch.clear()
        burst = self.burst(**kind)
        await self.bed.manager.perform(burst)
        return {"first": burst.answered - burst.begun, "last": burst.ended - burst.begun}

    async def bandwidth(self, kinds: list[dict[str, Any]]) -> dict[str, int]:
        """Of many bursts, of each kind as many."""
        bursts = [self.burst(**kind) for _ in range(self.bursts) for kind in kinds]
        await self.bed.clocked.cycles(_IDLE_CYCLES)
        self.watch.clear()
        await self.bed.manager.perform(*bursts, limit_cycles=1000 * len(bursts))
        watch = self.watch
        directions = [channel for channel, is_write in (("s_r", False), ("m_w", True))
                      if any(kind["write"] is is_write for kind in kinds)]
        return {"beats": sum(watch.beats[channel] for channel in directions),
                "cycles": max(watch.last[channel] - watch.first[channel] + 1 for channel in directions)}


@cocotb.test()
async def latency_and_bandwidth(dut: Any) -> None:
    """Everything that is measured, one after the other."""
    session = current_session()
    measurement = _Measurement(dut, session)
    await measurement.start()
    kinds: dict[str, dict[str, Any]] = {
        "plain_read": {"write": False, "encrypted": False},
        "plain_write": {"write": True, "encrypted": False}}
    if measurement.has_keys:
        kinds |= {"encrypted_read": {"write": False, "encrypted": True},
                  "encrypted_write": {"write": True, "encrypted": True},
                  "partial_write": {"write": True, "encrypted": True, "partial": True}}
    if measurement.has_keys:
        await measurement.expand_keys()
    latency = {}
    ways = {}
    for name, kind in kinds.items():
        latency[name] = await measurement.latency(**kind)
        first = measurement.watch.first
        ways[name] = {f"{there}_to_{here}": first[here] - first[there]
                      for there, here in (("s_ar", "m_ar"), ("m_r", "s_r"), ("s_aw", "m_aw"), ("s_w", "m_w"),
                                          ("m_b", "s_b")) if there in first and here in first}
    mixes = {name: [kind] for name, kind in kinds.items()}
    for prefix in ("plain", "encrypted"):
        if f"{prefix}_read" in kinds:
            mixes[f"{prefix}_mixed"] = [kinds[f"{prefix}_read"], kinds[f"{prefix}_write"]]
    bandwidth = {}
    for done, (name, mix) in enumerate(mixes.items(), 1):
        bandwidth[name] = await measurement.bandwidth(mix)
        session.progress(done / len(mixes), f"bandwidth of {name.replace('_', ' ')}")
    session.report(cycles=measurement.bed.clocked.cycle, latency_cycles=latency, ways=ways, bandwidth=bandwidth)
