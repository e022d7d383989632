"""Corners of a memory controller's port, one directed test each; the top is the wire or the engine before a chip.

Parameters: ``seed``; ``memory_bytes`` of the chip. Accesses are plain, so that they reach the controller as they are.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import cocotb

from cbit_model.access import Burst, Response
from cbit_model.dram import LINE_BYTES
from cbit_sim.directed import Directed
from cbit_sim.manager import Transaction
from cbit_sim.traffic import PAGE_BYTES

_BEATS = (1, 2, 3, 16)
_FLOOD = 60
_STALL_CYCLES = 3000


def _plain(**view: Any) -> dict[str, Any]:
    return {"c_bit": False, **view}


async def _started(dut: Any, **pauses: Any) -> Directed:
    """A bench after release, with nothing in flight."""
    bench = Directed(dut, **pauses)
    bench.bed.fill_dram()
    await bench.bed.reset()
    await bench.bed.release()
    return bench


def _beyond(bench: Directed) -> Iterator[int]:
    """Addresses that a memory with an address too narrow would take for others: the first beyond it, and of each bit
    above it one."""
    size = int(bench.session.parameters["memory_bytes"])
    for bit in range(size.bit_length() - 1, bench.bed.model.c_bit):
        yield (1 << bit) + bench.rng.randrange(0, PAGE_BYTES, LINE_BYTES)


@cocotb.test()
async def narrow_and_unaligned_bursts(dut: Any) -> None:
    """Every size at every byte of a block, in bursts of few and many beats, written and read."""
    bench = await _started(dut)
    for size, offset in itertools.product(range(bench.bus_size + 1), range(bench.bus_bytes)):
        view = _plain(size=size, length=bench.rng.choice(_BEATS))
        start = bench.rng.randrange(0, PAGE_BYTES - 1024, LINE_BYTES) + offset
        await bench.in_turn(bench.write(start, **view), bench.read(start, **view),
                            bench.read(start & -bench.bus_bytes, **_plain(length=4)))
    await bench.finish()


@cocotb.test()
async def wrapping_bursts(dut: Any) -> None:
    """Every size and length that wraps, from every beat of its container on."""
    bench = await _started(dut)
    for size, length in itertools.product(range(bench.bus_size + 1), (2, 4, 8, 16)):
        for first in range(length):
            start = 0x800 + (first << size)
            view = _plain(size=size, length=length, burst=Burst.WRAP)
            await bench.in_turn(bench.write(start, **view), bench.read(start, **view))
    await bench.finish()


@cocotb.test()
async def fixed_bursts(dut: Any) -> None:
    """The last beat stays, of each byte."""
    bench = await _started(dut)
    for size, length in itertools.product(range(bench.bus_size + 1), _BEATS):
        start = bench.rng.randrange(0, PAGE_BYTES, 1 << size)
        view = _plain(size=size, length=length, burst=Burst.FIXED)
        await bench.in_turn(bench.write(start, strobe=bench.rng.getrandbits(16), **view), bench.write(start, **view),
                            bench.read(start, **view))
    await bench.finish()


@cocotb.test()
async def long_bursts_to_the_end_of_memory(dut: Any) -> None:
    """256 beats, which end with a page."""
    bench = await _started(dut)
    for start in (0, 0xF000):
        view = _plain(length=256)
        await bench.in_turn(bench.write(start, **view), bench.read(start, **view))
    await bench.finish()


@cocotb.test()
async def strobes(dut: Any) -> None:
    """Each byte of a block alone, all but one, none, and random ones; neighbors stay."""
    bench = await _started(dut)
    alone = [1 << lane for lane in range(16)]
    patterns = [0, *alone, *(0xFFFF ^ lane for lane in alone), *(bench.rng.getrandbits(16) for _ in range(40))]
    for strobe in patterns:
        start = bench.rng.randrange(0, PAGE_BYTES, LINE_BYTES)
        await bench.in_turn(bench.write(start, strobe=strobe, **_plain(length=4)),
                            bench.read(start, **_plain(length=4)))
    await bench.finish()


@cocotb.test()
async def reads_see_the_writes_before_them(dut: Any) -> None:
    """A line is written and read as soon as the write is answered, and written again while others are on their way."""
    bench = await _started(dut)
    for _ in range(60):
        start = bench.rng.randrange(0, 0x10000, LINE_BYTES)
        write = bench.write(start, **_plain(length=4, identifier=bench.rng.randrange(4)))
        others = [bench.read(bench.rng.randrange(0, 0x10000, LINE_BYTES), **_plain(length=4, identifier=number % 4))
                  for number in range(6)]
        for other in others:
            bench.bed.manager.submit(other)
        await bench.in_turn(write, bench.read(start, **_plain(length=4)))
    await bench.finish()


@cocotb.test()
async def beyond_the_memory(dut: Any) -> None:
    """Answered with DECERR in the order of each ID, read as zeros, and nothing is written anywhere: not at the address
    that has the same lower bits either."""
    bench = await _started(dut)
    for start in _beyond(bench):
        length = bench.rng.choice(_BEATS)
        within = start & PAGE_BYTES - 1
        around = [bench.write(within, **_plain(length=4)), bench.read(within, **_plain(length=4))]
        refused = [bench.write(start, **_plain(length=length)), bench.read(start, **_plain(length=length))]
        await bench.perform(around[0], refused[0], bench.write(within + 0x1000, **_plain(length=4)))
        await bench.perform(around[1], refused[1], bench.read(within + 0x1000, **_plain(length=4)))
        assert {*refused[0].responses, *refused[1].responses} == {Response.DECERR}
        assert not any(refused[1].read)
        assert around[1].answered < refused[1].answered
    await bench.finish()


@cocotb.test()
async def exclusive_writes_fail(dut: Any) -> None:
    """They are answered with OKAY, which says so, and nothing is written; an exclusive read reads."""
    bench = await _started(dut)
    for size in range(bench.bus_size + 1):
        view = _plain(size=size, lock=1)
        read, write = bench.read(0x40, **view), bench.write(0x40, **view)
        await bench.in_turn(read, write, bench.read(0x40, **_plain(length=4)))
        assert read.responses == write.responses == [Response.OKAY]
    await bench.finish()


def _after(cycles: int) -> Iterator[bool]:
    return itertools.chain([True] * cycles, itertools.cycle([False]))


@cocotb.test()
async def answers_that_nobody_takes(dut: Any) -> None:
    """So many writes and reads whose answers wait for thousands of cycles that all queues are full: none is lost."""
    bench = await _started(dut, manager_pauses={channel: _after(_STALL_CYCLES) for channel in ("b", "r")})
    flood = [access for number in range(_FLOOD) for access in (
        bench.write(0x1000 + LINE_BYTES * number, **_plain(length=1 + number % 4, identifier=number % 4)),
        bench.read(LINE_BYTES * number, **_plain(length=1 + number % 4, identifier=number % 4)))]
    await bench.perform(*flood)
    await bench.perform(*(bench.read(0x1000 + LINE_BYTES * number, **_plain(length=4)) for number in range(_FLOOD)))
    await bench.finish()


@cocotb.test()
async def refresh_goes_on_under_load(dut: Any) -> None:
    """Reads without a gap, for as long as several times between refreshes: the chip notes one that is late."""
    bench = await _started(dut)
    chip = bench.bed.chip
    assert chip is not None
    before = chip.refreshes
    lines = [bench.rng.randrange(0, 0x10000, LINE_BYTES) for _ in range(150)]
    reads = [bench.read(start, **_plain(length=4, identifier=number % 4)) for number, start in enumerate(lines)]
    await bench.perform(*reads)
    assert chip.refreshes - before > 2
    await bench.finish()


@cocotb.test()
async def accesses_wait_for_the_chip(dut: Any) -> None:
    """What is offered while the chip is initialized is done afterwards."""
    bench = Directed(dut)
    bench.bed.fill_dram()
    await bench.bed.reset(is_awaited=False)
    if bench.bed.psp is not None:
        await bench.bed.psp.wait_ready()
    await bench.bed.release()
    chip = bench.bed.chip
    assert chip is not None
    assert not chip.is_ready()
    write, read = bench.write(0x40, **_plain(length=4)), bench.read(0x80, **_plain(length=4))
    await bench.perform(write, read)
    assert chip.is_ready()
    await bench.finish()


@cocotb.test()
async def resets_at_any_moment(dut: Any) -> None:
    """After a reset in the middle of bursts the chip is as it must be, what was written has at most been begun, and all
    else is as it was."""
    bench = await _started(dut)
    for _ in range(12):
        flood: list[Transaction] = []
        for number in range(20):
            start = bench.rng.randrange(0, 0x8000, LINE_BYTES)
            flood += [bench.write(start, **_plain(length=4, identifier=number % 4)),
                      bench.read(start ^ 0x8000, **_plain(length=4, identifier=number % 4))]
        for access in flood:
            bench.bed.manager.submit(access)
        await bench.bed.clocked.cycles(bench.rng.randrange(600))
        bench.bed.clocked.held = True
        dut.rst.value = 1
        bench.bed.manager.reset()
        await bench.bed.clocked.cycles(bench.rng.choice((1, 1, 2, 5)))
        dut.rst.value = 0
        # What was on its way to the pins has arrived; then another reset strikes, while the chip is initialized.
        await bench.bed.clocked.cycles(bench.rng.randrange(5, 500))
        bench.board.abandon(bench.bed.dram.memory)
        await bench.bed.reset()
        await bench.bed.release()
        for start in (0x40, 0x8040):
            await bench.in_turn(bench.write(start, **_plain(length=4)), bench.read(start, **_plain(length=4)))
        await bench.settle()
    await bench.finish()
