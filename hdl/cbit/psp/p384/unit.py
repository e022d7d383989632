"""The unit for P-384."""

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from cbit.csr.map import register
from cbit.csr.word import RegisterSignature
from cbit.psp.p384.arithmetic import Arithmetic
from cbit.psp.p384.operands import OperandFile
from cbit.psp.p384.sequencer import Sequencer
from cbit.psp.p384.start import START, StartCheck
from cbit.psp.p384.window import WindowSignature

__all__ = ["P384"]


class P384(wiring.Component):
    """Does operations of P-384, one at a time, each in the same number of cycles whatever the numbers.

    Latency: as the README of this folder tells. It is busy after a reset until all registers are zero.

    Members
    -------
    p384_start : ``In(RegisterSignature(...))``
        P384_START of the processor. Refused while busy, with an operation that there is not, and with a register that
        operations may not name.
    p384_status : ``In(RegisterSignature(...))``
        P384_STATUS of the processor.
    window : ``In(WindowSignature())``
        The registers; while busy, writes do nothing and zeros are read.
    """

    p384_start: In(RegisterSignature(register("processor", "P384_START")))
    p384_status: In(RegisterSignature(register("processor", "P384_STATUS")))
    window: In(WindowSignature())

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.check = check = StartCheck()
        m.submodules.sequencer = sequencer = Sequencer()
        m.submodules.operands = operands = OperandFile()
        m.submodules.arithmetic = arithmetic = Arithmetic()
        wiring.connect(m, wiring.flipped(self.window), operands.window)
        m.d.comb += [
            *(check.request[name].eq(self.p384_start.data[name]) for name in START.members),
            self.p384_start.refuse.eq(sequencer.busy | ~check.is_good),
            self.p384_status.value.busy.eq(sequencer.busy),
            self.p384_status.value.flag.eq(sequencer.flag),
            sequencer.start.eq(self.p384_start.write),
            sequencer.request.eq(check.request),
            sequencer.is_done.eq(arithmetic.is_done),
            sequencer.is_zero.eq(arithmetic.is_zero),
            sequencer.is_reduced.eq(arithmetic.is_reduced),
            sequencer.carry.eq(arithmetic.carry),
            arithmetic.start.eq(sequencer.begin),
            arithmetic.calculation.eq(sequencer.calculation),
            arithmetic.x_word.eq(operands.x_word),
            arithmetic.y_word.eq(operands.y_word),
            operands.busy.eq(sequencer.busy),
            operands.x_address.eq(arithmetic.x_address),
            operands.y_address.eq(arithmetic.y_address),
            operands.write.eq(sequencer.wipes | arithmetic.o.valid),
            operands.write_address.eq(Mux(sequencer.wipes, sequencer.wipe_address,
                                          Cat(arithmetic.o.place, sequencer.destination))),
            operands.write_word.eq(Mux(sequencer.wipes, 0, arithmetic.o.word)),
        ]
        return m
