"""Runs the microprograms of the unit for P-384."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from cbit.psp.p384.arithmetic import CALCULATION
from cbit.psp.p384.digit import Digit
from cbit.psp.p384.instruction import FlagRule, Instruction, Kind
from cbit.psp.p384.numbers import PLACES
from cbit.psp.p384.operands import OPERAND_ADDR_WIDTH, REGISTERS
from cbit.psp.p384.programs import MICROCODE
from cbit.psp.p384.start import START, Operation

__all__ = ["Sequencer"]

_CODE = range(1 << (len(MICROCODE) - 1).bit_length())


class Sequencer(wiring.Component):
    """Goes through the program of an operation, an instruction at a time. It wipes after a reset, before it is ready.

    The course of a program depends on nothing but the operation: no instruction branches on a number.

    Latency: two cycles for an instruction, and for those with numbers what these take; WIPE takes 8 for a register.

    Members
    -------
    start : ``In(1)``
        Begins an operation. Not while ``busy``.
    request : ``In(START)``
        Which.
    busy : ``Out(1)``
        It runs.
    flag : ``Out(1)``
        What the operation says of its result, until the next.
    begin : ``Out(1)``
        Begins a calculation.
    calculation : ``Out(CALCULATION)``
        Which, from the next cycle until it is done.
    destination : ``Out(6)``
        The register that its result is for.
    is_done, is_zero, is_reduced, carry : ``In(1)``
        Of it, as :class:`~cbit.psp.p384.arithmetic.Arithmetic` has them.
    wipes : ``Out(1)``
        A word is to be overwritten by zeros.
    wipe_address : ``Out(9)``
        Its address.
    """

    start: In(1)
    request: In(START)
    busy: Out(1, init=1)
    flag: Out(1)
    begin: Out(1)
    calculation: Out(CALCULATION)
    destination: Out(6)
    is_done: In(1)
    is_zero: In(1)
    is_reduced: In(1)
    carry: In(1)
    wipes: Out(1)
    wipe_address: Out(OPERAND_ADDR_WIDTH)

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.code = code = Memory(shape=Instruction, depth=len(_CODE), init=[
            Instruction.from_bits(word) for word in MICROCODE])
        m.submodules.digit = digit = Digit()
        port = code.read_port()
        instruction, request = port.data, Signal(START)
        place, back = Signal(_CODE, init=Operation.WIPE.value), Signal(_CODE)
        ends = Signal()
        m.d.comb += [
            port.addr.eq(place),
            digit.condition.eq(instruction.rest.with_numbers.condition),
            digit.flag.eq(self.flag),
            digit.bit.eq(self.carry),
            digit.shift.eq(self.is_done & (instruction.kind == Kind.SHIFT)),
            digit.clear.eq(ends),
            port.en.eq(0),
        ]
        # Of each instruction: read, then begun or done with; calculations and WIPE are waited for.
        with m.FSM(init="READ"):
            with m.State("READY"):
                with m.If(self.start):
                    m.d.sync += [request.eq(self.request), place.eq(self.request.operation), self.busy.eq(1),
                                 self.flag.eq(0)]
                    m.next = "READ"
            with m.State("READ"):
                m.d.comb += port.en.eq(1)
                m.next = "BEGIN"
            with m.State("BEGIN"):
                m.next = "READ"
                m.d.sync += place.eq(place + 1)
                self._begin_calculation(m, instruction, request, digit.holds)
                self._go(m, instruction, place, back)
                with m.If(instruction.kind == Kind.WIPE):
                    m.d.sync += self.wipe_address.eq(instruction.rest.number * PLACES)
                    m.next = "WIPE"
                with m.If(instruction.kind == Kind.END):
                    m.d.comb += ends.eq(1)
                    m.d.sync += self.busy.eq(0)
                    m.next = "READY"
            with m.State("CALCULATE"):
                with m.If(self.is_done):
                    self._keep_flag(m, instruction)
                    m.next = "READ"
            with m.State("WIPE"):
                m.d.comb += self.wipes.eq(1)
                m.d.sync += self.wipe_address.eq(self.wipe_address + 1)
                with m.If(self.wipe_address == REGISTERS * PLACES - 1):
                    m.next = "READ"
        return m

    def _begin_calculation(self, m: Module, instruction, request, choice: Value) -> None:
        a, b = instruction.a, instruction.rest.with_numbers.b
        calculation = self.calculation
        with m.If(instruction.kind.as_value() < Kind.CALL.value):
            m.d.comb += self.begin.eq(1)
            m.d.sync += [
                calculation.kind.eq(instruction.kind),
                calculation.modulus.eq(request.modulus & ~_is_of_points(request)),
                calculation.choice.eq(choice),
                calculation.x.eq(_register(a, request)),
                calculation.y.eq(_register(b, request)),
                calculation.y_is_constant.eq(b.is_named & b.number[-1]),
                calculation.constant.as_value().eq(b.number),
                self.destination.eq(_register(instruction.d, request)),
            ]
            m.next = "CALCULATE"

    def _go(self, m: Module, instruction, place: Signal, back: Signal) -> None:
        """Where the program goes on, where that is not the next place."""
        number, count = instruction.rest.number, Signal(9)
        with m.Switch(instruction.kind):
            with m.Case(Kind.CALL):
                m.d.sync += [back.eq(place + 1), place.eq(number)]
            with m.Case(Kind.RETURN):
                m.d.sync += place.eq(back)
            with m.Case(Kind.JUMP):
                m.d.sync += place.eq(number)
            with m.Case(Kind.REPEAT):
                m.d.sync += count.eq(number)
            with m.Case(Kind.NEXT):
                m.d.sync += count.eq(count - 1)
                with m.If(count != 1):
                    m.d.sync += place.eq(number)

    def _keep_flag(self, m: Module, instruction) -> None:
        with m.Switch(instruction.flag):
            with m.Case(FlagRule.ZERO):
                m.d.sync += self.flag.eq(self.is_zero)
            with m.Case(FlagRule.AND_ZERO):
                m.d.sync += self.flag.eq(self.flag & self.is_zero)
            with m.Case(FlagRule.OR_NONZERO):
                m.d.sync += self.flag.eq(self.flag | ~self.is_zero)
            with m.Case(FlagRule.OR_REDUCED):
                m.d.sync += self.flag.eq(self.flag | self.is_reduced)


def _is_of_points(request) -> Value:
    return request.operation.matches(Operation.POINT_MULTIPLY, Operation.POINT_ADD, Operation.ON_CURVE)


def _register(operand, request) -> Value:
    """The register that an operand of an instruction is."""
    named = Mux(operand.number[2], request.b, Mux(operand.number[1], request.a, request.destination))
    return Mux(operand.is_named, named + operand.number[0], Cat(operand.number, Const(1, 1)))[:6]
