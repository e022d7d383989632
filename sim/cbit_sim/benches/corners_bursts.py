"""Corners of bursts, strobes and the pairing of addresses and data, one directed test each; the top is the engine.

Parameters: ``seed``; ``strobe_patterns`` (default 600) of the 65,536 in the test of them.
"""

import itertools
from typing import Any

import cocotb

from cbit_model.access import BLOCK_BYTES, Burst
from cbit_model.dram import LINE_BYTES
from cbit_model.memory import ALL_LANES
from cbit_sim.directed import Directed
from cbit_sim.dram import Personality
from cbit_sim.traffic import PAGE_BYTES

_SLOW = Personality(latency_cycles=(20, 60))


class _Sparse:
    """The bytes of a DRAM too large to be held: those that are written, and zeros."""

    def __init__(self, size_bytes: int):
        self._size_bytes = size_bytes
        self._written: dict[int, int] = {}

    def __len__(self) -> int:
        return self._size_bytes

    def __getitem__(self, span: slice) -> bytes:
        return bytes(self._written.get(place, 0) for place in range(span.start, span.stop))

    def __setitem__(self, place: slice | int, value: Any) -> None:
        if isinstance(place, int):
            self._written[place] = value
        else:
            self._written |= zip(range(place.start, place.stop), value, strict=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sparse) and self._written == other._written


@cocotb.test()
async def every_bit_of_an_address_counts(dut: Any) -> None:
    """In DRAM as large as it can be, each bit alone and all but one: plain, encrypted and shared, whole and partial."""
    bench = Directed(dut)
    await bench.bed.reset()
    await bench.bed.install(0, 1)
    await bench.bed.release(sme=True, sev=True)
    size_bytes = 1 << bench.bed.model.c_bit
    for dram, name in ((bench.bed.dram, "memory"), (bench.bed.model.dram, "content")):
        setattr(dram, name, _Sparse(size_bytes))
    for bit in range(LINE_BYTES.bit_length() - 1, bench.bed.model.c_bit):
        for start in (1 << bit, size_bytes - LINE_BYTES & ~(1 << bit)):
            for view in ({"c_bit": False}, {"asid": 1}, {"asid": 1, "c_bit": False},
                         {"asid": 1, "c_bit": False, "npt_c": True}):
                await bench.in_turn(bench.write(start, length=4, **view), bench.write(start, strobe=0x0FF0, **view),
                                    bench.read(start, length=4, **view))
    await bench.finish()


@cocotb.test()
async def incr_bursts_of_every_length(dut: Any) -> None:
    """1 to 256 beats, aligned to blocks and lines or not, encrypted and plain."""
    bench = Directed(dut)
    await bench.start()
    lengths = (*range(1, 34), 63, 64, 65, 127, 128, 129, 255, 256)
    for size, length in itertools.product(bench.sizes, lengths):
        room = PAGE_BYTES - (length << size)
        if room < 0:
            continue
        start = min(room, bench.rng.randrange(0, PAGE_BYTES, BLOCK_BYTES)) & -(1 << size)
        for page, c_bit in ((0, True), (1, False)):
            view: dict[str, Any] = {"length": length, "size": size, "c_bit": c_bit}
            await bench.in_turn(bench.write(page * PAGE_BYTES + start, **view),
                                bench.read(page * PAGE_BYTES + start, **view))
    await bench.finish()


@cocotb.test()
async def wrap_bursts_begin_with_the_critical_word(dut: Any) -> None:
    """2, 4, 8 and 16 beats of every size from every start: the tweak comes from each beat's own address."""
    bench = Directed(dut)
    await bench.start()
    for length, size in itertools.product((2, 4, 8, 16), range(bench.bus_size + 1)):
        span = length << size
        starts = range(0, span, 1 << size)
        for start in (*bench.rng.sample(starts, k=min(3, len(starts))), starts[-1]):
            view: dict[str, Any] = {"length": length, "size": size, "burst": Burst.WRAP, "asid": 1}
            await bench.in_turn(bench.write(0x2000 + start, **view), bench.read(0x2000 + start, **view))
    await bench.in_turn(bench.read(0x2000, length=64, asid=1))
    await bench.finish()


