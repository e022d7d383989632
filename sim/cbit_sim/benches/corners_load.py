"""Corners of long and narrow bursts, slow memory and crowds, one directed test each; the top is the engine.

Parameters: ``seed``.
"""

import itertools
from collections.abc import Callable
from typing import Any

import cocotb

from cbit_model.access import BLOCK_BYTES, Burst, Response
from cbit_model.dram import LINE_BYTES
from cbit_model.memory import ALL_LANES
from cbit_sim.beats import WriteData
from cbit_sim.directed import Directed
from cbit_sim.dram import Personality
from cbit_sim.manager import Transaction
from cbit_sim.pauses import pauses, stalled_until
from cbit_sim.traffic import PAGE_BYTES

_SWIFT = Personality(latency_cycles=(1, 1), reorder=False, interleave=False)
_CROWD_CYCLES = 600
_SERIAL_BURST_CYCLES = 8
_PLAIN_PAGES = range(2, 4)


class _Crowd:
    """Keeps the bus full of one kind of access from now on."""

    def __init__(self, bench: Directed, make: Callable[[], Transaction]):
        self.is_there = True
        self._manager = bench.bed.manager
        self._make = make
        bench.bed.clocked.add(self)

    def step(self) -> None:
        while self.is_there and self._manager.backlog < 2:
            self._manager.submit(self._make())


def _shape(bench: Directed) -> dict[str, Any]:
    """A burst that touches few bytes in many beats; from an address within its page."""
    size = bench.rng.choice((0, 1, 2, 3))
    burst = bench.rng.choice((Burst.INCR, Burst.INCR, Burst.WRAP, Burst.FIXED))
    if burst == Burst.INCR:
        length = min(256, (PAGE_BYTES - 8 * LINE_BYTES) >> size)
        return {"start": bench.rng.randrange(8 * LINE_BYTES), "length": length, "size": size, "burst": burst}
    start = bench.rng.randrange(8 * LINE_BYTES) & -(1 << size)
    return {"start": start, "length": bench.rng.choice((2, 4, 8, 16)), "size": size, "burst": burst}


def _sparse(bench: Directed, write: Transaction) -> Transaction:
    """The write with other strobes on each beat."""
    write.data = [beat._replace(strb=beat.strb & bench.rng.getrandbits(bench.bus_bytes)) for beat in write.data or ()]
    return write


@cocotb.test()
async def narrow_sparse_bursts_between_plain_ones_of_their_id(dut: Any) -> None:
    """INCR of up to 256 beats, WRAP within a block and over lines, FIXED; every byte where it belongs, in order."""
    bench = Directed(dut, manager_pauses=pauses("light", 5), dram_pauses=pauses("mixed", 6))
    await bench.start()

    def sparse_write(**view: Any) -> Transaction:
        return _sparse(bench, bench.write(**view))

    for latency_cycles, make in itertools.product(((1, 1), (1, 60)), (sparse_write, bench.read, sparse_write)):
        bench.bed.dram.personality = Personality(latency_cycles=latency_cycles)
        for number in range(48):
            c_bit = number % 3 != 0
            page = bench.rng.randrange(2) if c_bit else bench.rng.choice(_PLAIN_PAGES)
            shape = _shape(bench)
            bench.bed.manager.submit(make(**shape | {"start": PAGE_BYTES * page + shape["start"], "c_bit": c_bit}))
        await bench.settle()
    await bench.finish()


@cocotb.test()
async def dram_takes_thousands_of_cycles(dut: Any) -> None:
    """Full tables, partial writes that wait for each other, reads behind them: nothing is lost, nothing gives up."""
    bench = Directed(dut, personality=Personality(latency_cycles=(1, 4000)))
    await bench.start()
    transactions = []
    for number in range(150):
        start = bench.rng.randrange(0, 24 * LINE_BYTES, BLOCK_BYTES)
        view: dict[str, Any] = {"identifier": bench.rng.randrange(bench.ids), "size": bench.rng.choice(bench.sizes)}
        if number % 3 == 0:
            transactions.append(bench.read(start, length=4, **view))
            continue
        transactions.append(bench.write(start, length=bench.rng.randint(1, 4), is_shared=True, **view))
    await bench.bed.manager.perform(*transactions, limit_cycles=500_000 * bench.bed.patience)
    await bench.finish()


