"""Corners of who may delay whom, one directed test each; the top is the engine.

Parameters: ``seed``.
"""

from typing import Any

import cocotb

from cbit_model.dram import LINE_BYTES
from cbit_sim.beats import WriteData
from cbit_sim.directed import Directed
from cbit_sim.dram import Personality
from cbit_sim.pauses import stalled_until
from cbit_sim.testbed import Testbed
from cbit_sim.traffic import PAGE_BYTES

_PLAIN_PAGE = 8 * PAGE_BYTES
_LINE_BEATS = 4
_ROUNDS = 60
_EVEN = Personality(latency_cycles=(30, 30), reorder=False, interleave=False)


class _Timeline:
    """The cycles in which beats of one ID, and certain beats of W, pass each channel."""

    def __init__(self, bed: Testbed, identifier: int):
        ports = {"s": bed.manager, "m": bed.dram}
        self._channels = {f"{side}_{name}": getattr(port, name) for side, port in ports.items()
                          for name in ("ar", "r", "aw", "w", "b")}
        self._identifier = identifier
        self.written: set[int] = set()
        self._clocked = bed.clocked
        self.cycles: dict[str, list[int]] = {name: [] for name in self._channels}
        bed.clocked.add(self)

    def step(self) -> None:
        for name, channel in self._channels.items():
            if channel.valid and channel.ready and self._is_meant(channel.payload):
                self.cycles[name].append(self._clocked.cycle)

    def _is_meant(self, payload: Any) -> bool:
        if isinstance(payload, WriteData):
            return payload.data in self.written
        return bool(payload.id == self._identifier)

    def delays(self, before: str, after: str) -> list[int]:
        """Cycles from one channel to another, beat by beat."""
        return [late - early for early, late in zip(self.cycles[before], self.cycles[after], strict=True)]


@cocotb.test()
async def plain_accesses_pass_encrypted_ones(dut: Any) -> None:
    """One cycle each way while encrypted accesses with other IDs are in flight; on W a burst begun ends first."""
    bench = Directed(dut, personality=_EVEN)
    await bench.start()
    plain_id = bench.ids - 1
    timeline = _Timeline(bench.bed, plain_id)
    block_cycles = bench.session.engine_config.block_cycles  # as fast as encrypted ones come, none waits
    for number in range(_ROUNDS):
        start = LINE_BYTES * number
        for page in range(3):
            line, identifier = PAGE_BYTES * page + start, page % plain_id
            bench.bed.manager.submit(bench.read(line, length=_LINE_BEATS, identifier=identifier))
            bench.bed.manager.submit(bench.write(line, length=_LINE_BEATS, identifier=identifier,
                                                 strobe=0x00F0 if number % 4 == 0 else 0xFFFF))
        await bench.bed.clocked.cycles(bench.rng.randrange(12))
        view: dict[str, Any] = {"length": _LINE_BEATS, "c_bit": False, "identifier": plain_id}
        bench.bed.manager.submit(bench.read(_PLAIN_PAGE + start, **view))
        write = bench.write(_PLAIN_PAGE + PAGE_BYTES + start, **view)
        timeline.written |= {beat.data for beat in write.data or ()}
        bench.bed.manager.submit(write)
        await bench.bed.clocked.cycles(block_cycles * bench.rng.randrange(20, 60))
    await bench.settle()
    assert timeline.delays("s_ar", "m_ar") == [1] * _ROUNDS
    assert timeline.delays("m_r", "s_r") == [1] * _LINE_BEATS * _ROUNDS
    assert timeline.delays("m_b", "s_b") == [1] * _ROUNDS
    assert max(timeline.delays("s_w", "m_w")) <= 1 + _LINE_BEATS
    await bench.finish()


@cocotb.test()
async def read_data_not_taken_stop_no_write(dut: Any) -> None:
    """A manager that takes no read data, plain or encrypted, still gets its writes done, partial ones included."""
    bench = Directed(dut, personality=_EVEN)
    await bench.start()
    taken: list[bool] = []
    bench.bed.manager.r.pause = stalled_until(taken)
    for number in range(40):
        bench.bed.manager.submit(bench.read(LINE_BYTES * number, length=_LINE_BEATS, c_bit=number % 2 == 0,
                                            identifier=number % bench.ids))
    await bench.bed.clocked.cycles(400)
    writes = [bench.write(_PLAIN_PAGE + LINE_BYTES * number, length=_LINE_BEATS, strobe=strobe, c_bit=c_bit,
                          identifier=number % bench.ids)
              for number, (strobe, c_bit) in enumerate([(0x0FF0, True), (0xFFFF, True), (0x0001, False)] * 8)]
    await bench.bed.manager.perform(*writes, limit_cycles=5000)
    taken.append(True)
    await bench.finish()


@cocotb.test()
async def answers_not_taken_stop_no_read(dut: Any) -> None:
    """A manager that takes no answers to writes still gets its reads done."""
    bench = Directed(dut, personality=_EVEN)
    await bench.start()
    taken: list[bool] = []
    bench.bed.manager.b.pause = stalled_until(taken)
    for number in range(40):
        bench.bed.manager.submit(bench.write(LINE_BYTES * number, length=_LINE_BEATS, c_bit=number % 2 == 0,
                                             strobe=0x0FF0, identifier=number % bench.ids))
    await bench.bed.clocked.cycles(2000)
    reads = [bench.read(_PLAIN_PAGE + LINE_BYTES * number, length=_LINE_BEATS, c_bit=number % 2 == 0,
                        identifier=number % bench.ids) for number in range(24)]
    await bench.bed.manager.perform(*reads, limit_cycles=2000)
    taken.append(True)
    await bench.finish()
