"""Corners of the register ports: what is refused, and commands that meet others; the top is the engine.

Parameters: ``seed``.
"""

import contextlib
import itertools
from typing import Any

import cocotb
from cocotbext.axi import AxiResp

from cbit.csr.map import SIZE_BYTES, registers
from cbit_sim.directed import Directed
from cbit_sim.pauses import stalled_until
from cbit_sim.psp import HostPort, PspPort, RefusedError, RegisterPort

_ALL_ONES = 0xFFFFFFFF
_NOWHERE = (SIZE_BYTES - 4, SIZE_BYTES // 2 + 0x54)
_HELD_CYCLES = 60
_KEY_WORDS = ("KEY_DATA", "KEY_TWEAK")


async def _word(port: RegisterPort, offset: int) -> int:
    return int.from_bytes((await port.bus.read(offset, 4)).data, "little")


async def _refuses_writes(port: RegisterPort, map_name: str) -> None:
    """Of read-only registers, of parts of words, and where there is no register."""
    for register in registers(map_name):
        if register.access == "ro":
            before = await _word(port, register.offset)
            for word in (_ALL_ONES, 0):
                answer = await port.bus.write(register.offset, word.to_bytes(4, "little"))
                assert answer.resp == AxiResp.SLVERR, register.name
            assert await _word(port, register.offset) == before, register.name
        else:
            assert (await port.bus.write(register.offset, b"\xff\xff")).resp == AxiResp.SLVERR, register.name
        if register.access == "wo":
            answer = await port.bus.read(register.offset, 4)
            assert (answer.resp, answer.data) == (AxiResp.SLVERR, bytes(4)), register.name
    for offset in _NOWHERE:
        assert (await port.bus.write(offset, bytes(4))).resp == AxiResp.DECERR
        assert (await port.bus.read(offset, 4)).resp == AxiResp.DECERR


@cocotb.test()
async def refused_register_accesses(dut: Any) -> None:
    """Each is answered with an error, and changes nothing: what was written before is served."""
    bench = Directed(dut)
    await bench.start()
    ports = {"psp": bench.bed.psp, "host": bench.bed.host}
    for map_name, port in ports.items():
        assert isinstance(port, PspPort | HostPort)
        await _refuses_writes(port, map_name)
    for asid in (0, 1):
        await bench.in_turn(bench.write(0x40, length=4, asid=asid), bench.read(0x40, length=4, asid=asid))
    psp = bench.bed.psp
    assert psp is not None
    for fields in ({"VIOLATION": 1, "FAULT": 1}, {}):
        await psp.write("IRQ_ENABLE", **fields)
    await psp.write("SLOT_SELECT", SLOT=0x3FF)
    assert not any((await psp.read_fields("SLOT_STATE")).values())
    await bench.finish()


@cocotb.test()
async def registers_answer_at_their_offsets_only(dut: Any) -> None:
    """Each register, and what is one bit of its offset away: DECERR where there is none, never the word of another."""
    bench = Directed(dut)
    await bench.start()
    for name, port in (("psp", bench.bed.psp), ("host", bench.bed.host)):
        assert port is not None
        known = {register.offset: register for register in registers(name)}
        near = {offset ^ 1 << bit for offset in known for bit in range(2, SIZE_BYTES.bit_length() - 1)}
        for offset in sorted(near | set(known)):
            answer = await port.bus.read(offset, 4)
            word = int.from_bytes(answer.data, "little")
            if offset not in known:
                assert (answer.resp, word) == (AxiResp.DECERR, 0), f"{name} {offset:#x}"
                continue
            register = known[offset]
            assert answer.resp == (AxiResp.SLVERR if register.access == "wo" else AxiResp.OKAY), register.name
            assert register.access != "wo" or word == 0
            for field in register.fields:
                value = word >> field.lsb & ((1 << field.width) - 1)
                assert not field.constant or value == field.reset, (register.name, field.name)
    await bench.finish()


@cocotb.test()
async def released_as_soon_as_it_may_be(dut: Any) -> None:
    """After a reset RELEASE is refused until the last key is gone, that of the self-test."""
    bench = Directed(dut)
    bench.bed.fill_dram()
    await bench.bed.reset(is_awaited=False)
    psp = bench.bed.psp
    assert psp is not None
    refusals = 0
    while True:
        try:
            await psp.write("CONTROL", RELEASE=1)
            break
        except RefusedError:
            refusals += 1
    status = await psp.read_fields("STATUS")
    assert refusals, "the bench was too late"
    assert not status["BUSY"], f"released while keys were erased, after {refusals} refusals"
    assert not status["SELF_TEST_BUSY"]
    bench.bed.model.release()
    await bench.in_turn(bench.read(0x40, length=4), bench.write(0x80, length=4, c_bit=False))
    await bench.finish()


@cocotb.test()
async def the_self_test_is_told_while_it_lasts(dut: Any) -> None:
    """After each reset STATUS tells of the self-test until it is done, and of its key until that is gone; meanwhile
    RELEASE is refused."""
    bench = Directed(dut)
    bench.bed.fill_dram()
    psp = bench.bed.psp
    assert psp is not None
    for _ in range(2):
        await bench.bed.reset(is_awaited=False)
        seen: list[tuple[int, int]] = []
        while not seen or seen[-1][0]:
            status = await psp.read_fields("STATUS")
            seen.append((status["BUSY"], status["SELF_TEST_BUSY"]))
            assert not status["SELF_TEST_FAILED"]
            if status["SELF_TEST_BUSY"]:
                with contextlib.suppress(RefusedError):
                    await psp.write("CONTROL", RELEASE=1)
                    raise AssertionError("released before the self-test was done")
        steps = [state for state, _ in itertools.groupby(seen)]
        assert steps == [(1, 1), (1, 0), (0, 0)], f"BUSY and SELF_TEST_BUSY go through {steps}"
    await psp.write("CONTROL", RELEASE=1)
    bench.bed.model.release()
    await bench.in_turn(bench.write(0x40, length=4, c_bit=False), bench.read(0x40, length=4, c_bit=False))
    await bench.finish()


async def _takes_no_word(psp: PspPort, first: int) -> None:
    """No word of either key, from one on."""
    for name in psp.names:
        if name.startswith(_KEY_WORDS) and int(name[-1]) >= first:
            with contextlib.suppress(RefusedError):
                await psp.write(name, WORD=_ALL_ONES)
                raise AssertionError(f"{name} was taken")


@cocotb.test()
async def refused_key_words(dut: Any) -> None:
    """Words past a key's end, and any while a command runs: the next key is what is written after."""
    release: list[bool] = []
    bench = Directed(dut, dram_pauses={"r": stalled_until(release)})
    await bench.start()
    psp = bench.bed.psp
    assert psp is not None
    await _takes_no_word(psp, bench.bed.key_bytes // 4)
    bench.bed.manager.submit(bench.read(0x40, length=4, asid=1))
    await bench.bed.clocked.cycles(_HELD_CYCLES)
    bench.board.interrupt(1)
    await psp.start("RETIRE", 1)
    await _takes_no_word(psp, 0)
    release.append(True)
    await bench.bed.quiet()
    await psp.wait_ready()
    bench.bed.model.zeroize(1)
    await bench.bed.install(1)
    await bench.in_turn(bench.write(0x80, length=4, asid=1), bench.read(0x80, length=4, asid=1))
    await bench.finish()


@cocotb.test()
async def commands_that_meet_others(dut: Any) -> None:
    """While a retirement waits for a read, another command is refused, and a zeroize, of its slot or of all, overtakes
    it."""
    release: list[bool] = []
    bench = Directed(dut, dram_pauses={"r": stalled_until(release)})
    await bench.start()
    psp = bench.bed.psp
    assert psp is not None
    for overtaking, ended in (("ZEROIZE", [1]), ("ZEROIZE_ALL", [0, 1])):
        read = bench.read(0x40, length=4, asid=1)
        bench.bed.manager.submit(read)
        await bench.bed.clocked.cycles(_HELD_CYCLES)
        bench.board.interrupt(1)
        await psp.start("RETIRE", 1)
        await psp.start("INSTALL", 1)
        assert (await psp.read_fields("COMMAND_STATUS"))["BUSY"]
        assert await psp.slot_state(1) == "RETIRING"
        await psp.start(overtaking, 1)
        await bench.bed.clocked.cycles(_HELD_CYCLES)
        assert read.ended < 0
        release.append(True)
        await bench.bed.quiet()
        await psp.wait_ready()
        for slot in ended:
            assert await psp.slot_state(slot) == "EMPTY"
            bench.bed.model.zeroize(slot)
        await bench.bed.install(*ended)
        await bench.in_turn(*(access for asid in (0, 1) for access in (
            bench.write(0x80, length=4, asid=asid), bench.read(0x80, length=4, asid=asid))))
        release.clear()
    release.append(True)
    await bench.finish()
