"""Random traffic, judged by the golden model: key changes, resets and slots' ends in between.

Parameters: ``seed``; ``transactions``; ``personality``, a name of :data:`PERSONALITIES`; ``events``, whether keys
change and resets strike (never on the wire).
"""

import json
import random
import shlex
from dataclasses import dataclass
from typing import Any

import cocotb

from cbit_sim.dram import Personality
from cbit_sim.manager import Transaction
from cbit_sim.pauses import pauses
from cbit_sim.scoreboard import Scoreboard
from cbit_sim.session import Session, current_session
from cbit_sim.testbed import Testbed
from cbit_sim.traffic import PAGE_BYTES, Ground, Traffic, error_lines

_PAGES = 16
_MAX_IDS = 8
_CHUNK = 250
_BACKLOG = 32


@dataclass(frozen=True)
class _Setting:
    """Surroundings of a run: DRAM, back-pressure of the manager and of DRAM, mode, outstanding transactions."""

    dram: Personality
    manager_pauses: str
    dram_pauses: str
    mode: dict[str, bool]
    outstanding: int


_SME_SEV = {"sme": True, "sev": True}

PERSONALITIES = {
    "swift": _Setting(Personality(latency_cycles=(1, 1), reorder=False, interleave=False), "none", "none",
                      _SME_SEV, 64),
    "unordered": _Setting(Personality(latency_cycles=(1, 80)), "none", "light", _SME_SEV, 64),
    "stalled": _Setting(Personality(latency_cycles=(1, 30)), "mixed", "mixed", _SME_SEV, 32),
    "crowded": _Setting(Personality(latency_cycles=(20, 40), outstanding=4), "bursty", "bursty", _SME_SEV, 64),
    "transparent": _Setting(Personality(latency_cycles=(5, 60)), "light", "heavy", {"tsme": True, "sev": True}, 16),
    "alone": _Setting(Personality(latency_cycles=(1, 10)), "none", "none", _SME_SEV, 1),
}
"""Kinds of surroundings."""


class _Run:
    """One run in one kind of surroundings."""

    def __init__(self, dut: Any, session: Session):
        setting = PERSONALITIES[session.parameters["personality"]]
        seed = session.parameters["seed"]
        self.session = session
        self.setting = setting
        self.rng = random.Random(seed)
        self.is_engine = session.top == "engine"
        self.with_events = self.is_engine and bool(session.parameters.get("events", True))
        self.asid_width = (int(session.config["asid_count"]) - 1).bit_length()
        self.ending_slot: int | None = None
        self.events: dict[str, int] = {}
        self.bed = Testbed(
            dut, session, size_bytes=_PAGES * PAGE_BYTES, personality=setting.dram, outstanding=setting.outstanding,
            manager_pauses=pauses(setting.manager_pauses, seed), dram_pauses=pauses(setting.dram_pauses, seed + 1),
            on_begin=self._begin, on_end=self._end, seed=seed)
        self.ids = min(_MAX_IDS, 1 << int(session.config["id_width"]))
        self.traffic = Traffic(self.bed.model, Ground([None] * _PAGES), asid_width=self.asid_width, ids=self.ids,
                               seed=seed, denied=0.1 if self.is_engine else 0.0)
        self.board = Scoreboard(self.bed.model, owner_mask=self.traffic.owner_mask, asid_width=self.asid_width,
                                ids=range(self.ids), replay=_replay(session))

    def _begin(self, transaction: Transaction) -> None:
        self.board.begin(transaction)
        if self.ending_slot is not None:
            self.board.interrupt(self.ending_slot)

    def _end(self, transaction: Transaction) -> None:
        self.board.end(transaction)

    async def start(self) -> None:
        """Reset, keys, mode, release."""
        await self.bed.reset()
        if self.is_engine:
            guests = self.rng.sample(range(1, self.bed.model.asid_count), k=min(3, self.bed.model.asid_count - 1))
            await self.bed.install(0, *guests)
        await self.bed.release(**(self.setting.mode if self.is_engine else {}))
        self.new_ground()

    def new_ground(self) -> None:
        """Other pages for other keys; what was written there before is junk under the new one."""
        active = sorted(self.bed.model.slots.active)
        self.traffic.ground = Ground.random(_PAGES, active, self.rng, plain=not self.bed.model.mode.tsme)
        for errors in ("read_errors", "write_errors"):
            lines = error_lines(_PAGES, self.rng)
            lines = {line: code for line, code in lines.items()
                     if line // PAGE_BYTES not in self.traffic.ground.exclusive_pages}
            setattr(self.bed.dram, errors, lines)
            setattr(self.bed.model.dram, errors, dict(lines))

    async def feed(self, count: int) -> None:
        """Submits transactions, not far ahead of what begins."""
        for submitted in range(count):
            self.bed.manager.submit(self.traffic.next())
            if submitted % _BACKLOG == 0:
                await self.bed.clocked.until(lambda: self.bed.manager.backlog < _BACKLOG, 200_000)

    async def settle(self) -> None:
        """Waits for quiet, and compares all of DRAM."""
        await self.bed.quiet()
        self.board.settle(self.bed.dram.memory)

    async def event(self) -> None:
        """Something that changes keys or state, under load or not."""
        kind = self.rng.choice(("rekey", "retire under load", "zeroize under load", "reset", "ground", "ground"))
        self.events[kind] = self.events.get(kind, 0) + 1
        if kind == "reset":
            await self.feed(40)
            await self.bed.clocked.cycles(self.rng.randrange(60))
            self.bed.clocked.held = True
            self.board.abandon(self.bed.dram.memory)
            await self.start()
            return
        slot = self.rng.choice(sorted(self.bed.model.slots.active))
        assert self.bed.psp is not None
        if kind == "rekey":
            await self.bed.psp.retire(slot)
            self.bed.model.retire(slot)
            await self.bed.install(slot)
        elif kind.endswith("under load"):
            await self.feed(60)
            self.ending_slot = slot
            self.board.interrupt(slot)
            await (self.bed.psp.retire(slot) if kind.startswith("retire") else self.bed.psp.zeroize(slot))
            await self.settle()
            self.ending_slot = None
            self.bed.model.zeroize(slot)
            await self.bed.install(slot)
        self.new_ground()

    async def run(self, count: int) -> None:
        """All of it."""
        self.bed.fill_dram()
        await self.start()
        while self.board.judged < count:
            await self.feed(min(_CHUNK, count - self.board.judged))
            await self.settle()
            self.session.progress(min(1.0, self.board.judged / count), f"{self.board.judged} transactions judged")
            if self.with_events and self.board.judged < count:
                await self.event()


def _replay(session: Session) -> str:
    settings = json.dumps({"config": session.config, "parameters": session.parameters})
    return f"python -m cbit_sim {session.top} random_traffic {shlex.quote(settings)}"


@cocotb.test()
async def random_traffic(dut: Any) -> None:
    """Random transactions in one kind of surroundings."""
    session = current_session()
    parameters = session.parameters
    run = _Run(dut, session)
    dut._log.info("seed %d, %s", parameters["seed"], parameters["personality"])
    await run.run(parameters["transactions"])
    session.report(cycles=run.bed.clocked.cycle, transactions=run.board.judged, events=run.events)
