"""The numbers of the unit for P-384 over Wishbone."""

import random

from amaranth.hdl import Module
from amaranth.lib.wiring import Component, In, connect, flipped

from cbit.psp.p384.bus import P384Window
from cbit.psp.p384.operands import OperandFile
from cbit.psp.wishbone import WishboneSignature
from cbit_sim import wishbone
from cbit_sim.streams import simulate


class Numbers(Component):
    """The registers behind a bus."""

    bus: In(WishboneSignature(addr_width=10))
    busy: In(1)

    def elaborate(self, _platform):
        m = Module()
        m.submodules.window = window = P384Window()
        m.submodules.operands = operands = OperandFile()
        connect(m, flipped(self.bus), window.bus)
        connect(m, window.window, operands.window)
        m.d.comb += operands.busy.eq(self.busy)
        return m


def test_numbers_are_read_and_written():
    dut = Numbers()
    rng = random.Random(10)
    expected = bytearray(4096)

    async def testbench(ctx):
        for _ in range(300):
            address, sel, data = rng.randrange(0, 4096, 4) & 0xC3C, rng.randrange(16), rng.randbytes(4)
            assert await wishbone.write(ctx, dut.bus, address, int.from_bytes(data, "little"), sel=sel)
            for byte in range(4):
                if sel >> byte & 1 and address % 64 < 48:
                    expected[address + byte] = data[byte]
            other = rng.randrange(0, 4096, 4) & 0xC3C
            word = await wishbone.read(ctx, dut.bus, other, limit_cycles=2)
            assert word == int.from_bytes(expected[other:other + 4], "little")

    simulate(dut, testbench)


def test_while_the_unit_is_busy_accesses_are_acknowledged_and_do_nothing():
    dut = Numbers()

    async def testbench(ctx):
        assert await wishbone.write(ctx, dut.bus, 0x80, 0x12345678)
        ctx.set(dut.busy, 1)
        assert await wishbone.write(ctx, dut.bus, 0x80, 1)
        assert await wishbone.read(ctx, dut.bus, 0x80) == 0
        ctx.set(dut.busy, 0)
        assert await wishbone.read(ctx, dut.bus, 0x80) == 0x12345678

    simulate(dut, testbench)
