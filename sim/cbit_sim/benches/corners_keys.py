"""Corners of keys that end, begin and vanish under accesses, one directed test each; the top is the engine.

Parameters: ``seed``.
"""

import itertools
import random
from collections.abc import Callable
from typing import Any

import cocotb

from cbit_model.access import BLOCK_BYTES, Response
from cbit_model.dram import LINE_BYTES
from cbit_model.memory import ALL_LANES
from cbit_model.xts import XtsKey
from cbit_sim.beats import Address, WriteData
from cbit_sim.directed import Directed
from cbit_sim.dram import Personality
from cbit_sim.manager import Transaction
from cbit_sim.pauses import stalled_until
from cbit_sim.psp import CommandError
from cbit_sim.session import current_session
from cbit_sim.testbed import Testbed
from cbit_sim.traffic import user_bits

_SIZE_BYTES = 1 << 18
_READ_LINES = range(0, 1 << 16, LINE_BYTES)
_WRITE_LINES = range(1 << 16, _SIZE_BYTES, LINE_BYTES)
_GUEST = 1
_BACKLOG = 2
_PARTIAL_STROBE = 0x00F0
"""Of each block."""

Outcome = int | None
"""Which of the guest's keys, counted from the first, an access was served with; :data:`None` if it was denied."""

_LOAD_CYCLES = 500
"""Longer than an access takes under full load in the slowest engine, its key to be expanded first."""


_RETIRE_CYCLES = 100
"""Longer than a retirement takes for which nothing is in flight."""

_NEAR_FULL = 4

_NARROW_STRIDE = 7
"""Cycles from one try to the next where an access takes thousands: each step of a round and of a move has its turn."""


class _Guest:
    """A guest whose keys change; every write of it goes to a line of its own, so that each line tells which key met
    it."""

    def __init__(self, dut: Any, personality: Personality):
        self.session = current_session()
        seed = self.session.parameters.get("seed", 1)
        self.rng = random.Random(seed)
        self.bed = Testbed(dut, self.session, size_bytes=_SIZE_BYTES, personality=personality, seed=seed,
                           observed=False)
        self.bus_bytes = self.bed.bus_bytes
        self.line_beats = LINE_BYTES // self.bus_bytes
        self.stride = 1 if self.bed.patience == 1 else _NARROW_STRIDE
        self.reads: list[Transaction] = []
        self.writes: list[Transaction] = []
        self.keys: list[XtsKey] = []
        self.is_busy = False
        self.taken = {False: 0, True: 0}
        """Reads, and writes, whose address the engine has taken."""
        self._original = b""
        self._write_lines = iter(_WRITE_LINES)
        self.bed.clocked.add(self)

    async def start(self) -> None:
        """Releases the engine with the guest's first key."""
        self.bed.fill_dram()
        self._original = bytes(self.bed.dram.memory)
        await self.bed.reset()
        await self.install()
        await self.bed.release(sev=True)

    async def install(self) -> None:
        """Gives the guest its next key."""
        await self.bed.install(_GUEST)
        self.keys.append(self.bed.model.slots.key(_GUEST))
        self.bed.model.zeroize(_GUEST)

    def step(self) -> None:
        """Keeps the bus full while ``is_busy``, and counts."""
        self.taken[False] += self.bed.manager.ar.taken
        self.taken[True] += self.bed.manager.aw.taken
        if self.is_busy and self.bed.manager.backlog < _BACKLOG:
            for access in (self.read(), self.write(is_partial=self.rng.random() < 0.5)):
                self.bed.manager.submit(access)

    def read(self) -> Transaction:
        """A read of a line that nobody writes."""
        self.reads.append(Transaction(self._line(self.rng.choice(_READ_LINES))))
        return self.reads[-1]

    def write(self, *, is_partial: bool) -> Transaction:
        """A write of a fresh line, or of some bytes of each of its blocks."""
        of_block = _PARTIAL_STROBE if is_partial else ALL_LANES
        strobe = sum(of_block << block for block in range(0, self.bus_bytes, BLOCK_BYTES))
        self.writes.append(Transaction(self._line(next(self._write_lines)), [
            WriteData(self.rng.getrandbits(8 * self.bus_bytes), strobe, int(beat == self.line_beats - 1))
            for beat in range(self.line_beats)]))
        return self.writes[-1]

    def _line(self, start: int) -> Address:
        config = self.bed.config
        identifier = self.rng.randrange(1 << int(config["id_width"]))
        user = user_bits((int(config["asid_count"]) - 1).bit_length(), asid=_GUEST)
        return Address(identifier, start | 1 << int(config["c_bit"]), self.line_beats - 1,
                       self.bus_bytes.bit_length() - 1, user=user)

    def _start_of(self, access: Transaction) -> int:
        return access.address.addr & ~(1 << int(self.bed.config["c_bit"]))

    def read_outcomes(self, read: Transaction) -> list[Outcome]:
        """The outcome of each beat. A beat that no key explains is an :exc:`AssertionError`."""
        start = self._start_of(read)
        return [self._read_outcome(start + self.bus_bytes * beat, data, response)
                for beat, (data, response) in enumerate(zip(read.read, read.responses, strict=True))]

    def _read_outcome(self, block: int, data: int, response: int) -> Outcome:
        if response == Response.SLVERR:
            assert data == (1 << 8 * self.bus_bytes) - 1, f"{data:x} leaked from {block:#x} under an error"
            return None
        stored, seen = self._original[block:block + self.bus_bytes], data.to_bytes(self.bus_bytes, "little")
        return self._only_key(block, seen, lambda key: self._decrypted(key, block, stored))

    def write_outcome(self, write: Transaction) -> Outcome:
        """The outcome of a write, from what its line has become."""
        start = self._start_of(write)
        before = self._original[start:start + LINE_BYTES]
        after = bytes(self.bed.dram.memory[start:start + LINE_BYTES])
        if write.responses == [Response.SLVERR]:
            assert after == before, f"a write of {start:#x} that failed has changed it"
            return None
        assert write.responses == [Response.OKAY]

        def written(key: XtsKey) -> bytes:
            plain = bytearray(self._decrypted(key, start, before))
            for number, beat in enumerate(write.data or ()):
                for lane in range(self.bus_bytes):
                    if beat.strb >> lane & 1:
                        plain[self.bus_bytes * number + lane] = beat.data >> 8 * lane & 0xFF
            return key.encrypt(plain, address=start, data_unit_bytes=int(self.bed.config["data_unit_bytes"]))

        return self._only_key(start, after, written)

    def _decrypted(self, key: XtsKey, address: int, stored: bytes) -> bytes:
        return key.decrypt(stored, address=address, data_unit_bytes=int(self.bed.config["data_unit_bytes"]))

    def _only_key(self, address: int, seen: bytes, expected: Callable[[XtsKey], bytes]) -> int:
        matching = [number for number, key in enumerate(self.keys) if expected(key) == seen]
        assert len(matching) == 1, f"{seen.hex()} at {address:#x} is the work of the keys {matching}"
        return matching[0]

    async def finish(self) -> None:
        """Waits for quiet, and reports."""
        self.is_busy = False
        await self.bed.quiet()
        self.session.report(cycles=self.bed.clocked.cycle)


