"""What parts and joins streams keeps their contract, and choices between streams are fair."""

from functools import partial

import pytest
from amaranth import Module
from amaranth.hdl import Assert, Assume, Cat, Signal
from amaranth.lib.wiring import Component, In

from cbit.stream.arbiter import PatientArbiter
from cbit.stream.delay import Delay
from cbit.stream.hop import Hop
from cbit.stream.single import SingleSlice
from cbit.stream.slice import RegisterSlice
from cbit.stream.stage import Stage
from cbit.stream.turns import Turns
from cbit_sim.formal import DisprovedError, Engine, prove
from cbit_sim.stream_contract import StreamContract

WIDTH = 2


class StageContract(Component):
    """A stage between two streams keeps the contract, whatever its sides do.

    ``capacity`` entries are inside at most; with ``withdraws`` the writer may take back what it has offered.
    """

    valid: In(1)
    payload: In(WIDTH)
    ready: In(1)
    follow: In(1)

    def __init__(self, design, *, capacity, withdraws=True):
        self.design = design
        self.capacity = capacity
        self.withdraws = withdraws
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.design = design = self.design
        m.submodules.contract = contract = StreamContract(shape=WIDTH, capacity=self.capacity, latency=0)
        m.d.comb += [
            design.i.valid.eq(self.valid),
            design.i.payload.eq(self.payload),
            design.o.ready.eq(self.ready),
            contract.enters.eq(self.valid & design.i.ready),
            contract.entry.eq(self.payload),
            contract.valid.eq(design.o.valid),
            contract.ready.eq(self.ready),
            contract.payload.eq(design.o.payload),
            contract.follow.eq(self.follow),
        ]
        if not self.withdraws:
            waits, offered = Signal(), Signal(WIDTH)
            m.d.sync += [waits.eq(self.valid & ~design.i.ready), offered.eq(self.payload)]
            m.d.comb += Assume(~waits | (self.valid & (self.payload == offered)))
        if hasattr(design, "next"):
            announced, comes = Signal(WIDTH), Signal()
            m.d.sync += [announced.eq(design.next), comes.eq(self.ready | ~design.o.valid)]
            with m.If(comes & design.o.valid):
                m.d.comb += Assert(design.o.payload == announced)
        return m


def test_slice_keeps_the_contract():
    prove(StageContract(RegisterSlice(shape=WIDTH), capacity=2), engine=Engine.REACHABILITY)


def test_single_slice_keeps_the_contract():
    prove(StageContract(SingleSlice(shape=WIDTH), capacity=1), engine=Engine.REACHABILITY)


def test_hop_keeps_the_contract():
    prove(StageContract(Hop(shape=WIDTH, registered=True), capacity=1), engine=Engine.REACHABILITY)


def test_wire_keeps_the_contract_if_its_writer_does():
    prove(StageContract(Hop(shape=WIDTH, registered=False), capacity=0, withdraws=False), engine=Engine.REACHABILITY)
    with pytest.raises(DisprovedError):
        prove(StageContract(Hop(shape=WIDTH, registered=False), capacity=0), engine=Engine.REACHABILITY)


class OverwritingSlice(RegisterSlice):
    """A fault: what waits in the second register is written over when one more comes."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.i.ready.eq(1)
        return m


class LateHop(Hop):
    """A fault: the payload moves on though the one before has not been taken."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.i.ready.eq(1)
        return m


@pytest.mark.parametrize("faulty", [
    partial(OverwritingSlice, shape=WIDTH), partial(LateHop, shape=WIDTH, registered=True)], ids=["slice", "hop"])
def test_a_stage_that_loses_entries_is_found(faulty):
    with pytest.raises(DisprovedError):
        prove(StageContract(faulty(), capacity=2), engine=Engine.REACHABILITY)


class DelayContract(Component):
    """What leaves is what came ``cycles`` cycles before, once so many have gone since reset: of those with ``advance``,
    where there is one."""

    i: In(1)
    advance: In(1)

    def __init__(self, design, *, cycles):
        self.design = design
        self.cycles = cycles
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.design = design = self.design
        history, since = Signal(self.cycles), Signal(range(self.cycles + 1))
        m.d.comb += design.i.eq(self.i)
        advances = Signal(init=1)
        if hasattr(design, "advance"):
            m.d.comb += [design.advance.eq(self.advance), advances.eq(self.advance)]
        with m.If(advances):
            m.d.sync += history.eq(Cat(self.i, history))
            with m.If(since != self.cycles):
                m.d.sync += since.eq(since + 1)
        with m.If(since == self.cycles):
            m.d.comb += Assert(design.o == Cat(self.i, history)[self.cycles])
        return m


