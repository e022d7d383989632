"""Random traffic, judged by the golden model: key changes, resets and slots' ends in between.

Parameters: ``seed``; ``transactions``; ``personality``, a name of :data:`cbit_sim.surroundings.PERSONALITIES`, without
which the seed chooses the surroundings, too; ``events``, whether keys change and resets strike (never on the wire).
With a chip of ``memory_bytes`` behind a controller, DRAM is as that is: no line errs, and no reset strikes.
Report: ``transactions`` judged, ``events`` by kind, ``surroundings``, and of a chip how many ``refreshes`` it has had.
"""

import dataclasses
import json
import random
import shlex
from collections.abc import Awaitable, Mapping
from typing import Any

import cocotb
from cocotb.triggers import with_timeout

from cbit_model.access import HOST_SLOT, Violation
from cbit_sim.clocked import CLOCK_NS
from cbit_sim.manager import Transaction
from cbit_sim.psp import CommandError, RefusedError
from cbit_sim.scoreboard import MismatchError, Scoreboard
from cbit_sim.session import Session, current_session
from cbit_sim.surroundings import PERSONALITIES, Mode, Surroundings, random_mode
from cbit_sim.testbed import Testbed
from cbit_sim.traffic import PAGE_BYTES, Ground, Traffic, error_lines

_PAGES = 16
_BACKLOG = 32
_EVENTS = ("rekey", "retire under load", "zeroize under load", "zeroize all under load", "install under load",
           "refused commands", "reset", "ground", "ground")
_CHIP_EVENTS = tuple(event for event in _EVENTS if event != "reset")
"""A reset in the middle of a block leaves half of it in a chip whose words are narrower: junk, if it is encrypted."""

_LIMIT_CYCLES = 1_000_000
_LIMIT_CYCLES_EACH = 5_000
"""Beyond these, in all and for each transaction, the design is taken for stuck."""


