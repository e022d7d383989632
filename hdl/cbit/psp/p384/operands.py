"""The registers of the unit for P-384, in block RAM."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from cbit.psp.p384.numbers import NUMBER_WORDS, PLACES, WORD_BITS
from cbit.psp.p384.window import WindowSignature

__all__ = ["OPERAND_ADDR_WIDTH", "OPERAND_REGISTERS", "REGISTERS", "OperandFile"]

REGISTERS = 64
"""Numbers of 384 bits."""

OPERAND_REGISTERS = 32
"""Of them, those that operations may name. The others are scratch."""

OPERAND_ADDR_WIDTH = (REGISTERS * PLACES - 1).bit_length()
"""Bits of the address of a word of 64 bits: a register's number, and a place in it."""

_HALVES = 2
_HALF_BITS = WORD_BITS // _HALVES
_HALF_BYTES = _HALF_BITS // 8


class OperandFile(wiring.Component):
    """Two words are read and one is written each cycle by the unit while it is ``busy``, else by the processor.

    Latency: a word shows in the cycle after its address; anything, if it was written in the cycle of its address. While
    ``busy``, and in the cycle after, the window reads zero; what is written to it while ``busy`` is dropped. Words 12
    to 15 of a register read zero and are not there to be written.

    Members
    -------
    window : ``In(WindowSignature())``
        The processor's way.
    busy : ``In(1)``
        The unit uses the registers.
    x_address, y_address : ``In(9)``
        Words to be read; ``x_address`` counts only while ``busy``.
    x_word, y_word : ``Out(64)``
        The words.
    write : ``In(1)``
        Writes a word; only while ``busy``.
    write_address : ``In(9)``
    write_word : ``In(64)``
    """

    window: In(WindowSignature())
    busy: In(1)
    x_address: In(OPERAND_ADDR_WIDTH)
    y_address: In(OPERAND_ADDR_WIDTH)
    x_word: Out(WORD_BITS)
    y_word: Out(WORD_BITS)
    write: In(1)
    write_address: In(OPERAND_ADDR_WIDTH)
    write_word: In(WORD_BITS)

    def elaborate(self, _platform) -> Module:
        m = Module()
        # What is read in the cycle of its writing is not used, so synthesis need not care what comes.
        m.submodules.memory = memory = Memory(shape=WORD_BITS, depth=REGISTERS * PLACES, init=[],
                                              attrs={"no_rw_check": 1})
        write = memory.write_port(granularity=8)
        x, y = memory.read_port(), memory.read_port()
        half, place = self.window.address[:1], self.window.address[1:]
        is_number = place[:3] < NUMBER_WORDS
        shown, shown_half = Signal(), Signal()
        m.d.comb += [
            y.addr.eq(self.y_address),
            self.x_word.eq(x.data),
            self.y_word.eq(y.data),
        ]
        with m.If(self.busy):
            m.d.comb += [
                x.addr.eq(self.x_address),
                write.addr.eq(self.write_address),
                write.data.eq(self.write_word),
                write.en.eq(self.write.replicate(len(write.en))),
            ]
        with m.Else():
            m.d.comb += [
                x.addr.eq(place),
                write.addr.eq(place),
                write.data.eq(Cat(self.window.data, self.window.data)),
                write.en.eq(Cat(self.window.write & (is_number & (half == number)).replicate(_HALF_BYTES)
                                for number in range(_HALVES))),
            ]
        m.d.sync += [shown.eq(~self.busy & is_number), shown_half.eq(half)]
        with m.If(shown & ~self.busy):
            m.d.comb += self.window.value.eq(x.data.word_select(shown_half, _HALF_BITS))
        return m
