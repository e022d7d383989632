"""Every pair of accesses that can be in flight at once: what came first, what meets it, where, under which ID.

The pairs are those that :mod:`cbit_sim.coverage` counts. Parameters: ``seed``.
"""

from typing import Any

import cocotb

from cbit_model.access import BLOCK_BYTES, Burst
from cbit_model.dram import LINE_BYTES
from cbit_model.memory import ALL_LANES
from cbit_sim.coverage.crosses import cross_bins
from cbit_sim.coverage.rules import impossible
from cbit_sim.directed import Directed
from cbit_sim.dram import Personality
from cbit_sim.manager import Transaction
from cbit_sim.pauses import stalled_until

_SLOW = Personality(latency_cycles=(40, 80))
_ACCEPTED_CYCLES = 30
"""An address is taken within these, and an access is in flight for longer."""

_ASID = 1
_LONG_BEATS = 256
_STROBES = {"partial write": 0x0FF8}
_PAGE_OF_PLAIN = 0x8000


def _access(bench: Directed, kind: str, start: int, identifier: int, *, keeps: bool) -> Transaction:
    """An access of a kind to the block at ``start``; a write that ``keeps`` brings what is there already."""
    is_write, is_plain = kind.endswith("write"), kind.startswith("plain")
    view: dict[str, Any] = {"identifier": identifier}
    if kind.startswith("denied"):
        view |= {"burst": Burst.RESERVED, "length": _LONG_BEATS}
    else:
        view |= {"c_bit": False} if is_plain else {"asid": _ASID}
    if not is_write:
        return bench.read(start, **view)
    data = _present(bench, start, is_plain=is_plain) if keeps else None
    return bench.write(start, strobe=_STROBES.get(kind, ALL_LANES), data=data, **view)


def _present(bench: Directed, block: int, *, is_plain: bool) -> bytes:
    """What a block holds, as a writer names it."""
    model = bench.bed.model
    stored = bytes(model.dram.content[block:block + BLOCK_BYTES])
    if is_plain:
        return stored
    return model.slots.key(_ASID).decrypt(stored, address=block, data_unit_bytes=model.data_unit_bytes)


@cocotb.test()
async def every_pair_in_flight(dut: Any) -> None:
    """Where the order of two writers of a block, or of one with and one without the key, is nobody's to say, they bring
    what is there already."""
    bench = Directed(dut, personality=_SLOW)
    await bench.start()
    bins = cross_bins("meeting")
    left_out = impossible("meeting", bins, bench.session.config)
    for number, (younger, older, place, identity) in enumerate(one for one in bins if one not in left_out):
        start = 0x1000 + number * LINE_BYTES % 0x4000
        offset = {"same block": 0, "same line": 2 * BLOCK_BYTES, "elsewhere": 4 * LINE_BYTES}[place]
        identifier = int(identity == "other ID")
        keeps = place == "same block" and (identity == "other ID"
                                           or younger.startswith("plain") != older.startswith("plain"))
        first = _access(bench, older, start, 0, keeps=keeps)
        second = _access(bench, younger, start + offset, identifier, keeps=keeps)
        bench.bed.manager.submit(first)
        if first.is_write != second.is_write:
            await bench.bed.clocked.cycles(_ACCEPTED_CYCLES)
        await bench.perform(second)
        await bench.bed.quiet()
    await bench.finish()


@cocotb.test()
async def aliases_under_one_key(dut: Any) -> None:
    """A guest's fetches are private without the C-bit, too: both names are one block, in parts and in order."""
    bench = Directed(dut, personality=_SLOW)
    await bench.start()
    for number in range(8):
        start = 0x2000 + LINE_BYTES * number
        names: list[dict[str, Any]] = [{"asid": _ASID}, {"asid": _ASID, "c_bit": False, "prot": 4}]
        first, second = names[::1 - 2 * (number % 2)]
        await bench.perform(bench.write(start, strobe=0x00FF, **first), bench.write(start, strobe=0x7F80, **second))
        await bench.perform(bench.write(start, strobe=0x0FF0, **first), bench.write(start, **second))
        await bench.in_turn(bench.read(start, length=4, **first), bench.read(start, length=4, **second))
    await bench.finish()


@cocotb.test()
async def a_crowd_passes_a_line(dut: Any) -> None:
    """Plain writes pass a line that waits for its read, as many as there may be, and then wait for it, or in a serial
    engine from the first on; all reads and all writes that can be in flight are."""
    release: list[bool] = []
    bench = Directed(dut, dram_pauses={"r": stalled_until(release)})
    await bench.start()
    entries = int(bench.session.config["max_outstanding"])
    line = bench.write(0x2000, strobe=0x00FF, asid=_ASID)
    bench.bed.manager.submit(line)
    await bench.bed.clocked.cycles(_ACCEPTED_CYCLES)
    plain = [bench.write(_PAGE_OF_PLAIN + LINE_BYTES * number, c_bit=False, identifier=1)
             for number in range(3 * entries)]
    reads = [bench.read(0x3000 + LINE_BYTES * number, c_bit=False) for number in range(2 * entries)]
    for transaction in (*plain, *reads):
        bench.bed.manager.submit(transaction)
    await bench.bed.clocked.cycles(100 * entries)
    assert line.ended < 0
    passed = sum(write.ended >= 0 for write in plain)
    assert passed == 0 if bench.session.config["serial"] else passed >= 2 * entries
    release.append(True)
    await bench.finish()
