"""A closed gate passes nothing of a manager; an open one changes nothing."""

import pytest
from amaranth.sim import Simulator

from cbit.axi.ports import Axi4Signature
from cbit.psp.gate import ManagerGate


@pytest.mark.parametrize("is_open", [0, 1])
def test_nothing_goes_through_a_closed_gate(is_open):
    dut = ManagerGate(signature=Axi4Signature(addr_width=12, data_width=128, id_width=2, user_width=5))

    async def testbench(ctx):
        ctx.set(dut.open, is_open)
        for name in ("aw", "w", "ar"):
            source, sink = getattr(dut.i, name), getattr(dut.o, name)
            ctx.set(source.payload.as_value(), 0x1234)
            for valid, ready in ((0, 0), (0, 1), (1, 0), (1, 1)):
                ctx.set(source.valid, valid)
                ctx.set(sink.ready, ready)
                assert ctx.get(sink.valid) == (valid & is_open)
                assert ctx.get(source.ready) == (ready & is_open)
                assert ctx.get(sink.payload.as_value()) == 0x1234
        for name in ("b", "r"):
            source, sink = getattr(dut.o, name), getattr(dut.i, name)
            ctx.set(source.payload.as_value(), 0xA)
            ctx.set(source.valid, 1)
            ctx.set(sink.ready, 1)
            assert ctx.get(sink.valid & source.ready)
            assert ctx.get(sink.payload.as_value()) == 0xA

    simulator = Simulator(dut)
    simulator.add_testbench(testbench)
    simulator.run()
