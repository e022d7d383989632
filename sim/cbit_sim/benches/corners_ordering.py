"""Corners of DRAM's errors, of order, hazards and stalls, one directed test each; the top is the engine.

Parameters: ``seed``.
"""

import itertools
from typing import Any

import cocotb

from cbit_model.access import BLOCK_BYTES, Burst, Response
from cbit_model.dram import LINE_BYTES
from cbit_model.memory import ALL_LANES
from cbit_sim.beats import Address
from cbit_sim.directed import Directed
from cbit_sim.dram import Personality
from cbit_sim.manager import Transaction
from cbit_sim.pauses import stalled_until
from cbit_sim.traffic import PAGE_BYTES

_SLOW = Personality(latency_cycles=(20, 60))


@cocotb.test()
async def read_error_in_a_partial_write(dut: Any) -> None:
    """Nothing of the line is written, and the answer is SLVERR; other lines of the burst are."""
    bench = Directed(dut)
    await bench.start()
    for line, code in ((0x40, Response.SLVERR), (0x200, Response.DECERR)):
        bench.bed.dram.read_errors[line] = bench.bed.model.dram.read_errors[line] = code
        before = bytes(bench.bed.dram.memory[line:line + LINE_BYTES])
        partial = bench.write(line - LINE_BYTES + 8, length=12)
        await bench.in_turn(bench.write(line, strobe=0x00F0, length=4), bench.write(line + 32, strobe=1))
        assert bytes(bench.bed.dram.memory[line:line + LINE_BYTES]) == before
        await bench.in_turn(partial, bench.write(line, length=4))
        assert bytes(bench.bed.dram.memory[line:line + LINE_BYTES]) != before
    await bench.finish()


@cocotb.test()
async def dram_errors_keep_beat_and_id(dut: Any) -> None:
    """An encrypted beat that errs is all ones; a plain one is as DRAM gave it; a write answers the worst."""
    bench = Directed(dut, personality=_SLOW)
    await bench.start()
    for line, code in ((0x1040, Response.SLVERR), (0x1100, Response.DECERR)):
        for errors in ("read_errors", "write_errors"):
            getattr(bench.bed.dram, errors)[line] = getattr(bench.bed.model.dram, errors)[line] = code
    reads = [bench.read(0x1000 + 16 * number, length=24, identifier=number, c_bit=number % 2 == 0)
             for number in range(bench.ids)]
    await bench.perform(*reads)
    assert {bench.all_ones} == {
        data for read in reads[::2] for data, code in zip(read.read, read.responses, strict=True)
        if code != Response.OKAY}
    await bench.perform(*(bench.write(0x1000 + 0x20 * number, length=length, c_bit=False)
                          for number, length in ((0, 4), (2, 4), (0, 20))))
    await bench.in_turn(bench.write(0x1000, length=20), bench.read(0x1000, length=20))
    await bench.finish()


@cocotb.test()
async def exclusives(dut: Any) -> None:
    """Plain: DRAM's monitor answers. Encrypted: never EXOKAY, and the exclusive write changes nothing."""
    bench = Directed(dut)
    await bench.start()
    plain: dict[str, Any] = {"lock": 1, "c_bit": False, "size": 2, "identifier": bench.ids - 1}
    load, store, late = bench.read(0x104, **plain), bench.write(0x104, **plain), bench.write(0x104, **plain)
    await bench.in_turn(load, store, late, bench.read(0x100, c_bit=False))
    assert [load.responses, store.responses, late.responses] == [[Response.EXOKAY], [Response.EXOKAY], [Response.OKAY]]
    for length in (1, 4):
        encrypted: dict[str, Any] = {"lock": 1, "length": length}
        before = bytes(bench.bed.dram.memory)
        await bench.in_turn(bench.read(0x140, **encrypted), bench.write(0x140, **encrypted))
        assert bench.bed.dram.memory == before
    await bench.finish()


@cocotb.test()
async def encrypted_writes_between_an_exclusive_pair(dut: Any) -> None:
    """One to the line that is watched, whole or partial, lets the exclusive write fail; one elsewhere does not."""
    bench = Directed(dut)
    await bench.start()
    pair: dict[str, Any] = {"lock": 1, "c_bit": False, "identifier": 1}
    for start, strobe, expected in ((0x180, ALL_LANES, Response.OKAY), (0x180, 1, Response.OKAY),
                                    (0x280, ALL_LANES, Response.EXOKAY), (0x280, 1, Response.EXOKAY)):
        store = bench.write(0x180, **pair)
        await bench.in_turn(bench.read(0x180, **pair), bench.write(start, strobe=strobe), store)
        assert store.responses == [expected]
        await bench.settle()
    await bench.finish()


