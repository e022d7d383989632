"""Every shape that an access can have, once: kind of burst, size, strobes, alignment, length, decision, order, answer.

The shapes are those that :mod:`cbit_sim.coverage` counts. Parameters: ``seed``.
"""

import itertools
from collections.abc import Iterable
from typing import Any

import cocotb

from cbit_model.access import BLOCK_BYTES, Burst, Response, burst_beats
from cbit_model.memory import ALL_LANES
from cbit_sim.beats import WriteData
from cbit_sim.coverage.crosses import cross_bins
from cbit_sim.coverage.rules import impossible
from cbit_sim.coverage.shape import READ, WIDER
from cbit_sim.directed import Directed
from cbit_sim.manager import Transaction
from cbit_sim.traffic import PAGE_BYTES

_TOGETHER = 24
"""Accesses in flight."""

_PLACE_BYTES = 128
_WELL_FORMED_BEATS = {"INCR": 4, "WRAP": 4, "FIXED": 4}
_MALFORMED_BEATS = {"INCR": 256, "WRAP": 32, "FIXED": 17, "RESERVED": 2}
_NEED_OTHER_MODE = ("denied: sev off", "denied: sme off")
_LENGTH_BEATS = {"1": 1, "2 to 4": 4, "5 to 16": 8, "17 to 255": 100, "256": 256}


class _Shapes:
    """Accesses of a wanted shape."""

    def __init__(self, bench: Directed):
        self.bench = bench
        self._c_bit = bench.bed.model.c_bit
        self._places = itertools.cycle(range(0, PAGE_BYTES, _PLACE_BYTES))
        self._pages = {"plain": 0x1000, "host key": 0x2000, "own key": 0x3000}
        self._views: dict[str, dict[str, Any]] = {
            "plain": {"c_bit": False}, "host key": {}, "own key": {"asid": 1}, "denied: malformed": {},
            "denied: address": {}, "denied: asid range": {"asid": bench.bed.model.asid_count, "c_bit": False},
            "denied: sev off": {"asid": 1}, "denied: slot inactive": {"asid": bench.bed.model.asid_count - 1},
            "denied: dma private": {"asid": 1, "dma": True}, "denied: sme off": {}}

    def place(self, decision: str) -> int:
        """Lines that no access of late has had."""
        return self._pages.get(decision, 0x4000) + next(self._places)

    def access(self, decision: str, start: int, *, strobe: str, delays: tuple[int, int] = (0, 0),
               **fields: Any) -> Transaction:
        """An access with that decision, and that strobe, or a read."""
        fields = {"identifier": self.bench.rng.randrange(self.bench.ids), **self._views[decision], **fields}
        if decision == "denied: address":
            start |= 1 << self._c_bit + 1
        address = self.bench.address(start, **fields)
        return Transaction(address) if strobe == READ else Transaction(
            address, self._data(start, strobe, address.len + 1, address.size, address.burst), *delays)

    def of(self, burst: str, size: str, strobe: str, decision: str) -> Transaction:
        """An access of a bin of the cross `shape`."""
        start, log_size = self.place(decision), (BLOCK_BYTES if size == WIDER else int(size)).bit_length() - 1
        beats = _WELL_FORMED_BEATS.get(burst, 1)
        if decision == "denied: malformed":
            beats = _MALFORMED_BEATS[burst]
            start = (start & -PAGE_BYTES) + PAGE_BYTES - (1 << log_size) if burst == "INCR" else start
        return self.access(decision, start, strobe=strobe, length=beats, burst=Burst[burst],
                           size=log_size + (size == WIDER))

    def _data(self, start: int, strobe: str, length: int, size: int, burst: int) -> list[WriteData]:
        rng = self.bench.rng
        if burst == Burst.RESERVED or 1 << size > BLOCK_BYTES:
            lanes = [ALL_LANES] * length
        else:
            lanes = [beat.lanes for beat in burst_beats(start, length, size, Burst(burst))]
        first = lanes[0] & -lanes[0]
        strobes = {"whole": lanes, "empty": [0] * length, "one byte": [first] + [0] * (length - 1),
                   "beats left out": [beat * (number % 2) for number, beat in enumerate(lanes)],
                   "holes": [lanes[0] & ~(first << 1), *lanes[1:]], "part": [lanes[0] & ~first, *lanes[1:]]}[strobe]
        return [WriteData(rng.getrandbits(8 * BLOCK_BYTES), lanes, int(number == length))
                for number, lanes in enumerate(strobes, 1)]

    async def perform(self, accesses: Iterable[Transaction]) -> None:
        """All, a few at a time, none in the place of another."""
        waiting = list(accesses)
        for first in range(0, len(waiting), _TOGETHER):
            await self.bench.perform(*waiting[first:first + _TOGETHER])


