"""Corners of what is denied, of modes, keys, resets and attackers, one directed test each; the top is the engine.

Parameters: ``seed``; ``resets`` (default 12) in the test of them.
"""

import itertools
from typing import Any

import cocotb

from cbit_model.access import BLOCK_BYTES, Burst, Response, Violation
from cbit_model.dram import LINE_BYTES
from cbit_sim.beats import Address, WriteData
from cbit_sim.directed import Directed
from cbit_sim.dram import Personality
from cbit_sim.manager import Transaction
from cbit_sim.psp import CommandError, RefusedError
from cbit_sim.traffic import PAGE_BYTES

_SLOW = Personality(latency_cycles=(20, 60))


def _denied(bench: Directed) -> list[Address]:
    """Addresses that are denied, at least one of each kind that the configuration has."""
    guests = bench.bed.model.asid_count
    denied = [
        bench.address(0x40, burst=Burst.RESERVED, length=7), bench.address(0x40, size=bench.bus_size + 1),
        bench.address(0x40, size=7, length=256), bench.address(0x40, burst=Burst.WRAP, length=3),
        bench.address(0x44, burst=Burst.WRAP, length=4), bench.address(0x40, burst=Burst.FIXED, length=17),
        bench.address(0xFF0, length=2), bench.address(0xFF8, length=256),
        bench.address(0x40, asid=guests - 1, length=3), bench.address(0x40, asid=guests - 1, c_bit=False),
        bench.address(0x40, asid=1, dma=True, length=4), bench.address(0x40, asid=1, c_bit=False, dma=True, walk=True),
    ]
    if guests < 1 << bench.asid_width:
        denied.append(bench.address(0x40, asid=guests))
    for bit in range(bench.bed.model.c_bit + 1, bench.bed.model.addr_width):
        denied += [bench.address(0x40 | 1 << bit, length=2), bench.address(0x40 | 1 << bit, c_bit=False)]
    return denied


def _as_write(bench: Directed, address: Address) -> Transaction:
    width = bench.bus_bytes
    beats = [WriteData(bench.rng.getrandbits(8 * width), (1 << width) - 1, int(beat == address.len))
             for beat in range(address.len + 1)]
    return Transaction(address, beats)


@cocotb.test()
async def denied_accesses_are_consumed(dut: Any) -> None:
    """All beats taken, all ones and an error answered, nothing asked of DRAM, no hang."""
    bench = Directed(dut)
    await bench.start()
    beats = dict(bench.bed.dram.beats)
    for address in _denied(bench):
        read, write = Transaction(address), _as_write(bench, address)
        await bench.in_turn(read, write)
        assert set(read.read) == {bench.all_ones}
        assert read.responses[0] != Response.OKAY
        await bench.perform(Transaction(address), _as_write(bench, address), Transaction(address))
    assert bench.bed.dram.beats == beats
    await bench.in_turn(bench.read(0x40, length=4), bench.write(0x40), bench.read(0x40, c_bit=False))
    await bench.finish()


@cocotb.test()
async def no_guest_that_does_not_exist_gets_anywhere(dut: Any) -> None:
    """ASIDs beyond the last, and those without a key, with every sideband: an error, and DRAM sees nothing."""
    bench = Directed(dut)
    await bench.start(0, 1, tsme=True)
    beats = dict(bench.bed.dram.beats)
    for asid, c_bit, npt_c, dma, walk in itertools.product(
            range(2, 1 << bench.asid_width), *[(False, True)] * 4):
        view: dict[str, Any] = {"asid": asid, "c_bit": c_bit, "npt_c": npt_c, "dma": dma, "walk": walk}
        accesses = bench.read(0x40, **view), bench.read(0x40, prot=4, **view), bench.write(0x40, **view)
        await bench.perform(*accesses)
        assert {code for access in accesses for code in access.responses} == {Response.SLVERR}
    assert bench.bed.dram.beats == beats
    assert bench.bed.psp is not None
    assert await bench.bed.psp.violations() == bench.bed.model.violations.counts
    await bench.finish()