@pytest.mark.parametrize("cycles", [1, 2, 5, 18])
def test_delay_gives_what_came(cycles):
    prove(DelayContract(Delay(shape=1, cycles=cycles), cycles=cycles), steps=2 * cycles + 4)


@pytest.mark.parametrize("registered", [False, True])
def test_stage_gives_what_came(registered):
    prove(DelayContract(Stage(shape=1, registered=registered), cycles=int(registered)))


def test_a_delay_of_another_length_is_found():
    with pytest.raises(DisprovedError):
        prove(DelayContract(Delay(shape=1, cycles=5), cycles=4))


class ArbiterContract(Component):
    """Whoever is chosen asks; a choice that is shown stays; nobody waits for more than ``most`` others.

    Every request stays until it is taken, unless ``keep`` is low or ``withdraws``.
    """

    requests: In(3)
    taken: In(1)
    keep: In(1)

    def __init__(self, *, patience, most, withdraws=False):
        self.patience = patience
        self.most = most
        self.withdraws = withdraws
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.arbiter = arbiter = PatientArbiter(count=3, patience=self.patience)
        m.d.comb += [getattr(arbiter, name).eq(getattr(self, name)) for name in ("requests", "taken", "keep")]
        shown, choice = Signal(), Signal.like(arbiter.choice)
        goes = arbiter.valid & self.taken
        m.d.sync += [shown.eq(arbiter.valid & ~self.taken & self.keep), choice.eq(arbiter.choice)]
        m.d.comb += [
            Assume(~self.taken | arbiter.valid),
            Assert(arbiter.valid == self.requests.any()),
            Assert(~arbiter.valid | self.requests.bit_select(arbiter.choice, 1)),
        ]
        with m.If(shown):
            m.d.comb += Assert(arbiter.choice == choice)
        for index in range(3):
            waits, passed = Signal(), Signal(range(self.most + 2))
            is_chosen = arbiter.choice == index
            m.d.sync += waits.eq(self.requests[index] & ~(goes & is_chosen))
            if not self.withdraws:
                m.d.comb += Assume(~waits | self.requests[index])
            with m.If(~self.requests[index] | (goes & is_chosen)):
                m.d.sync += passed.eq(0)
            with m.Elif(goes):
                m.d.sync += passed.eq(passed + 1)
            m.d.comb += Assert(passed <= self.most)
        return m


@pytest.mark.parametrize("patience", [1, 2, 3])
def test_arbiter_is_fair(patience):
    prove(ArbiterContract(patience=patience, most=2 * patience + 1), engine=Engine.REACHABILITY)


@pytest.mark.parametrize("fault", [{"most": 4}, {"most": 5, "withdraws": True}], ids=["bound", "withdraws"])
def test_an_unfair_arbiter_is_found(fault):
    with pytest.raises(DisprovedError):
        prove(ArbiterContract(patience=2, **fault), engine=Engine.REACHABILITY)


class TurnsContract(Component):
    """Who goes asks; a choice that asks stays until it is taken; one that asks lets ``most`` others pass.

    Every request stays until it is taken.
    """

    requests: In(2)
    taken: In(1)

    def __init__(self, *, most):
        self.most = most
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.turns = turns = Turns()
        m.d.comb += [turns.requests.eq(self.requests), turns.taken.eq(self.taken)]
        shown, choice = Signal(), Signal()
        goes = turns.valid & self.taken
        m.d.sync += [shown.eq(turns.valid & ~self.taken), choice.eq(turns.choice)]
        m.d.comb += Assert(turns.valid == self.requests.bit_select(turns.choice, 1))
        with m.If(shown):
            m.d.comb += Assert(turns.choice == choice)
        for index in range(2):
            waits, passed, idle = Signal(), Signal(range(self.most + 2)), Signal(2)
            is_gone = goes & (turns.choice == index)
            m.d.sync += [waits.eq(self.requests[index] & ~is_gone), idle.eq(0)]
            m.d.comb += Assume(~waits | self.requests[index])
            with m.If(~self.requests[index] | is_gone):
                m.d.sync += passed.eq(0)
            with m.Elif(goes):
                m.d.sync += passed.eq(passed + 1)
            with m.If(self.requests[index] & ~turns.valid):
                m.d.sync += idle.eq(idle + 1)
            m.d.comb += [Assert(passed <= self.most), Assert(idle <= 1)]
        return m


def test_turns_are_taken():
    prove(TurnsContract(most=1), engine=Engine.REACHABILITY)


def test_one_that_is_passed_over_is_found():
    with pytest.raises(DisprovedError):
        prove(TurnsContract(most=0), engine=Engine.REACHABILITY)
