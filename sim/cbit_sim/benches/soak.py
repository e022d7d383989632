"""Traffic of gateware on the engine, for as long as is asked for; Python looks at it once in many cycles.

Parameters: ``cycles`` (default 200,000), ``seed`` (default 1), ``step_cycles`` between two looks (default 100,000),
``phase_cycles`` (default 5,000,000), after which traffic ends for a moment, one key that it uses is exchanged, and it
begins anew with another seed.

At each look a slot that traffic does not use gets a key, or loses it, at once or after a drain.

Report: ``counts`` as :data:`cbit.traffic.generator.COUNTS` has them, ``errors``, ``kinds`` of them, ``error``, the
first in words, empty if there is none, and ``events``, numbers of what was done with keys.
"""

import random
from collections import Counter
from typing import Any

import cocotb
from cocotb.triggers import Timer

from cbit.config import EngineConfig
from cbit.traffic.findings import Kind
from cbit.traffic.generator import COUNTS
from cbit_sim.clocked import CLOCK_NS, start_clock
from cbit_sim.gateware.guests import guests_of
from cbit_sim.psp import PspPort
from cbit_sim.session import Session, current_session

_RESET_CYCLES = 8
_DRAIN_CYCLES = 1000
_DRAINS = 200
_SEEDS = 1 << 32


async def _cycles(count: int) -> None:
    """Lets the clock run, with no Python in its cycles."""
    await Timer(count * CLOCK_NS, "ns")


class _Keys:
    """The keys of the engine: those that traffic uses, and those that it does not."""

    def __init__(self, dut: Any, config: EngineConfig, rng: random.Random):
        self.events: Counter[str] = Counter()
        self.psp = PspPort(dut)
        self._rng = rng
        self._key_bytes = config.key_bits // 8
        self._used = range(guests_of(config) + 1)
        self._free = range(self._used.stop, config.asid_count - 1)
        self._installed: set[int] = set()

    async def _install(self, slot: int) -> None:
        await self.psp.install_key(slot, self._rng.randbytes(self._key_bytes), self._rng.randbytes(self._key_bytes))
        self.events["install"] += 1

    async def begin(self) -> None:
        """After reset: the keys that traffic uses, and release."""
        await self.psp.wait_ready()
        for slot in self._used:
            await self._install(slot)
        await self.psp.set_mode(sme=True, sev=True)
        await self.psp.lock()
        await self.psp.release()

    async def exchange(self) -> None:
        """Another key for a slot that traffic uses."""
        slot = self._rng.choice(self._used)
        await self.psp.retire(slot)
        await self._install(slot)
        self.events["exchange"] += 1

    async def disturb(self) -> None:
        """A key more or less in a slot that traffic does not use."""
        if not self._free:
            return
        slot = self._rng.choice(self._free)
        if slot not in self._installed:
            self._installed.add(slot)
            await self._install(slot)
            return
        self._installed.remove(slot)
        end = self._rng.choice(("retire", "zeroize"))
        await getattr(self.psp, end)(slot)
        self.events[end] += 1


def _error(dut: Any) -> str:
    """The first error in words."""
    kind = Kind(int(dut.error_kind.value))
    if kind is Kind.NONE:
        return ""
    text = (f"{kind.name} of a {'write' if int(dut.error_is_write.value) else 'read'} "
            f"of ID {int(dut.error_id.value)} at address {int(dut.error_address.value):#x}")
    expected, got = (int(getattr(dut, f"error_{name}").value) for name in ("expected", "got"))
    return f"{text}: expected {expected:032x}, got {got:032x}" if expected or got else text


class _Soak:
    """One soak, from reset to its report."""

    def __init__(self, dut: Any, session: Session):
        parameters = session.parameters
        self.cycles = parameters.get("cycles", 200_000)
        self.done = 0
        self._step_cycles = parameters.get("step_cycles", 100_000)
        self._phase_cycles = parameters.get("phase_cycles", 5_000_000)
        self._rng = random.Random(parameters.get("seed", 1))
        self._dut = dut
        self._session = session
        self._keys = _Keys(dut, session.engine_config, self._rng) if session.top == "soak" else None

    async def reset(self) -> None:
        for name in ("run", "clear"):
            getattr(self._dut, name).value = 0
        await _cycles(_RESET_CYCLES)
        self._dut.rst.value = 0
        await _cycles(1)
        if self._keys is not None:
            await self._keys.begin()

    async def run(self) -> None:
        """Phase after phase, until all cycles are done or something is wrong."""
        while self.done < self.cycles and not int(self._dut.errors.value):
            if self.done and self._keys is not None:
                await self._keys.exchange()
            self._dut.seed.value = self._rng.randrange(_SEEDS)
            self._dut.run.value = 1
            await self._phase(min(self.cycles, self.done + self._phase_cycles))
            self._dut.run.value = 0
            await self._drain()

    async def _phase(self, end: int) -> None:
        while self.done < end and not int(self._dut.errors.value):
            step = min(self._step_cycles, end - self.done)
            await _cycles(step)
            self.done += step
            bursts = sum(int(getattr(self._dut, name).value) for name in ("reads", "writes"))
            self._session.progress(self.done / self.cycles, f"{self.done:,} cycles, {bursts:,} bursts")
            if self._keys is not None:
                await self._keys.disturb()

    async def _drain(self) -> None:
        for _ in range(_DRAINS):
            await _cycles(_DRAIN_CYCLES)
            if int(self._dut.idle.value) or int(self._dut.errors.value):
                return
        raise TimeoutError(f"traffic has not ended after {_DRAINS * _DRAIN_CYCLES} cycles")

    async def report(self) -> None:
        counts = {name: int(getattr(self._dut, name).value) for name in COUNTS.members}
        error = _error(self._dut)
        if self._keys is not None and not error:
            denied = sum((await self._keys.psp.violations()).values())
            if denied != counts["denied"]:
                error = f"{counts['denied']} accesses were denied, and the engine has counted {denied}"
        kinds = int(self._dut.error_kinds.value)
        self._session.report(
            cycles=self.done, counts=counts, errors=int(self._dut.errors.value), error=error,
            kinds=[name for name, kind in Kind.__members__.items() if kinds >> kind.value & 1],
            events=dict(self._keys.events) if self._keys is not None else {})


@cocotb.test()
async def soak(dut: Any) -> None:
    """From reset to the last answer."""
    dut.rst.value = 1
    start_clock(dut)
    one = _Soak(dut, current_session())
    await one.reset()
    await one.run()
    await one.report()
