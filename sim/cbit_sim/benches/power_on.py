"""A reset of one cycle, whatever registers and memories held before.

Parameters: ``seed``, which chooses that, too. Report: ``before``, what the ports showed of it.
"""

from typing import Any

import cocotb

from cbit_sim.directed import Directed
from cbit_sim.harness import PORTS

_WAITING_CYCLES = 300
_SHOWN = [f"{port}_{channel}_beat" for port, channels in zip(PORTS, (("b", "r"), ("aw", "w", "ar")), strict=True)
          for channel in channels]


@cocotb.test()
async def nothing_survives_a_reset(dut: Any) -> None:
    """No key, release, lock, mode or count; nothing is accepted until release, and denied then for want of keys."""
    bench = Directed(dut)
    bench.bed.fill_dram()
    await bench.bed.clocked.cycles(1)
    before = {name: str(getattr(dut, name).value) for name in _SHOWN}
    await bench.bed.reset()
    await _registers_are_as_after_reset(bench)
    await _nothing_is_accepted(bench)
    await bench.in_turn(*(bench.read(0x200 + 64 * asid, length=4, asid=asid) for asid in
                          range(bench.bed.model.asid_count)))
    await bench.settle()
    await bench.bed.install(0, 1)
    for asid in (0, 1):
        for start in range(0x1000, 0x3000, 0x1C0):
            view: dict[str, Any] = {"asid": asid, "length": 4, "identifier": start // 64 % bench.ids}
            await bench.in_turn(bench.write(start, **view), bench.write(start + 16, strobe=0x0FF0, asid=asid),
                                bench.read(start, **view))
    await bench.finish()
    bench.session.report(before=before)


async def _registers_are_as_after_reset(bench: Directed) -> None:
    psp = bench.bed.psp
    assert psp is not None
    for name in ("STATUS", "CONTROL", "MODE", "IRQ_ENABLE"):
        fields = await psp.read_fields(name)
        assert not any(fields.values()), (name, fields)
    states = [await psp.slot_state(slot) for slot in range(bench.bed.model.asid_count)]
    assert set(states) == {"EMPTY"}, states
    assert await psp.first_violation() is None
    assert await psp.violations() == bench.bed.model.violations.counts


async def _nothing_is_accepted(bench: Directed) -> None:
    """Until release; then both are denied."""
    accesses = bench.read(0x40, length=4), bench.write(0x80, length=4)
    bench.bed.model.set_mode(sme=True, tsme=False, sev=True)
    bench.bed.model.release()
    for transaction in accesses:
        bench.bed.manager.submit(transaction)
    await bench.bed.clocked.cycles(_WAITING_CYCLES)
    assert bench.bed.dram.idle
    assert all(transaction.ended < 0 for transaction in accesses)
    psp = bench.bed.psp
    assert psp is not None
    await psp.set_mode(sme=True, sev=True)
    await psp.release()
    await bench.bed.quiet()
