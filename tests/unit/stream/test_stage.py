"""The register that is there or not."""

from cbit.stream.stage import Stage
from cbit_sim.streams import simulate


def test_a_wire_passes_at_once():
    dut = Stage(shape=8, registered=False)

    async def testbench(ctx):
        for value in (3, 200):
            ctx.set(dut.i, value)
            assert ctx.get(dut.o) == value

    simulate(dut, testbench)


def test_a_register_takes_what_comes_in_cycles_with_advance():
    dut = Stage(shape=8, registered=True)

    async def testbench(ctx):
        held = 0
        for value, advance in ((3, 1), (200, 0), (201, 0), (7, 1), (8, 1), (9, 0)):
            ctx.set(dut.i, value)
            ctx.set(dut.advance, advance)
            assert ctx.get(dut.o) == held
            await ctx.tick()
            held = value if advance else held
        assert ctx.get(dut.o) == held

    simulate(dut, testbench)
