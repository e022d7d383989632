import pytest
from amaranth import Module, Signal
from amaranth.hdl import Assert
from amaranth.lib.wiring import Component, In

from cbit.aes.cipher import Direction
from cbit.aes.sbox import SubBytes
from cbit.config import SBox
from cbit_sim.formal import DisprovedError, prove


class SameSBox(Component):
    """Two S-boxes agree, a cycle after each input; ``fault`` inverts a bit of the second for one byte."""

    i: In(8)
    decrypt: In(1)

    def __init__(self, *, direction, sbox, fault):
        self.direction = direction
        self.sbox = sbox
        self.fault = fault
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.table = table = SubBytes(direction=self.direction, sbox=SBox.TABLE, count=1, registered=True)
        m.submodules.other = other = SubBytes(direction=self.direction, sbox=self.sbox, count=1, registered=True)
        started = Signal()
        m.d.sync += started.eq(1)
        m.d.comb += [
            table.i.eq(self.i),
            table.decrypt.eq(self.decrypt),
            other.i.eq(self.i ^ (self.fault & (self.i == 0xA5))),
            other.decrypt.eq(self.decrypt),
        ]
        with m.If(started):
            m.d.comb += Assert(other.o == table.o)
        return m


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("sbox", [SBox.COMPOSITE, SBox.BLOCK_RAM])
def test_sboxes_are_equal(sbox, direction):
    prove(SameSBox(direction=direction, sbox=sbox, fault=False))


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("sbox", [SBox.COMPOSITE, SBox.BLOCK_RAM])
def test_one_wrong_byte_is_found(sbox, direction):
    with pytest.raises(DisprovedError):
        prove(SameSBox(direction=direction, sbox=sbox, fault=True))


class InverseUndoes(Component):
    """The inverse S-box of the S-box of a byte is the byte, which fixes one by the other."""

    i: In(8)

    def elaborate(self, _platform):
        m = Module()
        m.submodules.forward = forward = SubBytes(
            direction=Direction.ENCRYPT, sbox=SBox.COMPOSITE, count=1, registered=False)
        m.submodules.inverse = inverse = SubBytes(
            direction=Direction.DECRYPT, sbox=SBox.TABLE, count=1, registered=False)
        m.d.comb += [
            forward.i.eq(self.i),
            inverse.i.eq(forward.o),
            Assert(inverse.o == self.i),
        ]
        return m


def test_the_inverse_undoes_the_sbox():
    prove(InverseUndoes())
