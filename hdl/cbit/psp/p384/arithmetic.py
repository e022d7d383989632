"""One instruction on numbers: sums, differences and Montgomery's products modulo p and n."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from cbit.psp.p384.instruction import Kind
from cbit.psp.p384.line import WordLine
from cbit.psp.p384.montgomery import MontgomerySum
from cbit.psp.p384.numbers import CONSTANT_WORDS, QUOTIENT_PLACE, WORD_BITS, Constant
from cbit.psp.p384.operands import OPERAND_ADDR_WIDTH
from cbit.psp.p384.reduction import PLACED_WORD, Reduction
from cbit.psp.p384.steps import STEP, Steps

__all__ = ["CALCULATION", "Arithmetic"]

CALCULATION = StructLayout({
    "kind": Kind, "modulus": 1, "choice": 1,
    "x": 6, "y": 6, "y_is_constant": 1, "constant": Constant,
})
"""What is to be calculated: the instruction's kind, of p or n, of which registers; for a MOVE, whether it is A."""


class Arithmetic(wiring.Component):
    """Reads two numbers A and B, or A and a constant, and gives one: word by word, in the same cycles for all values.

    Latency: ``is_done`` comes 16 cycles after ``start``, with MUL 90. ``start`` is not given again before it. The
    result is below the modulus if both numbers of ADD and SUB are, or for ADD one is zero, and always with MUL.

    Members
    -------
    start : ``In(1)``
        Begins.
    calculation : ``In(CALCULATION)``
        What. Holds still until it is done.
    x_address, y_address : ``Out(9)``
        Words of A and B.
    x_word, y_word : ``In(64)``
        The words at the addresses of the cycle before.
    o : ``Out(PLACED_WORD)``
        The result.
    is_done : ``Out(1)``
        High for a cycle once all of it is there.
    is_zero, is_reduced, carry : ``Out(1)``
        With ``is_done``: the result is zero; the modulus was subtracted, or added to a negative difference; the sum has
        overflowed 384 bits.
    """

    start: In(1)
    calculation: In(CALCULATION)
    x_address: Out(OPERAND_ADDR_WIDTH)
    y_address: Out(OPERAND_ADDR_WIDTH)
    x_word: In(WORD_BITS)
    y_word: In(WORD_BITS)
    o: Out(PLACED_WORD)
    is_done: Out(1)
    is_zero: Out(1)
    is_reduced: Out(1)
    carry: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.line = line = WordLine()
        m.submodules.montgomery = montgomery = MontgomerySum()
        m.submodules.reduction = reduction = Reduction()
        kind, is_product = self.calculation.kind, Signal()
        m.d.comb += [
            is_product.eq(kind == Kind.MUL),
            line.kind.eq(kind),
            line.choice.eq(self.calculation.choice),
            montgomery.kept.eq(reduction.kept),
            reduction.kept_place.eq(montgomery.kept_place),
            reduction.modulus.eq(self.calculation.modulus),
            reduction.is_difference.eq(kind == Kind.SUB),
            reduction.is_raw.eq(kind.as_value().matches(Kind.MOVE, Kind.SHIFT)),
            reduction.overflow.eq(Mux(is_product, montgomery.overflow, line.carry ^ reduction.is_difference)),
            self.o.eq(reduction.o),
            self.is_done.eq(reduction.is_done),
            self.is_zero.eq(reduction.is_zero),
            self.is_reduced.eq(reduction.is_reduced),
            self.carry.eq(line.carry),
        ]
        m.d.sync += [
            reduction.i.eq(Mux(is_product, montgomery.o, line.o)),
            reduction.is_last.eq(Mux(is_product, montgomery.is_last, line.is_last)),
        ]
        self._fetch(m, is_product, line, montgomery)
        return m

    def _fetch(self, m: Module, is_product: Signal, line: WordLine, montgomery: MontgomerySum) -> None:
        """Leads the words of each step to where they are calculated with."""
        m.submodules.steps = steps = Steps()
        m.submodules.constants = constants = Memory(shape=WORD_BITS, depth=len(CONSTANT_WORDS), init=CONSTANT_WORDS)
        constant, step, read, given = constants.read_port(), steps.step, Signal(STEP), Signal(STEP)
        x, y, is_constant, wants_modulus = Signal(WORD_BITS), Signal(WORD_BITS), Signal(), Signal()
        m.d.comb += [
            steps.start.eq(self.start),
            steps.is_product.eq(is_product),
            wants_modulus.eq(is_product & (step.reduces | (step.place == QUOTIENT_PLACE))),
            self.x_address.eq(Cat(Mux(is_product, steps.row, step.place), self.calculation.x)),
            self.y_address.eq(Cat(step.place, self.calculation.y)),
            constant.addr.eq(Cat(step.place, Mux(wants_modulus, Constant.MODULUS, self.calculation.constant),
                                 self.calculation.modulus)),
            *(part.eq(value) for unit in (line, montgomery)
              for part, value in ((unit.step, given), (unit.x, x), (unit.y, y))),
        ]
        m.d.sync += [
            read.eq(step),
            given.eq(read),
            is_constant.eq(wants_modulus | self.calculation.y_is_constant),
            x.eq(self.x_word),
            y.eq(Mux(is_constant, constant.data, self.y_word)),
        ]
        with m.If(is_product & (read.place == QUOTIENT_PLACE)):
            m.d.sync += x.eq(montgomery.low)
        with m.Elif(is_product & read.reduces):
            m.d.sync += x.eq(montgomery.quotient)