@cocotb.test()
async def long_plain_reads_while_data_wait(dut: Any) -> None:
    """More beats are asked for than there is room for while nobody takes any: none is lost, and writes go on."""
    bench = Directed(dut, personality=_SWIFT)
    await bench.start()
    resumed: list[bool] = []
    bench.bed.manager.r.pause = stalled_until(resumed)
    for number in range(16):
        plain = number % 4 != 3
        page = _PLAIN_PAGES[number % 2] if plain else 0
        bench.bed.manager.submit(bench.read(PAGE_BYTES * page, length=PAGE_BYTES // BLOCK_BYTES, c_bit=not plain,
                                            identifier=number % bench.ids))
    await bench.bed.clocked.cycles(3000)
    await bench.bed.manager.perform(
        *(bench.write(PAGE_BYTES + LINE_BYTES * number, length=4) for number in range(24)),
        limit_cycles=3000 * bench.bed.patience)
    resumed.append(True)
    await bench.finish()


@cocotb.test()
async def long_refusals_while_answers_wait(dut: Any) -> None:
    """Denied bursts of 256 beats between others, answers held back: reads go on, and the answers come in order; then
    the same for reads."""
    bench = Directed(dut)
    await bench.start()
    for stalled, held, free in ((bench.bed.manager.b, bench.write, bench.read),
                                (bench.bed.manager.r, bench.read, bench.write)):
        resumed: list[bool] = []
        stalled.pause = stalled_until(resumed)
        waiting = []
        for number in range(24):
            start = PAGE_BYTES * (number % 2) + 2 * LINE_BYTES * number
            view: dict[str, Any] = {"c_bit": number % 2 == 0, "length": 4, "identifier": number // 3 % bench.ids}
            if number % 3 == 1:
                view |= {"burst": Burst.RESERVED, "length": 256}
            waiting.append(held(start, **view))
            bench.bed.manager.submit(waiting[-1])
        await bench.bed.clocked.cycles(1000)
        await bench.bed.manager.perform(
            *(free(PAGE_BYTES * _PLAIN_PAGES[number % 2] + LINE_BYTES * number, length=4, c_bit=number % 2 == 0)
              for number in range(24)), limit_cycles=3000 * bench.bed.patience)
        assert not any(transaction.responses for transaction in waiting)
        resumed.append(True)
        await bench.settle()
        for identifier in range(bench.ids):
            ends = [transaction.ended for transaction in waiting if transaction.address.id == identifier]
            assert ends == sorted(ends)
        assert [transaction.responses[0] for transaction in waiting[1::3]] == [Response.SLVERR] * 8
    await bench.finish()


@cocotb.test()
async def nobody_starves_in_a_crowd(dut: Any) -> None:
    """While another ID fills the bus with plain beats, one a cycle, encrypted, partial and denied accesses end. A
    serial engine takes a burst of one beat every few cycles."""
    bench = Directed(dut, personality=_SWIFT)
    await bench.start()
    burst_cycles = _SERIAL_BURST_CYCLES * bench.bed.patience if bench.session.config["serial"] else 1
    address = bench.address(PAGE_BYTES * _PLAIN_PAGES[0], c_bit=False)
    beat = WriteData(0, ALL_LANES, 1)
    for channel, make in (("r", lambda: Transaction(address)), ("w", lambda: Transaction(address, [beat]))):
        before = bench.bed.dram.beats[channel]
        crowd = _Crowd(bench, make)
        await bench.bed.clocked.cycles(_CROWD_CYCLES)
        assert bench.bed.dram.beats[channel] - before > 0.9 * _CROWD_CYCLES / burst_cycles
        view: dict[str, Any] = {"length": 4, "identifier": 1}
        absent = view | {"asid": bench.bed.model.asid_count - 1}
        for lonely in (bench.read(0x100, **view), bench.write(0x200, **view), bench.write(0x300, strobe=1, **view),
                       bench.read(0x100, **absent), bench.write(0x100, **absent)):
            await bench.bed.manager.perform(lonely, limit_cycles=_CROWD_CYCLES * bench.bed.patience)
        crowd.is_there = False
        await bench.settle()
    await bench.finish()