@cocotb.test()
async def fixed_bursts_leave_the_last_byte(dut: Any) -> None:
    """1 to 16 beats to one place, whole, narrow and unaligned."""
    bench = Directed(dut)
    await bench.start()
    for length, size, offset in itertools.product((1, 2, 3, 15, 16), (0, 2, *bench.sizes), (0, 5, 12)):
        for c_bit, page in ((True, 0), (False, 1)):
            view: dict[str, Any] = {"length": length, "size": size, "burst": Burst.FIXED, "c_bit": c_bit}
            start = page * PAGE_BYTES + 0x300 + offset
            await bench.in_turn(bench.write(start, strobe=bench.rng.randrange(1, 1 << 16), **view),
                                bench.read(start, **view),
                                bench.read(start & -LINE_BYTES, length=4, c_bit=c_bit))
    await bench.finish()


@cocotb.test()
async def narrow_and_unaligned_lanes(dut: Any) -> None:
    """Every size from every byte of a line: lanes are gathered before the cipher."""
    bench = Directed(dut)
    await bench.start()
    for size, offset in itertools.product(range(bench.bus_size + 1), range(bench.bus_bytes)):
        view: dict[str, Any] = {"length": bench.rng.randint(1, 9), "size": size, "asid": 1}
        await bench.in_turn(bench.write(0x100 + offset, **view), bench.read(0x100 + offset, **view),
                            bench.read(0xF0, length=12 * bench.bus_bytes // BLOCK_BYTES, asid=1))
    await bench.finish()


@cocotb.test()
async def every_strobe_pattern_on_a_block(dut: Any) -> None:
    """Bytes outside the strobe stay; alone, and on each block of a wider beat."""
    bench = Directed(dut)
    await bench.start()
    count = bench.session.parameters.get("strobe_patterns", 600)
    edges = [ALL_LANES >> shift & ALL_LANES << low & ALL_LANES for shift in range(16) for low in range(16)]
    patterns = (edges + bench.rng.sample(range(1 << BLOCK_BYTES), k=1 << BLOCK_BYTES))[:count]
    for size, (number, strobe) in itertools.product(bench.sizes, enumerate(patterns)):
        bench.bed.manager.submit(bench.write((number % 64 << size) % PAGE_BYTES, size=size, strobe=strobe))
        if number % 64 == 63:
            await bench.bed.quiet()
            await bench.perform(bench.read(0, length=64, size=size))
    await bench.finish()


@cocotb.test()
async def only_missing_bytes_are_read(dut: Any) -> None:
    """Whole blocks are written without a read; the beat of a partial one is read once, alone, never across a page's
    end."""
    bench = Directed(dut)
    await bench.start()
    reads = bench.bed.dram.beats
    await bench.perform(*(bench.write(LINE_BYTES * 2 * number, length=number + 1) for number in range(8)))
    assert reads["r"] == 0
    for number, (start, length, size, partial_blocks) in enumerate((
            (0x800, 1, 3, (0x800,)), (0x804, 4, 4, (0x800,)), (0x808, 2, 3, (0x800, 0x810)),
            (PAGE_BYTES - 8, 1, 3, (PAGE_BYTES - 16,)), (0x900, 32, 0, ()), (0x901, 32, 0, (0x900, 0x920)),
            (PAGE_BYTES - LINE_BYTES, 4, 4, ()), (0xA10, 1, 4, ()), (0xA30, 1, 4, ())), 1):
        before = reads["r"]
        await bench.perform(bench.write(start, length=length, size=size))
        assert reads["r"] - before == len({block & -bench.bus_bytes for block in partial_blocks}), \
            f"write number {number}"
    await bench.finish()


@cocotb.test()
async def empty_strobes_write_nothing(dut: Any) -> None:
    """DRAM sees no strobe; the answer comes all the same."""
    bench = Directed(dut)
    await bench.start()
    before = bytes(bench.bed.dram.memory)
    await bench.perform(*(bench.write(0x80 * number, length=5, strobe=0, identifier=number % bench.ids)
                          for number in range(8)))
    assert bench.bed.dram.memory == before
    await bench.finish()


@cocotb.test()
async def data_before_and_long_after_its_address(dut: Any) -> None:
    """W leads AW and follows it by up to 100 cycles, and is never paired with another address."""
    bench = Directed(dut)
    await bench.start()
    writes = [bench.write(2 * LINE_BYTES * number, length=number % 6 + 1, identifier=number % bench.ids,
                          c_bit=number % 3 != 0, delays=(delay, 0) if number % 2 else (0, delay))
              for number, delay in enumerate((0, 1, 2, 3, 10, 30, 100, 100, 0, 0, 1, 60))]
    await bench.perform(*writes)
    await bench.in_turn(*(bench.read(2 * LINE_BYTES * number, length=number % 6 + 1, c_bit=number % 3 != 0)
                          for number in range(len(writes))))
    await bench.finish()