def _bins(bench: Directed, cross: str) -> list[tuple[str, ...]]:
    """Those that can be hit, in any order."""
    bins = cross_bins(cross)
    left_out = impossible(cross, bins, bench.session.config)
    possible = [one for one in bins if one not in left_out]
    bench.rng.shuffle(possible)
    return possible


@cocotb.test()
async def every_burst_size_strobe_and_decision(dut: Any) -> None:
    """Each is answered, and leaves in DRAM, what the golden model says."""
    bench = Directed(dut)
    shapes, bins = _Shapes(bench), _bins(bench, "shape")
    for mode in ({"sme": True, "sev": True}, {"sme": False, "sev": False}):
        await bench.start(0, 1, **mode)
        await shapes.perform(shapes.of(*one) for one in bins if (one[3] in _NEED_OTHER_MODE) != mode["sme"])
        await bench.settle()
    await bench.finish()


@cocotb.test()
async def every_alignment_and_length(dut: Any) -> None:
    """Of each kind of burst, read and written, plain and encrypted."""
    bench = Directed(dut)
    await bench.start()
    shapes = _Shapes(bench)
    for decision, strobe in itertools.product(("plain", "own key"), (READ, "whole")):
        accesses = []
        for burst, size, alignment in _bins(bench, "alignment"):
            offset = {"line": 0, "block": BLOCK_BYTES, "beat": BLOCK_BYTES + int(size),
                      "none": BLOCK_BYTES + 1}[alignment]
            accesses.append(shapes.access(decision, shapes.place(decision) + offset, strobe=strobe, length=2,
                                          size=int(size).bit_length() - 1, burst=Burst[burst]))
        await shapes.perform(accesses)
        for access, burst, length in _bins(bench, "length"):
            if access == ("read" if strobe == READ else "write"):
                page = shapes.place(decision) & -PAGE_BYTES
                await shapes.perform([shapes.access(decision, page, strobe=strobe, length=_LENGTH_BEATS[length],
                                                    burst=Burst[burst])])
    await bench.finish()


@cocotb.test()
async def every_decision_of_exclusives(dut: Any) -> None:
    """None is OKAY that would be denied otherwise."""
    bench = Directed(dut)
    shapes = _Shapes(bench)
    for mode in ({"sme": True, "sev": True}, {"sme": False, "sev": False}):
        await bench.start(0, 1, **mode)
        accesses = [
            shapes.access(decision, shapes.place(decision), strobe=READ if access == READ else "whole",
                          lock=lock == "exclusive", size=5 if decision == "denied: malformed" else 4)
            for access, decision, lock in _bins(bench, "exclusive") if (decision in _NEED_OTHER_MODE) != mode["sme"]]
        await shapes.perform(accesses)
        await bench.settle()
    await bench.finish()


@cocotb.test()
async def every_order_and_answer(dut: Any) -> None:
    """Address and data of a write in each order; each answer that DRAM can give to each kind of access."""
    bench = Directed(dut)
    await bench.start()
    shapes = _Shapes(bench)
    strobes = {"plain write": ("plain", "whole"), "line write": ("own key", "whole"),
               "partial write": ("own key", "part"), "denied write": ("denied: malformed", "whole")}
    delays = {"address first": (0, 30), "data first": (30, 0), "together": (0, 0)}
    for kind, order in _bins(bench, "order"):
        decision, strobe = strobes[kind]
        await shapes.perform([shapes.access(decision, shapes.place(decision), strobe=strobe, delays=delays[order],
                                            **_malformed(decision))])
    for decision, strobe in (("plain", READ), ("own key", READ), *strobes.values()):
        for code in (Response.SLVERR, Response.DECERR):
            start = shapes.place(decision)
            for memory, errors in itertools.product((bench.bed.dram, bench.bed.model.dram),
                                                    ("read_errors", "write_errors")):
                getattr(memory, errors)[start] = code
            await shapes.perform([shapes.access(decision, start, strobe=strobe, **_malformed(decision))])
    pair: dict[str, Any] = {"lock": 1, "identifier": 0}
    place = shapes.place("plain")
    for strobe in (READ, "whole"):
        await shapes.perform([shapes.access("plain", place, strobe=strobe, **pair)])
    if bench.bed.model.addr_width > bench.bed.model.c_bit + 1:
        await shapes.perform(shapes.access("denied: address", shapes.place("denied: address"), strobe=strobe)
                             for strobe in (READ, "whole"))
    await bench.finish()


def _malformed(decision: str) -> dict[str, Any]:
    return {"burst": Burst.RESERVED} if decision == "denied: malformed" else {}