@cocotb.test()
async def attackers_at_the_dram(dut: Any) -> None:
    """Ciphertext that is moved reads as noise, put back at its address as old data, and shows which blocks change."""
    bench = Directed(dut)
    await bench.start()
    view: dict[str, Any] = {"asid": 1, "size": bench.bus_size, "length": LINE_BYTES // bench.bus_bytes}
    here, elsewhere = slice(0x1000, 0x1000 + LINE_BYTES), slice(0x2040, 0x2040 + LINE_BYTES)
    memory, model = bench.bed.dram.memory, bench.bed.model.dram.content
    old = bench.rng.randbytes(LINE_BYTES)
    await bench.perform(bench.write(here.start, data=old, **view))
    await bench.settle()
    kept = bytes(memory[here])
    assert _differing_blocks(kept, old) == [True] * 4
    memory[elsewhere] = model[elsewhere] = kept
    moved = bench.read(elsewhere.start, **view)
    await bench.perform(moved)
    assert set(moved.responses) == {Response.OKAY}
    assert _differing_blocks(bench.content(moved), old) == [True] * 4
    await bench.perform(bench.write(here.start + BLOCK_BYTES + 3, strobe=1 << 3, asid=1))
    await bench.settle()
    changed = bench.read(here.start, **view)
    await bench.perform(changed)
    assert _differing_blocks(bytes(memory[here]), kept) == _differing_blocks(bench.content(changed), old)
    memory[here] = model[here] = kept
    replayed = bench.read(here.start, **view)
    await bench.perform(replayed)
    assert set(replayed.responses) == {Response.OKAY}
    assert bench.content(replayed) == old
    await bench.finish()


def _differing_blocks(one: bytes, other: bytes) -> list[bool]:
    return [one[block:block + BLOCK_BYTES] != other[block:block + BLOCK_BYTES]
            for block in range(0, LINE_BYTES, BLOCK_BYTES)]


def _first(bench: Directed) -> dict[str, int]:
    """The record as the model has it."""
    first = bench.bed.model.violations.first
    assert first is not None
    return {"kind": first.kind, "write": first.write, "asid": first.asid, "id": first.id, "address": first.address}


@cocotb.test()
async def violations_are_recorded(dut: Any) -> None:
    """The first in full, all by number, on both register ports; the interrupt follows its enable and its clear."""
    bench = Directed(dut)
    await bench.start()
    psp, host = bench.bed.psp, bench.bed.host
    assert psp is not None
    assert host is not None
    assert await psp.first_violation() is None
    await psp.write("IRQ_ENABLE", VIOLATION=1)
    denied = _denied(bench)
    await bench.in_turn(*(Transaction(address) for address in denied))
    assert int(dut.irq.value)
    assert await psp.first_violation() == await host.first_violation() == _first(bench)
    assert await psp.violations() == await host.violations() == bench.bed.model.violations.counts
    # Neither another register nor a clear of the counts touches the record, nor its own clear the counts.
    await psp.write("IRQ_ENABLE", VIOLATION=1)
    await psp.write("VIOLATION_CLEAR", COUNTS=1)
    bench.bed.model.violations.clear_counts()
    assert int(dut.irq.value)
    assert await psp.first_violation() is not None
    assert await psp.violations() == bench.bed.model.violations.counts
    await bench.perform(Transaction(denied[0]))
    await psp.write("VIOLATION_CLEAR", RECORD=1)
    bench.bed.model.violations.clear_record()
    assert not int(dut.irq.value)
    assert await psp.first_violation() is None
    assert await psp.violations() == bench.bed.model.violations.counts
    for address in denied:
        far = bench.rng.getrandbits(bench.bed.model.c_bit) & -PAGE_BYTES
        address = address._replace(addr=address.addr | far, id=bench.rng.randrange(bench.ids))
        for access in (_as_write(bench, address), Transaction(address)):
            await bench.perform(access)
            assert await psp.first_violation() == _first(bench)
            await psp.write("VIOLATION_CLEAR", RECORD=1)
            bench.bed.model.violations.clear_record()
    assert await psp.violations() == bench.bed.model.violations.counts
    await bench.finish()


@cocotb.test()
async def nothing_is_accepted_before_release(dut: Any) -> None:
    """The bus waits, also with keys installed; after release what waited is served."""
    bench = Directed(dut)
    bench.bed.fill_dram()
    await bench.bed.reset()
    await bench.bed.install(0)
    read, write = bench.read(0x40, length=4), bench.write(0x80, length=4)
    bench.bed.model.set_mode(sme=True, tsme=False, sev=True)
    bench.bed.model.release()
    for transaction in (read, write):
        bench.bed.manager.submit(transaction)
    await bench.bed.clocked.cycles(500)
    assert read.ended < 0
    assert write.ended < 0
    assert bench.bed.dram.idle
    psp = bench.bed.psp
    assert psp is not None
    await psp.set_mode(sme=True, sev=True)
    await psp.release()
    await bench.finish()


@cocotb.test()
async def modes_decide_and_lock(dut: Any) -> None:
    """Each mode off denies what needs it, never falls through to plain; TSME encrypts the host's all; a lock holds."""
    bench = Directed(dut)
    for mode in ({"sme": False, "sev": False}, {"sme": True, "sev": False}, {"sme": False, "sev": True},
                 {"sme": False, "tsme": True, "sev": True}, {"sme": True, "tsme": True, "sev": True}):
        await bench.start(0, 1, **mode)
        for asid, c_bit, npt_c, walk, dma in itertools.product((0, 1, 3), *[(False, True)] * 4):
            view: dict[str, Any] = {"asid": asid, "c_bit": c_bit, "npt_c": npt_c, "walk": walk, "dma": dma}
            await bench.in_turn(bench.write(0x300, length=4, **view), bench.read(0x300, length=4, **view),
                                bench.read(0x300, prot=4, **view))
        psp = bench.bed.psp
        assert psp is not None
        try:
            await psp.set_mode()
        except RefusedError:
            pass
        else:
            raise AssertionError("a locked mode was written")
        assert {name.lower(): bool(value) for name, value in (await psp.read_fields("MODE")).items()} == \
            {"tsme": False, **mode}
        await bench.settle()
    await bench.finish()


@cocotb.test()
async def a_release_without_lock_leaves_the_mode_open(dut: Any) -> None:
    """The mode of an open engine counts for the accesses after it, until it is locked."""
    bench = Directed(dut)
    bench.bed.fill_dram()
    await bench.bed.reset()
    await bench.bed.install(0)
    psp, model = bench.bed.psp, bench.bed.model
    assert psp is not None
    await psp.release()
    model.release()
    for sme, tsme in ((False, False), (True, False), (False, True), (False, False), (True, False)):
        await psp.set_mode(sme=sme, tsme=tsme)
        model.set_mode(sme=sme, tsme=tsme, sev=False)
        for c_bit in (False, True):
            await bench.in_turn(bench.write(0x240, length=4, c_bit=c_bit), bench.read(0x240, length=4, c_bit=c_bit))
    await psp.lock()
    model.lock()
    try:
        await psp.set_mode()
    except RefusedError:
        pass
    else:
        raise AssertionError("a locked mode was written")
    await bench.in_turn(bench.read(0x240, length=4), bench.read(0x240, length=4, c_bit=False))
    await bench.finish()


@cocotb.test()
async def life_of_a_key_slot(dut: Any) -> None:
    """Installed, retired, installed anew: denied in between, junk afterwards; zeroized: denied."""
    bench = Directed(dut)
    await bench.start(0, 1)
    psp, model = bench.bed.psp, bench.bed.model
    assert psp is not None
    secret = bench.rng.randbytes(64)
    view: dict[str, Any] = {"asid": 1, "length": 4}
    await bench.in_turn(bench.write(0x500, data=secret, **view), bench.read(0x500, **view))
    for end, model_end in ((psp.retire, model.retire), (psp.zeroize, model.zeroize)):
        await end(1)
        model_end(1)
        assert await psp.slot_state(1) == "EMPTY"
        denied = bench.read(0x500, **view)
        await bench.in_turn(denied, bench.write(0x500, **view))
        assert set(denied.responses) == {Response.SLVERR}
        await bench.bed.install(1)
        assert await psp.slot_state(1) == "ACTIVE"
        junk = bench.read(0x500, **view)
        await bench.in_turn(junk, bench.read(0x500, length=4))
        assert secret[:16] != bench.content(junk)[:16]
    await bench.finish()


@cocotb.test()
async def keys_are_refused(dut: Any) -> None:
    """Half-written keys, K1 = K2, but not K1 and K2 that differ in a bit, a slot in use or out of range; what was
    active stays as it was."""
    bench = Directed(dut)
    await bench.start(0, 1)
    psp = bench.bed.psp
    assert psp is not None
    key, other = bench.rng.randbytes(bench.bed.key_bytes), bench.rng.randbytes(bench.bed.key_bytes)

    async def refused(slot: int, key: bytes, tweak_key: bytes) -> str:
        try:
            await psp.install_key(slot, key, tweak_key)
        except CommandError as error:
            return error.result
        raise AssertionError("a key was accepted")

    assert await refused(2, key, key) == "KEYS_EQUAL"
    assert await refused(2, key[:-4], other) == "KEY_INCOMPLETE"
    assert await refused(2, b"", other) == "KEY_INCOMPLETE"
    assert await refused(1, key, other) == "SLOT_STATE"
    for slot in (bench.bed.model.asid_count, 1023):
        assert await refused(slot, key, other) == "SLOT_RANGE"
    assert await refused(2, b"", b"") == "KEY_INCOMPLETE"
    assert await psp.slot_state(2) == "EMPTY"
    for bit in range(0, 8 * len(key), 29):
        await psp.install_key(2, key, (int.from_bytes(key, "little") ^ 1 << bit).to_bytes(len(key), "little"))
        await psp.zeroize(2)
    await psp.zeroize(3)
    try:
        await psp.retire(3)
    except CommandError as error:
        result = error.result
    assert result == "SLOT_STATE"
    await bench.in_turn(bench.write(0x600, asid=1), bench.read(0x600, asid=1), bench.read(0x600, asid=2))
    await bench.finish()


@cocotb.test()
async def reset_at_a_random_cycle(dut: Any) -> None:
    """VALID falls at once, keys are gone, no block is half written, and the engine starts anew."""
    bench = Directed(dut, personality=_SLOW)
    await bench.start(0, 1)
    for _ in range(bench.session.parameters.get("resets", 12)):
        for number in range(24):
            identifier = number % bench.ids
            start = bench.rng.randrange(0, PAGE_BYTES, BLOCK_BYTES) & -LINE_BYTES | identifier * LINE_BYTES % PAGE_BYTES
            bench.bed.manager.submit(bench.read(start, length=4, identifier=identifier))
            bench.bed.manager.submit(bench.write(start, is_shared=True, identifier=identifier))
        await bench.bed.clocked.cycles(bench.rng.randrange(1, 120))
        bench.bed.clocked.held = True
        bench.board.abandon(bench.bed.dram.memory)
        dut.rst.value = 1
        await bench.bed.clocked.cycles(2)
        valids = ("s_axi_bvalid", "s_axi_rvalid", "m_axi_awvalid", "m_axi_wvalid", "m_axi_arvalid")
        assert not any(int(getattr(dut, name).value) for name in valids)
        await bench.bed.reset()
        await bench.bed.release(sme=True, sev=True)
        await bench.in_turn(bench.read(0x40), bench.read(0x40, asid=1))
        await bench.bed.reset()
        await bench.bed.install(0, 1)
        await bench.bed.release(sme=True, sev=True)
        bench.board.settle(bench.bed.dram.memory)
    await bench.finish()


@cocotb.test()
async def host_discovers_the_engine(dut: Any) -> None:
    """The host's registers tell what CPUID Fn8000_001F would; its port writes nothing."""
    bench = Directed(dut)
    await bench.start()
    host, config = bench.bed.host, bench.session.config
    assert host is not None
    assert (await host.read("ID")).to_bytes(4, "little") == b"CBIT"
    assert await host.read_fields("FEATURES") == {"SME": 1, "SEV": 1}
    assert (await host.read_fields("FEATURES_EBX"))["C_BIT"] == config["c_bit"]
    assert await host.read("FEATURES_ECX") == config["asid_count"] - 1
    assert await host.read_fields("MODE") == {"SME": 1, "TSME": 0, "SEV": 1}
    try:
        await host.write("MODE", SME=0)
    except RefusedError:
        pass
    else:
        raise AssertionError("the host's port took a write")
    await bench.in_turn(bench.write(0x40), bench.read(0x40))
    assert sum((await host.violations()).values()) == sum(bench.bed.model.violations.counts.values())
    assert Violation.SME_OFF in await host.violations()
    await bench.finish()