@cocotb.test()
async def retired_and_installed_anew_under_full_load(dut: Any) -> None:
    """In the order in which they are taken, accesses get the old key, then none, then the new one: whole, never half
    of a key. What was taken before the retirement gets its key, and this ends though its guest goes on asking."""
    guest = _Guest(dut, Personality(latency_cycles=(1, 40)))
    await guest.start()
    guest.is_busy = True
    psp = guest.bed.psp
    assert psp is not None
    taken = []
    for _ in range(3):
        await guest.bed.clocked.cycles(_LOAD_CYCLES * guest.bed.patience)
        taken.append(dict(guest.taken))
        await psp.retire(_GUEST)
        await guest.install()
    await guest.bed.clocked.cycles(_LOAD_CYCLES * guest.bed.patience)
    await guest.finish()
    of_reads = []
    for read in guest.reads:
        outcome, *others = guest.read_outcomes(read)
        assert others == [outcome] * (guest.line_beats - 1), "a retirement cut a read in two"
        of_reads.append(outcome)
    of_writes = [guest.write_outcome(write) for write in guest.writes]
    for is_write, outcomes in ((False, of_reads), (True, of_writes)):
        assert [outcome for outcome, _ in itertools.groupby(outcomes)] == [0, None, 1, None, 2, None, 3]
        assert [outcomes[counts[is_write] - 1] for counts in taken] == [0, 1, 2]


@cocotb.test()
async def zeroized_and_installed_anew_under_full_load(dut: Any) -> None:
    """Each beat and each write is the work of one key, or an error that shows and changes nothing."""
    guest = _Guest(dut, Personality(latency_cycles=(1, 40)))
    await guest.start()
    guest.is_busy = True
    psp = guest.bed.psp
    assert psp is not None
    for number in range(6):
        await guest.bed.clocked.cycles(_LOAD_CYCLES * guest.bed.patience + guest.rng.randrange(80))
        await (psp.zeroize_all() if number % 2 else psp.zeroize(_GUEST))
        await guest.install()
    await guest.finish()
    outcomes = {*itertools.chain.from_iterable(map(guest.read_outcomes, guest.reads)),
                *map(guest.write_outcome, guest.writes)}
    assert outcomes >= {None, *range(6)}


