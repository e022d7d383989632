"""A short look at everything: for a first run, and for the second simulator.

Parameters: ``seed``. Report: ``transactions`` judged by the golden model.
"""

from typing import Any

import cocotb

from cbit_sim.beats import Address, WriteData
from cbit_sim.directed import Directed
from cbit_sim.manager import Transaction

_SECRET = b"attack at dawn, 05:30, north gate".ljust(64, b".")


@cocotb.test()
async def smoke(dut: Any) -> None:
    """Plain passes, encrypted comes back, DRAM shows ciphertext, neighbors stay, the denied is denied."""
    bench = Directed(dut)
    is_engine = bench.session.has_engine
    if is_engine:
        await bench.start(0, 1)
        await _encrypted(bench)
    else:
        bench.bed.fill_dram()
        await bench.bed.reset()
        await bench.bed.release()
    await bench.in_turn(
        bench.write(0x400, data=_SECRET, length=4, c_bit=False), bench.read(0x400, length=4, c_bit=False),
        bench.write(0x40C, strobe=0x3000, c_bit=False), bench.read(0x400, length=4, c_bit=False))
    await bench.finish()
    bench.session.report(transactions=bench.board.judged)


async def _encrypted(bench: Directed) -> None:
    views: tuple[tuple[int, dict[str, Any]], ...] = ((0x1000, {"asid": 0}), (0x2000, {"asid": 1}))
    for start, view in views:
        await bench.in_turn(bench.write(start, data=_SECRET, length=4, **view), bench.read(start, length=4, **view))
        assert bench.bed.dram.memory[start:start + 64] == bench.bed.model.ciphertext(view["asid"], start, _SECRET)
        await bench.in_turn(bench.write(start + 20, strobe=0x0010, size=2, **view),
                            bench.read(start, length=4, **view))
    await bench.in_turn(bench.read(0x2000, length=4, asid=0), bench.read(0x2000, length=4, asid=0, c_bit=False),
                        bench.read(0x2000, asid=5), bench.write(0x2000, asid=1, dma=True),
                        Transaction(Address(0, 0x1000, 3, burst=3)),
                        Transaction(Address(1, 0x1000, 0, burst=3), [WriteData(0, 0xFFFF, 1)]),
                        bench.read(0x2000, length=4, asid=1))
