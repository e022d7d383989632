"""Random traffic of several guests in which one bit of a register is inverted once, and what comes of it.

The design has inputs ``strike_register`` and ``strike_bit``, of the command `cbit upset`; 0 and 0 strike nothing.

Parameters: ``seed``; ``strikes``, pairs of their values. Report: ``outcomes``, each with ``outcome``, ``reason``, and
the ``cycle`` of the strike.
"""

import random
from collections.abc import Coroutine
from typing import Any

import cocotb

from cbit_model.access import HOST_SLOT, Response, decide
from cbit_model.xts import XtsKey
from cbit_sim.dram import Dram, Personality
from cbit_sim.manager import Transaction
from cbit_sim.pauses import pauses
from cbit_sim.psp import CommandError, RefusedError
from cbit_sim.scoreboard import MismatchError, Scoreboard, access_of
from cbit_sim.session import Session, current_session
from cbit_sim.testbed import Testbed
from cbit_sim.traffic import PAGE_BYTES, Ground, Traffic
from cbit_sim.upset import Evidence, Outcome

_PAGES = 8
_TRANSACTIONS = 48
_BEFORE = (6, 26)
"""Transactions that have begun before the strike."""

_WAIT_CYCLES = 60
_BACKLOG = 12
_LIMIT_CYCLES = 12_000
_QUIET_CYCLES = 5_000
_ERRORS = (Response.SLVERR, Response.DECERR)


class _Tap:
    """Shows a judge all write data at DRAM's port."""

    def __init__(self, dram: Dram):
        self._dram = dram
        self.evidence: Evidence | None = None

    def step(self) -> None:
        w = self._dram.w
        if w.valid and self.evidence is not None:
            self.evidence.show(w.payload.data)


