import pytest
from amaranth import Module, Signal
from amaranth.hdl import Assert
from amaranth.lib.wiring import Component, In

from cbit.aes.cipher import Direction
from cbit.aes.sbox import SubBytes
from cbit.config import SBox
from cbit_sim.formal import DisprovedError, prove


class SameSBox(Component):
    """Two S-boxes agree, ``stages`` cycles after each input; ``fault`` inverts a bit of the second for one byte."""

    i: In(8)
    decrypt: In(1)

    def __init__(self, *, direction, sbox, stages, fault):
        self.direction = direction
        self.sbox = sbox
        self.stages = stages
        self.fault = fault
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.table = table = SubBytes(direction=self.direction, sbox=SBox.TABLE, count=1, stages=self.stages)
        m.submodules.other = other = SubBytes(direction=self.direction, sbox=self.sbox, count=1, stages=self.stages)
        cycle = Signal(range(self.stages + 1))
        with m.If(cycle != self.stages):
            m.d.sync += cycle.eq(cycle + 1)
        m.d.comb += [
            table.i.eq(self.i),
            table.decrypt.eq(self.decrypt),
            other.i.eq(self.i ^ (self.fault & (self.i == 0xA5))),
            other.decrypt.eq(self.decrypt),
        ]
        with m.If(cycle == self.stages):
            m.d.comb += Assert(other.o == table.o)
        return m


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize("sbox", [SBox.COMPOSITE, SBox.BLOCK_RAM])
def test_sboxes_are_equal(sbox, stages, direction):
    prove(SameSBox(direction=direction, sbox=sbox, stages=stages, fault=False))


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize("sbox", [SBox.COMPOSITE, SBox.BLOCK_RAM])
def test_one_wrong_byte_is_found(sbox, stages, direction):
    with pytest.raises(DisprovedError):
        prove(SameSBox(direction=direction, sbox=sbox, stages=stages, fault=True))


class InverseUndoes(Component):
    """The inverse S-box of the S-box of a byte is the byte, which fixes one by the other."""

    i: In(8)

    def elaborate(self, _platform):
        m = Module()
        m.submodules.forward = forward = SubBytes(
            direction=Direction.ENCRYPT, sbox=SBox.COMPOSITE, count=1, stages=0)
        m.submodules.inverse = inverse = SubBytes(
            direction=Direction.DECRYPT, sbox=SBox.TABLE, count=1, stages=0)
        m.d.comb += [
            forward.i.eq(self.i),
            inverse.i.eq(forward.o),
            Assert(inverse.o == self.i),
        ]
        return m


def test_the_inverse_undoes_the_sbox():
    prove(InverseUndoes())
