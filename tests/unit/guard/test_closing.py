"""An engine that has closed stays so."""

from amaranth.sim import Simulator

from cbit.guard.closing import Closing


def test_what_is_found_closes_a_cycle_later_and_for_good():
    dut = Closing(parts=3)

    async def testbench(ctx):
        await ctx.tick().repeat(3)
        ctx.set(dut.last, 1)
        assert (ctx.get(dut.closes), ctx.get(dut.closed)) == (1, 0)
        ctx.set(dut.last, 0)
        assert (ctx.get(dut.closes), ctx.get(dut.closed)) == (0, 0)
        ctx.set(dut.found, 0b010)
        assert (ctx.get(dut.closes), ctx.get(dut.closed)) == (0, 0)
        await ctx.tick()
        ctx.set(dut.found, 0)
        for _ in range(20):
            assert (ctx.get(dut.closes), ctx.get(dut.closed)) == (1, 1)
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