class _Run:
    """One run in its surroundings."""

    def __init__(self, dut: Any, session: Session):
        seed = session.parameters["seed"]
        name = session.parameters.get("personality")
        around = Surroundings.random(seed) if name is None else PERSONALITIES[name]
        self.session = session
        self.around = around
        self.rng = random.Random(seed)
        self.is_engine = session.has_engine
        self.with_events = self.is_engine and bool(session.parameters.get("events", True))
        self.asid_width = (int(session.config["asid_count"]) - 1).bit_length()
        self.ending_slots: list[int] = []
        self.are_counts_known = True
        self.events: dict[str, int] = {}
        self.bed = Testbed(
            dut, session, size_bytes=_PAGES * PAGE_BYTES, base=_base(seed, session), personality=around.personality,
            outstanding=around.outstanding, manager_pauses=around.manager.pauses(seed),
            dram_pauses=around.dram.pauses(seed + 1),
            on_begin=self._begin, on_end=self._end, seed=seed)
        self.ids = min(around.ids, 1 << int(session.config["id_width"]))
        self.traffic = Traffic(self.bed.model, Ground([None] * _PAGES), asid_width=self.asid_width, ids=self.ids,
                               seed=seed, denied=around.denied if self.is_engine else 0.0, hot=around.hot)
        self.board = Scoreboard(self.bed.model, owner_mask=self.traffic.owner_mask, asid_width=self.asid_width,
                                ids=range(self.ids), replay=_replay(session))

    def _begin(self, transaction: Transaction) -> None:
        self.board.begin(transaction)
        for slot in self.ending_slots:
            self.board.interrupt(slot)

    def _end(self, transaction: Transaction) -> None:
        self.board.end(transaction)

    async def start(self) -> None:
        """Reset, keys, mode, release."""
        await self.bed.reset(self.around.reset_cycles)
        self.are_counts_known = True
        if self.is_engine:
            guests = self.rng.sample(range(1, self.bed.model.asid_count), k=min(3, self.bed.model.asid_count - 1))
            await self.bed.install(0, *guests)
            await self._release(random_mode(self.rng) if self.around.mode is None else self.around.mode)
        else:
            await self.bed.release()
        self.new_ground()

    async def _release(self, mode: Mode) -> None:
        """Of the modes that are set before the lock the last one counts, and none after it."""
        assert self.bed.psp is not None
        for _ in range(self.rng.randrange(3)):
            await self.bed.psp.set_mode(**random_mode(self.rng))
        await self.bed.release(**mode)
        try:
            await self.bed.psp.set_mode(**random_mode(self.rng))
        except RefusedError:
            return
        raise MismatchError("a locked mode was written")

    def _reachable(self) -> list[int]:
        """Active slots that the mode lets somebody use."""
        mode = self.bed.model.mode
        return [slot for slot in sorted(self.bed.model.slots.active)
                if (mode.sme or mode.tsme if slot == HOST_SLOT else mode.sev)]

    def new_ground(self) -> None:
        """Other pages for other keys; what was written there before is junk under the new one."""
        self.traffic.ground = Ground.random(_PAGES, self._reachable(), self.rng, plain=not self.bed.model.mode.tsme)
        for errors in ("read_errors", "write_errors"):
            base = self.bed.dram.base
            lines = error_lines(_PAGES, self.rng, 0 if self.session.has_chip else self.around.error_lines, base)
            lines = {line: code for line, code in lines.items()
                     if (line - base) // PAGE_BYTES not in self.traffic.ground.exclusive_pages}
            setattr(self.bed.dram, errors, lines)
            setattr(self.bed.model.dram, errors, dict(lines))

    async def feed(self, count: int) -> None:
        """Submits transactions, not far ahead of what begins."""
        for submitted in range(count):
            self.bed.manager.submit(self.traffic.next())
            if submitted % _BACKLOG == 0:
                await self.bed.clocked.until(lambda: self.bed.manager.backlog < _BACKLOG, 200_000)

    async def settle(self) -> None:
        """Waits for quiet, and compares all of DRAM, and the numbers of accesses denied."""
        await self.bed.quiet()
        self.board.settle(self.bed.dram.memory)
        if self.bed.host is not None and self.are_counts_known:
            counts, expected = await self.bed.host.violations(), self.bed.model.violations.counts
            if counts != expected:
                raise MismatchError(f"accesses denied: expected {_by_name(expected)}, got {_by_name(counts)}; "
                                    f"replay: {_replay(self.session)}")

    async def event(self) -> None:
        """Something that changes keys or state, under load or not, from one quiet moment to the next."""
        assert self.bed.psp is not None
        kind = self.rng.choice(_CHIP_EVENTS if self.session.has_chip else _EVENTS)
        self.events[kind] = self.events.get(kind, 0) + 1
        slot = self.rng.choice(sorted(self.bed.model.slots.active))
        match kind:
            case "reset":
                await self._reset_under_load()
                return
            case "rekey":
                await self._retire(slot)
                await self.bed.install(slot)
            case "retire under load":
                await self._end_under_load("retire", self.bed.psp.retire(slot), slot)
            case "zeroize under load":
                await self._end_under_load("zeroize", self.bed.psp.zeroize(slot), slot)
            case "zeroize all under load":
                await self._end_under_load("zeroize", self.bed.psp.zeroize_all(),
                                           *sorted(self.bed.model.slots.active))
            case "install under load":
                await self._install_under_load(slot)
            case "refused commands":
                await self._refused_commands(slot)
        self.new_ground()

    async def _reset_under_load(self) -> None:
        await self.feed(40)
        await self.bed.clocked.cycles(self.rng.randrange(60))
        self.bed.clocked.held = True
        self.board.abandon(self.bed.dram.memory)
        await self.start()

    async def _retire(self, slot: int) -> None:
        assert self.bed.psp is not None
        await self.bed.psp.retire(slot)
        self.bed.model.retire(slot)

    async def _end_under_load(self, how: str, command: Awaitable[None], *slots: int) -> None:
        """Which of the slots' accesses come too late, and are counted as denied, nobody knows."""
        assert self.bed.psp is not None
        await self.feed(60)
        self.ending_slots = [*slots]
        for slot in slots:
            self.board.interrupt(slot)
        self.are_counts_known = False
        with self.bed.command(how, *slots):
            await command
        await self.settle()
        self.ending_slots = []
        for slot in slots:
            self.bed.model.zeroize(slot)
        await self.bed.install(*slots)
        await self.bed.psp.write("VIOLATION_CLEAR", RECORD=1, COUNTS=1)
        self.bed.model.violations.clear_record()
        self.bed.model.violations.clear_counts()
        self.are_counts_known = True

    async def _install_under_load(self, slot: int) -> None:
        """The slot ends, and a slot, it or another, begins while accesses under other keys are in flight."""
        await self._retire(slot)
        self.new_ground()
        slots = self.bed.model.slots
        self.traffic.unsettled = self.rng.choice([slot for slot in range(slots.count) if slot not in slots.active])
        await self.feed(10)
        install = cocotb.start_soon(self.bed.install(self.traffic.unsettled))
        with self.bed.command("install", self.traffic.unsettled):
            await self.feed(60)
            await install
        self.traffic.unsettled = None
        await self.feed(30)
        await self.settle()

    async def _refused_commands(self, slot: int) -> None:
        """What can not be done does nothing to accesses in flight."""
        assert self.bed.psp is not None
        await self.feed(40)
        inactive = [other for other in range(self.bed.model.asid_count) if other not in self.bed.model.slots.active]
        for operation, refused in (("INSTALL", slot), *(("RETIRE", other) for other in inactive[:1])):
            try:
                await self.bed.psp.command(operation, refused)
            except CommandError:
                continue
            raise MismatchError(f"{operation} of slot {refused} was not refused; replay: {_replay(self.session)}")
        await self.feed(20)
        await self.settle()

    async def run(self, count: int) -> None:
        """All of it."""
        self.bed.fill_dram()
        await self.start()
        while self.board.judged < count:
            await self.feed(min(self.around.chunk, count - self.board.judged))
            await self.settle()
            self.session.progress(min(1.0, self.board.judged / count), f"{self.board.judged} transactions judged")
            if self.with_events and self.board.judged < count:
                await self.event()


def _base(seed: int, session: Session) -> int:
    """Where DRAM lies, so that all bits of an address have a part in it; of a chip, where we look."""
    size_bytes = _PAGES * PAGE_BYTES
    end = session.parameters["memory_bytes"] if session.has_chip else 1 << int(session.config["c_bit"])
    return size_bytes * random.Random(f"base {seed}").randrange(end // size_bytes)


def _by_name(counts: Mapping[Violation, int]) -> dict[str, int]:
    return {kind.name: count for kind, count in counts.items()}


def _replay(session: Session) -> str:
    settings = json.dumps({"config": session.config, "parameters": session.parameters})
    return f"python -m cbit_sim {session.top} random_traffic {shlex.quote(settings)}"


@cocotb.test()
async def random_traffic(dut: Any) -> None:
    """Random transactions in surroundings that have a name, or are the seed's."""
    session = current_session()
    count = session.parameters["transactions"]
    run = _Run(dut, session)
    surroundings = dataclasses.asdict(run.around)
    dut._log.info("seed %d, %s", session.parameters["seed"], surroundings)
    await with_timeout(run.run(count), CLOCK_NS * (_LIMIT_CYCLES + _LIMIT_CYCLES_EACH * count), "ns")
    chip = run.bed.chip
    session.report(cycles=run.bed.clocked.cycle, transactions=run.board.judged, events=run.events,
                   surroundings=surroundings, **({"refreshes": chip.refreshes} if chip else {}))