@cocotb.test()
async def sideband_passes_and_identity_does_not(dut: Any) -> None:
    """CACHE, PROT, QOS, REGION and ID reach DRAM unchanged; C-bit and ASID never do."""
    bench = Directed(dut)
    await bench.start()
    seen: list[Address] = []

    class Watch:
        def step(self) -> None:
            seen.extend(channel.payload for channel in (bench.bed.dram.ar, bench.bed.dram.aw) if channel.taken)

    bench.bed.clocked.add(Watch())
    assert not hasattr(dut, "m_axi_aruser")
    assert not hasattr(dut, "m_axi_awuser")
    # The line, and single beats from any of its bytes on.
    offsets = (0, *bench.rng.sample(range(LINE_BYTES), k=12))
    for asid, c_bit, offset in itertools.product((0, 1), (True, False), offsets):
        view: dict[str, Any] = {
            "asid": asid, "c_bit": c_bit, "length": 1 if offset else 4, "cache": bench.rng.randrange(16),
            "prot": bench.rng.randrange(4), "qos": bench.rng.randrange(16), "region": bench.rng.randrange(16),
            "identifier": bench.rng.randrange(bench.ids)}
        for transaction in (bench.read(0x440 + offset, **view), bench.write(0x440 + offset, **view)):
            seen.clear()
            await bench.perform(transaction)
            for address in seen:
                assert address[-6:-1] == transaction.address[-6:-1]
                assert address.id == transaction.address.id
                assert address.addr in range(0x440, 0x480)
    await bench.finish()


@cocotb.test()
async def order_within_an_id(dut: Any) -> None:
    """Plain, encrypted and denied accesses of one ID are answered in the order of their addresses."""
    bench = Directed(dut, personality=_SLOW)
    await bench.start()
    ended: list[Transaction] = []
    views: tuple[dict[str, Any], ...] = (
        {"c_bit": False}, {"c_bit": True}, {"asid": 1}, {"asid": bench.bed.model.asid_count - 1},
        {"burst": Burst.RESERVED})
    reads, writes = [], []
    for number in range(60):
        view: dict[str, Any] = {**bench.rng.choice(views), "identifier": number % 2, "length": number % 5 + 1}
        reads.append(bench.read(0x40 * number, **view))
        is_partial = bench.rng.random() < 0.4
        writes.append(bench.write(PAGE_BYTES * 2 + 0x60 * number, strobe=0x0FF0 if is_partial else ALL_LANES, **view))
    ended = [*reads, *writes]
    await bench.perform(*itertools.chain.from_iterable(zip(reads, writes, strict=True)))
    for kind, identifier in itertools.product((reads, writes), range(2)):
        ends = [transaction.ended for transaction in kind if transaction.address.id == identifier]
        assert ends == sorted(ends)
    assert all(transaction.ended > 0 for transaction in ended)
    await bench.finish()


@cocotb.test()
async def hazards_on_one_line(dut: Any) -> None:
    """Partial writes of all IDs and reads meet on the blocks of a few lines; no byte is lost."""
    bench = Directed(dut, personality=_SLOW)
    await bench.start()
    transactions = []
    for _ in range(400):
        start = bench.rng.randrange(0, 16 * LINE_BYTES, BLOCK_BYTES)
        view: dict[str, Any] = {"identifier": bench.rng.randrange(bench.ids), "size": bench.rng.choice(bench.sizes)}
        if bench.rng.random() < 0.3:
            transactions.append(bench.read(start, length=4, **view))
            continue
        transactions.append(bench.write(start, length=bench.rng.randint(1, 4), is_shared=True, **view))
    await bench.perform(*transactions)
    await bench.finish()


@cocotb.test()
async def aliases_name_one_address(dut: Any) -> None:
    """What is written with the C-bit is ciphertext without it, and under another key junk."""
    bench = Directed(dut)
    await bench.start(0, 1, 2)
    secret = bench.rng.randbytes(64)
    write = bench.write(0x840, data=secret, length=4)
    plain, other, own = bench.read(0x840, length=4, c_bit=False), bench.read(0x840, length=4, asid=2), \
        bench.read(0x840, length=4)
    await bench.in_turn(write, plain, other, own)
    views = [bench.content(read) for read in (plain, other, own)]
    assert views[0] == bench.bed.model.ciphertext(0, 0x840, secret) == bench.bed.dram.memory[0x840:0x880]
    assert views[1] not in (views[0], secret)
    assert views[2] == secret
    await bench.in_turn(bench.write(0x840, c_bit=False, strobe=1), bench.read(0x840, length=4))
    await bench.finish()