@cocotb.test()
async def zeroized_at_every_cycle_of_an_access(dut: Any) -> None:
    """Between AR and R, W and AW, the read and the write of a partial block: served by its key, or an error."""
    guest = _Guest(dut, Personality(latency_cycles=(12, 12)))
    await guest.start()
    psp = guest.bed.psp
    assert psp is not None
    outcomes: dict[str, set[bool]] = {"read": set(), "write": set(), "partial write": set()}
    duration, cycles = None, 0
    # Until an access has long ended before its key goes: how long that takes is told by the first, left in peace.
    while duration is None or cycles < duration:
        for access in (guest.read(), guest.write(is_partial=False), guest.write(is_partial=True)):
            guest.bed.manager.submit(access)
        if duration is None:
            begin = guest.bed.clocked.cycle
            await guest.bed.quiet()
            duration = guest.bed.clocked.cycle - begin
            continue
        await guest.bed.clocked.cycles(1 + cycles)
        await (psp.zeroize_all() if cycles % 2 else psp.zeroize(_GUEST))
        await guest.bed.quiet()
        outcomes["read"] |= {outcome is None for outcome in guest.read_outcomes(guest.reads[-1])}
        outcomes["write"].add(guest.write_outcome(guest.writes[-2]) is None)
        outcomes["partial write"].add(guest.write_outcome(guest.writes[-1]) is None)
        guest.keys.clear()
        await guest.install()
        cycles += guest.stride
    assert all(seen == {False, True} for seen in outcomes.values()), outcomes
    await guest.finish()


async def _retire_while_the_last_waits(dut: Any, stalled: str, counts: Callable[[int], range], *,
                                       is_write: bool) -> int:
    """Retires a guest behind whose access nothing of its slot is in flight, but so many plain ones are, as DRAM's
    channel ``stalled`` stands still; returns how often the engine had taken the guest's."""
    resumed: list[bool] = []
    bench = Directed(dut, dram_pauses={stalled: stalled_until(resumed)})
    psp, manager = bench.bed.psp, bench.bed.manager
    assert psp is not None
    await bench.start(0, _GUEST)
    entries = int(bench.session.config["max_outstanding"])
    # All of them are offered, so that one that is not is one that has been taken.
    manager.outstanding = entries + max(entries, _NEAR_FULL)
    access, address = (bench.write, manager.aw) if is_write else (bench.read, manager.ar)
    retirements = 0
    for count in counts(entries):
        for line in range(count):
            manager.submit(access(LINE_BYTES * line, length=4, identifier=line % bench.ids))
        manager.submit(access(LINE_BYTES * count, length=4, asid=_GUEST))
        await bench.bed.clocked.cycles(_LOAD_CYCLES * bench.bed.patience)
        is_taken = not address.valid
        if is_taken:
            await psp.start("RETIRE", _GUEST)
            await bench.bed.clocked.cycles(_RETIRE_CYCLES * bench.bed.patience)
        resumed.append(True)
        await bench.bed.quiet()
        resumed.clear()
        if is_taken:
            retirements += 1
            await psp.wait_ready()
            assert await psp.slot_state(_GUEST) == "EMPTY"
            bench.bed.model.zeroize(_GUEST)
            await bench.bed.install(_GUEST)
    resumed.append(True)
    await bench.finish()
    return retirements


@cocotb.test()
async def retired_while_its_last_read_waits_for_room(dut: Any) -> None:
    """A read that was taken behind as many as there is room for gets its key."""
    retirements = await _retire_while_the_last_waits(
        dut, "r", lambda entries: range(max(0, entries - _NEAR_FULL), entries + _NEAR_FULL), is_write=False)
    entries = int(current_session().config["max_outstanding"])
    least = entries if entries < _NEAR_FULL else _NEAR_FULL + 1
    assert retirements >= least, "the engine takes fewer reads than it states"


@cocotb.test()
async def retired_while_its_last_write_waits_for_room(dut: Any) -> None:
    """A write that was taken behind as many as there is room for gets its key."""
    retirements = await _retire_while_the_last_waits(
        dut, "b", lambda entries: range(1, entries + _NEAR_FULL), is_write=True)
    assert retirements > 1


@cocotb.test()
async def reset_at_every_step_of_a_command(dut: Any) -> None:
    """Whatever a command has got to, after a reset its slot is empty and the words of its keys are gone."""
    bench = Directed(dut)
    psp = bench.bed.psp
    assert psp is not None
    view: dict[str, Any] = {"asid": _GUEST, "length": 4}
    operations = ("INSTALL", "RETIRE", "ZEROIZE", "ZEROIZE_ALL")
    for operation, cycles in itertools.product(operations, range(0, 60, 7)):
        await bench.start(0, _GUEST)
        if operation == "INSTALL":
            await psp.zeroize(_GUEST)
            key = bench.rng.randbytes(2 * bench.bed.key_bytes)
            await psp.write_key(key[::2], key[1::2])
        await psp.start(operation, _GUEST)
        await bench.bed.clocked.cycles(1 + cycles)
        await bench.bed.reset()
        assert await psp.slot_state(_GUEST) == "EMPTY"
        try:
            await psp.command("INSTALL", _GUEST)
            result = "OK"
        except CommandError as error:
            result = error.result
        assert result == "KEY_INCOMPLETE", "words of before the reset made a key"
        await bench.bed.release(sme=True, sev=True)
        denied = bench.read(0x500, **view)
        await bench.perform(denied)
        assert set(denied.responses) == {Response.SLVERR}
        await bench.bed.install(_GUEST)
        await bench.in_turn(bench.write(0x500, **view), bench.read(0x500, **view))
    await bench.finish()
