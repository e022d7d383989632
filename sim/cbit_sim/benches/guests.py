"""What it costs that more guests are at work than have their keys expanded.

DRAM answers in order after a fixed number of cycles. Parameters: ``dram_latency_cycles`` (default 30), ``guests``, by
default all, ``rounds`` (default 2) in which each of them reads, and then writes, one line after the one before it.

Report: ``burst_cycles`` by kind, of a line's burst from the offer of its address to its end, each with how many bursts
took so long: ``read_alone`` and ``write_alone`` while one guest alone is at work, ``read_in_turn`` and
``write_in_turn`` while all are, one burst after the other. ``stream_cycles`` are those between two lines when bursts of
all guests in turn are offered at once. ``beside_reads`` and ``beside_writes`` are the cycles of a write and of a read
whose guest has been idle for long, while another keeps the other direction full.
"""

import random
from collections import Counter
from typing import Any

import cocotb

from cbit_sim.beats import Address, WriteData
from cbit_sim.dram import Personality
from cbit_sim.manager import Transaction
from cbit_sim.session import current_session
from cbit_sim.testbed import Testbed
from cbit_sim.traffic import PAGE_BYTES, user_bits

_PAGES = 64
_LINE_BYTES = 64
_ALONE = 20
_LOAD = 400


@cocotb.test()
async def guests_in_turn(dut: Any) -> None:
    """Everything that is measured, one after the other."""
    session = current_session()
    parameters, rng = session.parameters, random.Random(1)
    asid_count, bus_bytes = int(session.config["asid_count"]), int(session.config["data_width"]) // 8
    beats = _LINE_BYTES // bus_bytes
    guests = range(1, min(asid_count, 1 + parameters.get("guests", asid_count - 1)))
    latency = parameters.get("dram_latency_cycles", 30)
    personality = Personality(latency_cycles=(latency, latency), reorder=False, interleave=False, outstanding=256)
    bed = Testbed(dut, session, size_bytes=_PAGES * PAGE_BYTES, personality=personality, checked=False)
    await bed.reset()
    for done, guest in enumerate(guests):
        await bed.install(guest)
        session.progress(0.5 * done / len(guests), "keys installed")
    await bed.release(sev=True)

    def burst(asid: int, *, is_write: bool) -> Transaction:
        start = rng.randrange(_PAGES * PAGE_BYTES // _LINE_BYTES) * _LINE_BYTES
        address = Address(0, start | 1 << int(session.config["c_bit"]), beats - 1, bus_bytes.bit_length() - 1,
                          user=user_bits((asid_count - 1).bit_length(), asid=asid))
        data = [WriteData(rng.getrandbits(8 * bus_bytes), (1 << bus_bytes) - 1, int(beat == beats - 1))
                for beat in range(beats)]
        return Transaction(address, data) if is_write else Transaction(address)

    async def taken(asids: list[int], *, is_write: bool) -> dict[int, int]:
        cycles: Counter[int] = Counter()
        for asid in asids:
            transaction = burst(asid, is_write=is_write)
            await bed.manager.perform(transaction, limit_cycles=100_000)
            cycles[transaction.ended - transaction.begun] += 1
        return dict(sorted(cycles.items()))

    in_turn = [*guests] * parameters.get("rounds", 2)
    cycles = {}
    for name, is_write in (("read", False), ("write", True)):
        await taken([guests[0]], is_write=is_write)
        cycles[f"{name}_alone"] = await taken([guests[0]] * _ALONE, is_write=is_write)
        cycles[f"{name}_in_turn"] = await taken(in_turn, is_write=is_write)
    stream = [burst(asid, is_write=False) for asid in in_turn]
    await bed.manager.perform(*stream, limit_cycles=1000 * len(stream))
    between = (max(each.ended for each in stream) - min(each.ended for each in stream)) / (len(stream) - 1)
    beside = {}
    for name, loads_with_writes in (("beside_reads", False), ("beside_writes", True)):
        idle, *_, busy = guests
        await taken([*guests[1:]], is_write=True)
        load = [burst(busy, is_write=loads_with_writes) for _ in range(_LOAD)]
        for each in load:
            bed.manager.submit(each)
        await bed.clocked.cycles(_LOAD)
        assert load[0].ended >= 0 > load[-1].ended
        (beside[name],) = await taken([idle], is_write=not loads_with_writes)
        assert load[-1].ended < 0
        await bed.quiet()
    session.report(cycles=bed.clocked.cycle, burst_cycles=cycles, stream_cycles=round(between, 1), **beside)
