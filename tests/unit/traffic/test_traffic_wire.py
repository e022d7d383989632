"""The traffic generator with neither engine nor key between it and DRAM."""

from amaranth.sim import Simulator

from cbit.config import EngineConfig
from cbit.traffic.findings import Kind
from cbit_sim.gateware.soak_top import SoakTop

_LIMIT = 12_000


def test_what_lies_in_dram_in_plain_is_seen():
    dut = SoakTop(EngineConfig(addr_width=32, c_bit=31, id_width=2, asid_count=3), has_engine=False)
    seen = []

    async def testbench(ctx):
        ctx.set(dut.seed, 1)
        ctx.set(dut.run, 1)
        for _ in range(_LIMIT):
            await ctx.tick()
            if ctx.get(dut.error_kinds) >> Kind.EXPOSED.value & 1:
                break
        seen.extend(kind for kind in Kind if ctx.get(dut.error_kinds) >> kind.value & 1)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    assert Kind.EXPOSED in seen
