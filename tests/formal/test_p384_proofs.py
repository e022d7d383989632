"""No number has an effect on what the unit for P-384 does when, nor on which registers it reads and writes."""

import pytest
from amaranth.hdl import Assert, Module, Value
from amaranth.lib.wiring import Component, In

from cbit.psp.p384.arithmetic import Arithmetic
from cbit.psp.p384.instruction import Kind
from cbit.psp.p384.sequencer import Sequencer
from cbit_sim.formal import DisprovedError, Engine, prove
from cbit_sim.free_inputs import connect_inputs, free_inputs

RESULTS = ("is_zero", "is_reduced", "carry")
WORDS = ("x_word", "y_word")
COURSE = ("kind", "modulus", "x", "y", "y_is_constant", "constant")
"""Of a calculation, all but the choice of a MOVE."""


def course_of_sequencer(copy):
    return [copy.busy, copy.begin, copy.destination, copy.wipes, copy.wipe_address,
            *(copy.calculation[name] for name in COURSE)]


def course_of_arithmetic(copy):
    return [copy.x_address, copy.y_address, copy.o.valid, copy.o.place, copy.is_done]


class SameCourse(Component):
    """Two copies that are given the same but for some inputs, free in both, show the same of their course.

    Parameters
    ----------
    copies
        The two.
    secret
        Names of the inputs that may differ.
    course : callable
        The outputs of a copy that are compared.
    """

    def __init__(self, copies, secret, course):
        self.copies = copies
        self.secret = secret
        self.course = course
        shapes = {name: Value.cast(getattr(copies[1], name)).shape() for name in secret}
        super().__init__({**free_inputs(copies[0]), **{f"other_{name}": In(shape) for name, shape in shapes.items()},
                          "other_choice": In(1)})

    def elaborate(self, _platform):
        m = Module()
        m.submodules.one, m.submodules.other = one, other = self.copies
        connect_inputs(m, self, one)
        connect_inputs(m, self, other, but=tuple((name,) for name in (*self.secret, "calculation")))
        for name in self.secret:
            m.d.comb += Value.cast(getattr(other, name)).eq(getattr(self, f"other_{name}"))
        if isinstance(one, Arithmetic):
            m.d.comb += [other.calculation.eq(self.calculation), other.calculation.choice.eq(self.other_choice)]
        m.d.comb += [Assert(Value.cast(mine) == Value.cast(others))
                     for mine, others in zip(self.course(one), self.course(other))]
        return m


def prove_same_course(make, secret, course):
    prove(SameCourse([make(), make()], secret, course), engine=Engine.CORRESPONDENCE, steps=2)


class BranchesOnCarry(Sequencer):
    """A fault: a jump is not taken while there is a carry."""

    def _go(self, m, instruction, place, back):
        super()._go(m, instruction, place, back)
        with m.If((instruction.kind == Kind.JUMP) & self.carry):
            m.d.sync += place.eq(place + 1)


class HurriesZeros(Arithmetic):
    """A fault: it is done at once where a word is zero."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.is_done.eq(self.x_word == 0)
        return m


def test_no_result_has_an_effect_on_the_course_of_a_program():
    prove_same_course(Sequencer, RESULTS, course_of_sequencer)


@pytest.mark.slow
def test_no_word_has_an_effect_on_the_course_of_a_calculation():
    prove_same_course(Arithmetic, WORDS, course_of_arithmetic)


def test_a_program_that_branches_on_a_result_is_found():
    with pytest.raises(DisprovedError):
        prove_same_course(BranchesOnCarry, RESULTS, course_of_sequencer)


@pytest.mark.slow
def test_a_calculation_that_hurries_is_found():
    with pytest.raises(DisprovedError):
        prove_same_course(HurriesZeros, WORDS, course_of_arithmetic)
