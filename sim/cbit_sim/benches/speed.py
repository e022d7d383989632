"""Where the time of a simulation goes: cycles per second of the model alone, and with each layer above it.

Parameters: ``cycles`` of each measurement (default 20,000), and ``dram_latency_cycles`` (default 30).

Report, ``layers`` in cycles per second: the ``model`` under its clock, with no Python in its cycles; an ``edge`` at
which one empty step is called; ``idle`` channels, all of both ports stepped with nothing to do; ``traffic``, random
encrypted reads and writes of 64 bytes as fast as the engine takes them; ``checked``, the same with the protocol
checker on both ports. ``microseconds`` are what each layer adds to a cycle. Each is of processor time, and of the
fastest tenth of the stretches of 100 cycles, so that what else the machine does counts little.

``steps_microseconds`` is what the steps of all models take of a ``checked`` cycle, which is Python alone. The rest is
the simulator, the design under load, and the way to Python and back.
"""

import itertools
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import cocotb
from cocotb.triggers import Timer

from cbit_sim.beats import Address, WriteData
from cbit_sim.clocked import CLOCK_NS, Clocked, start_clock
from cbit_sim.dram import Personality
from cbit_sim.manager import Transaction
from cbit_sim.session import Session, current_session
from cbit_sim.testbed import Testbed
from cbit_sim.traffic import user_bits

_LINE_BYTES = 64
_LINES = 1024
_STRETCH_CYCLES = 100


class _Nothing:
    """A step that does nothing."""

    def step(self) -> None:
        pass


class _Begin:
    """The step before all others: notes when it was."""

    def __init__(self) -> None:
        self.moment = 0.0

    def step(self) -> None:
        self.moment = time.perf_counter()


class _End:
    """The step after all others: notes how long they took."""

    def __init__(self, begin: _Begin):
        self._begin = begin
        self._seconds: list[float] = []

    def step(self) -> None:
        self._seconds.append(time.perf_counter() - self._begin.moment)

    @property
    def microseconds(self) -> float:
        """Mean of a cycle, without the slowest hundredth, in which the machine did something else."""
        quick = sorted(self._seconds)[:len(self._seconds) * 99 // 100]
        return round(1e6 * sum(quick) / len(quick), 1)


class _Layers:
    """Measures one layer after the other, and what each adds."""

    def __init__(self, session: Session):
        self.cycles = session.parameters.get("cycles", 20_000)
        self.per_second: dict[str, int] = {}
        self._session = session

    async def measure(self, name: str, run: Callable[[int], Awaitable[Any]]) -> None:
        seconds = []
        for _ in range(self.cycles // _STRETCH_CYCLES):
            begin = time.process_time()
            await run(_STRETCH_CYCLES)
            seconds.append(time.process_time() - begin)
        self.per_second[name] = round(_STRETCH_CYCLES / sorted(seconds)[len(seconds) // 10])
        self._session.progress(len(self.per_second) / 5, name)

    def report(self, *, steps_microseconds: float) -> None:
        microseconds = [1e6 / rate for rate in self.per_second.values()]
        added = [after - before for before, after in itertools.pairwise([0.0, *microseconds])]
        self._session.report(cycles=len(added) * self.cycles, layers=self.per_second,
                             steps_microseconds=steps_microseconds,
                             microseconds=dict(zip(self.per_second, (round(cost, 1) for cost in added), strict=True)))


class _Load:
    """Keeps a manager supplied with random encrypted lines, every second one a write, while ``is_on``."""

    def __init__(self, bed: Testbed):
        self.is_on = True
        self._manager = bed.manager
        self._rng = random.Random(1)
        self._width = (int(bed.config["asid_count"]) - 1).bit_length()
        self._c_bit = int(bed.config["c_bit"])
        self._bus_bytes = bed.bus_bytes

    def step(self) -> None:
        if self._manager.backlog or not self.is_on:
            return
        beats, strobe = _LINE_BYTES // self._bus_bytes, (1 << self._bus_bytes) - 1
        for data in (None, [WriteData(self._rng.getrandbits(8 * self._bus_bytes), strobe, beat == beats - 1)
                            for beat in range(beats)]):
            line = self._rng.randrange(_LINES) * _LINE_BYTES
            self._manager.submit(Transaction(
                Address(self._rng.randrange(4), line | 1 << self._c_bit, beats - 1,
                        self._bus_bytes.bit_length() - 1,
                        user=user_bits(self._width, asid=self._rng.randrange(2))), data))


@cocotb.test()
async def layers(dut: Any) -> None:
    """The model first, with its inputs at rest; then layer upon layer."""
    session = current_session()
    measured = _Layers(session)
    dut.rst.value = 1
    clock = start_clock(dut)
    await measured.measure("model", lambda cycles: Timer(cycles * CLOCK_NS, "ns"))
    edge = Clocked(dut)
    edge.add(_Nothing())
    await measured.measure("edge", edge.cycles)
    edge.stop()
    clock.stop()
    latency = session.parameters.get("dram_latency_cycles", 30)
    bed = Testbed(dut, session, size_bytes=_LINES * _LINE_BYTES, checked=False, personality=Personality(
        latency_cycles=(latency, latency), reorder=False, interleave=False))
    await bed.reset()
    if session.has_engine:
        await bed.install(0, 1)
    await bed.release(sme=True, sev=True)
    await measured.measure("idle", bed.clocked.cycles)
    load = _Load(bed)
    bed.clocked.add(load)
    await measured.measure("traffic", bed.clocked.cycles)
    load.is_on = False
    await bed.quiet()
    bed.watch()
    load.is_on = True
    await measured.measure("checked", bed.clocked.cycles)
    begin = _Begin()
    end = _End(begin)
    bed.clocked.add(begin, first=True)
    bed.clocked.add(end)
    await bed.clocked.cycles(measured.cycles)
    measured.report(steps_microseconds=end.microseconds)