@cocotb.test()
async def each_channel_stalls_alone(dut: Any) -> None:
    """The others go on as far as they can; nothing is lost when it resumes."""
    bench = Directed(dut)
    await bench.start()
    ports = {"manager": bench.bed.manager, "DRAM": bench.bed.dram}
    for port, channel in itertools.product(ports.values(), ("aw", "w", "b", "ar", "r")):
        resumed: list[bool] = []
        stalled = getattr(port, channel)
        stalled.pause = stalled_until(resumed)
        for number in range(30):
            view: dict[str, Any] = {
                "c_bit": number % 3 != 0, "length": number % 7 + 1, "identifier": number % bench.ids}
            start = 0x80 * number + (PAGE_BYTES * 2 if number % 3 == 0 else 0)
            bench.bed.manager.submit(bench.read(start, **view))
            bench.bed.manager.submit(bench.write(start, **view))
        await bench.bed.clocked.cycles(400)
        resumed.append(True)
        await bench.settle()
        stalled.pause = None
    await bench.finish()


@cocotb.test()
async def valid_does_not_wait_for_ready(dut: Any) -> None:
    """Every channel of the engine's offers its beat while the other side is not ready for it."""
    bench = Directed(dut)
    await bench.start()
    manager, dram = bench.bed.manager, bench.bed.dram
    for stage, c_bit in itertools.product((("m", dram, ("ar", "aw", "w")), ("s", manager, ("r", "b"))), (True, False)):
        side, port, names = stage
        resumed: list[bool] = []
        for name in names:
            getattr(port, name).pause = stalled_until(resumed)
        bench.bed.manager.submit(bench.read(0x400, length=4, c_bit=c_bit))
        bench.bed.manager.submit(bench.write(0x1400, length=4, c_bit=c_bit))
        await bench.bed.clocked.cycles(500 * bench.bed.patience)  # a key may have to be expanded first
        for name in names:
            assert int(getattr(dut, f"{side}_axi_{name}valid").value), f"{side}_axi_{name}valid waits"
        resumed.append(True)
        await bench.settle()
    await bench.finish()


@cocotb.test()
async def full_tables_stall(dut: Any) -> None:
    """While DRAM is silent more is offered than the engine can hold; all of it is answered afterwards."""
    bench = Directed(dut, personality=Personality(latency_cycles=(1, 1), outstanding=1000))
    await bench.start()
    bench.bed.manager.outstanding = 1000
    resumed: list[bool] = []
    for channel in (bench.bed.dram.r, bench.bed.dram.b):
        channel.pause = stalled_until(resumed)
    transactions = [make(page + LINE_BYTES * (number % 64), length=4, c_bit=bool(number % 2),
                         identifier=number % bench.ids)
                    for number in range(200) for make, page in ((bench.read, 0), (bench.write, 2 * PAGE_BYTES))]
    for transaction in transactions:
        bench.bed.manager.submit(transaction)
    await bench.bed.clocked.cycles(2000)
    resumed.append(True)
    await bench.finish()


@cocotb.test()
async def beyond_dram_is_an_error(dut: Any) -> None:
    """DRAM's DECERR reaches the manager; nothing wraps around."""
    bench = Directed(dut)
    await bench.start()
    end = len(bench.bed.dram.memory)
    top = bench.bed.model.c_bit - 1
    for start, c_bit in itertools.product((end, 1 << min(30, top - 1), 1 << top), (True, False)):
        read, write = bench.read(start, length=4, c_bit=c_bit), bench.write(start, length=4, c_bit=c_bit)
        partial = bench.write(start, strobe=0xF, c_bit=c_bit)
        await bench.in_turn(read, write, partial)
        assert set(read.responses) == {Response.DECERR}
    await bench.finish()


@cocotb.test()
async def latency_does_not_depend_on_data_or_key(dut: Any) -> None:
    """Reads and whole writes of one shape take the same cycles, whatever data and key, once the keys are expanded."""
    bench = Directed(dut, personality=Personality(latency_cycles=(30, 30), reorder=False, interleave=False))
    await bench.start(0, 1, 2)
    await bench.in_turn(*(bench.read(0, asid=asid) for asid in range(3)))
    for is_write in (False, True):
        cycles = set()
        for _ in range(40):
            make = bench.write if is_write else bench.read
            transaction = make(bench.rng.randrange(0, PAGE_BYTES, LINE_BYTES), length=LINE_BYTES // bench.bus_bytes,
                               size=bench.bus_size, asid=bench.rng.randrange(3))
            await bench.settle()
            await bench.bed.clocked.cycles(50)
            await bench.perform(transaction)
            cycles.add(transaction.ended - transaction.begun)
        assert len(cycles) == 1, cycles
    await bench.finish()