class _Trial:
    """One strike, from reset to judgment."""

    def __init__(self, bed: Testbed, rng: random.Random, strike: tuple[int, int]):
        self.bed = bed
        self.rng = rng
        self.strike = strike
        self.struck = -1
        self.is_over = False
        self.findings: dict[Outcome, str] = {}
        model = bed.model
        asid_width = (model.asid_count - 1).bit_length()
        self.asid_width = asid_width
        self.ids = min(4, 1 << int(bed.config["id_width"]))
        self.guests = rng.sample(range(1, model.asid_count), k=min(3, model.asid_count - 1))
        self.late = self.guests[-1] if rng.random() < 1 / 3 else None
        """A guest whose key is installed under load."""

        self.keys = {slot: (rng.randbytes(bed.key_bytes), rng.randbytes(bed.key_bytes))
                     for slot in (HOST_SLOT, *self.guests)}
        self.ground = Ground.random(_PAGES, sorted(self.keys), rng)
        self.evidence = Evidence({slot: XtsKey(*pair) for slot, pair in self.keys.items()}, model.data_unit_bytes,
                                 model.c_bit)
        self.traffic = Traffic(model, self.ground, asid_width=asid_width, ids=self.ids, seed=rng.getrandbits(32),
                               denied=0.2)
        self.board = Scoreboard(model, owner_mask=self.traffic.owner_mask, asid_width=asid_width, ids=range(self.ids),
                                replay="")
        self.begun = 0

    def find(self, outcome: Outcome, reason: str) -> None:
        """Notes something; of each outcome the first counts."""
        self.findings.setdefault(outcome, reason)

    def begin(self, transaction: Transaction) -> None:
        """Called with each transaction as it begins."""
        self.begun += 1
        model = self.bed.model
        decision = decide(access_of(transaction.address, self.asid_width), mode=model.mode, active=model.slots.active,
                          asid_count=model.asid_count, c_bit=model.c_bit)
        self.evidence.begin(transaction, slot=decision.slot, is_denied=decision.violation is not None)
        self.board.begin(transaction)

    def end(self, transaction: Transaction) -> None:
        """Called with each transaction as it ends."""
        try:
            self.board.end(transaction)
        except MismatchError as error:
            is_told = any(response in _ERRORS for response in transaction.responses)
            self.find(Outcome.DETECTED if is_told else Outcome.SILENT, str(error))

    async def run(self) -> None:
        """All of it but the judgment. What breaks off is found, and ends it."""
        steps = ((self._set_up(),), (self._load(), self._strike(), self._install_late()), (self._settle(),))
        for together in steps:
            await self._perform(*together)

    async def _perform(self, *together: Coroutine[Any, Any, None]) -> None:
        """Carries out what goes on at the same time, if nothing has ended the trial."""
        if self.is_over:
            for coroutine in together:
                coroutine.close()
            return
        tasks = [cocotb.start_soon(self._bounded(coroutine)) for coroutine in together]
        try:
            await self.bed.clocked.until(lambda: self.is_over or all(task.done() for task in tasks), _LIMIT_CYCLES)
        except TimeoutError:
            self.stop(f"nothing more comes of {_LIMIT_CYCLES} cycles")
        for task in tasks:
            task.cancel()

    async def _bounded(self, coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            await coroutine
        except TimeoutError as error:
            self.stop(f"nothing more is answered: {error}")
        except (CommandError, RefusedError) as error:
            self.stop(str(error))

    def stop(self, reason: str) -> None:
        """Ends the trial, for a reason by which the upset is detected."""
        self.is_over = True
        self.find(Outcome.DETECTED, reason)

    async def _set_up(self) -> None:
        bed = self.bed
        await bed.reset()
        for page, slot in enumerate(self.ground.slots):
            start = page * PAGE_BYTES
            self.evidence.page(start, bytes(bed.dram.memory[start:start + PAGE_BYTES]), slot)
        for slot in self.keys:
            if slot != self.late:
                await self._install(slot)
        await bed.release(sme=True, sev=True)

    async def _settle(self) -> None:
        await self.bed.quiet(_QUIET_CYCLES)
        await self._ask()

    async def _install(self, slot: int) -> None:
        assert self.bed.psp is not None
        await self.bed.psp.install_key(slot, *self.keys[slot])
        self.bed.model.install(slot, *self.keys[slot])

    async def _install_late(self) -> None:
        if self.late is not None:
            self.traffic.unsettled = self.late
            await self._install(self.late)
            self.traffic.unsettled = None

    async def _load(self) -> None:
        for _ in range(_TRANSACTIONS):
            self.bed.manager.submit(self.traffic.next())
            await self.bed.clocked.until(lambda: self.bed.manager.backlog < _BACKLOG, _QUIET_CYCLES)

    async def _strike(self) -> None:
        clocked, dut = self.bed.clocked, self.bed.dut
        before = self.rng.randint(*_BEFORE)
        await clocked.until(lambda: self.begun >= before, _QUIET_CYCLES)
        await clocked.cycles(self.rng.randrange(1, _WAIT_CYCLES))
        self.struck = clocked.cycle
        dut.strike_register.value, dut.strike_bit.value = self.strike
        await clocked.cycles(1)
        dut.strike_register.value = dut.strike_bit.value = 0

    async def _ask(self) -> None:
        """What the registers say, and whether the mode is still locked."""
        bed, psp, host = self.bed, self.bed.psp, self.bed.host
        assert psp is not None
        assert host is not None
        status = await psp.read_fields("STATUS")
        for fault in ("KEY_FAULT", "SELF_TEST_FAILED", "UPSET"):
            if status[fault]:
                self.find(Outcome.DETECTED, f"STATUS.{fault} is set")
        mode, counts = await psp.read_fields("MODE"), await host.violations()
        for kind, expected in bed.model.violations.counts.items():
            if counts[kind] != expected:
                self.find(Outcome.DETECTED if counts[kind] > expected else Outcome.SILENT,
                          f"{counts[kind]} accesses are counted as {kind.name}, not {expected}")
        if mode != {"SME": 1, "TSME": 0, "SEV": 1}:
            self.find(Outcome.SILENT, f"MODE reads {mode}")
        try:
            await psp.set_mode(sme=True, sev=True)
        except RefusedError:
            return
        self.find(Outcome.SILENT, "the mode is not locked")

    def judge(self) -> tuple[Outcome, str]:
        """The worst that is true, and why."""
        bed = self.bed
        try:
            self.board.settle(bed.dram.memory)
        except MismatchError as error:
            self.find(Outcome.SILENT, str(error))
        for leak in self.evidence.leaks(bytes(bed.dram.memory), bytes(bed.model.dram.content), self.ground.slots,
                                        PAGE_BYTES):
            self.find(Outcome.LEAKING, leak)
        for outcome in (Outcome.LEAKING, Outcome.DETECTED, Outcome.SILENT):
            if outcome in self.findings:
                return outcome, self.findings[outcome].partition("; replay")[0]
        return Outcome.MASKED, ""


class _Run:
    """All strikes, one after the other in one engine."""

    def __init__(self, dut: Any, session: Session):
        seed = session.parameters["seed"]
        self.session = session
        self.seed = seed
        self.trial: _Trial | None = None
        self.bed = Testbed(dut, session, size_bytes=_PAGES * PAGE_BYTES, outstanding=24,
                           personality=Personality(latency_cycles=(2, 40)), dram_pauses=pauses("light", seed),
                           on_begin=lambda transaction: self._current.begin(transaction),
                           on_end=lambda transaction: self._current.end(transaction), seed=seed)
        self.tap = _Tap(self.bed.dram)
        self.bed.clocked.add(self.tap)
        dut.strike_register.value = dut.strike_bit.value = 0

    @property
    def _current(self) -> _Trial:
        assert self.trial is not None
        return self.trial

    async def run(self, strike: tuple[int, int]) -> dict[str, Any]:
        """One trial, and its line of the report."""
        rng = random.Random(f"{self.seed} {strike}")
        bed = self.bed
        bed.dram.memory[:] = rng.randbytes(len(bed.dram.memory))
        trial = self.trial = _Trial(bed, rng, strike)
        self.tap.evidence = trial.evidence
        bed.clocked.on_error = lambda error: trial.stop(f"a rule of the bus is broken: {error!r}")
        await trial.run()
        bed.clocked.on_error = None
        bed.clocked.held = True
        self.bed.dut.strike_register.value = self.bed.dut.strike_bit.value = 0
        outcome, reason = trial.judge()
        return {"outcome": outcome.value, "reason": reason, "cycle": trial.struck}


@cocotb.test()
async def upsets(dut: Any) -> None:
    """Each strike in a trial of its own."""
    session = current_session()
    run = _Run(dut, session)
    outcomes = []
    strikes = [tuple(strike) for strike in session.parameters["strikes"]]
    for number, strike in enumerate(strikes, 1):
        outcomes.append(await run.run(strike))
        session.progress(number / len(strikes), f"{number} of {len(strikes)} strikes")
    session.report(cycles=run.bed.clocked.cycle, outcomes=outcomes)
