"""A slot takes accesses only between the start that follows its keys and the stop before they are erased."""

import pytest
from amaranth import Module
from amaranth.hdl import Assert, Assume, Mux, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Component, In

from cbit.keys.control import KeyControl
from cbit.keys.slots import SlotTable
from cbit.keys.types import DRAIN_SETTLE_CYCLES, KeyStoreSignature
from cbit_sim.formal import DisprovedError, Engine, prove
from cbit_sim.free_inputs import connect_inputs, free_inputs

ASIDS = 3


class TableContract(Component):
    """A slot is told to be active if it was started and not stopped since, and none is while all are swept.

    The memory behind is not reset: so ``sweeping`` is assumed to stay after a reset until it has gone over the slot.
    """

    def __init__(self, *, watched, table=SlotTable, sweeps=True):
        self.watched = watched
        self.table = table(asid_count=ASIDS)
        self.sweeps = sweeps
        super().__init__(free_inputs(self.table))

    def elaborate(self, _platform):
        m = Module()
        m.submodules.table = table = self.table
        connect_inputs(m, self, table)
        is_swept, is_started = Signal(), Signal()
        with m.If(table.slot == self.watched):
            with m.If(table.sweeping):
                m.d.sync += [is_swept.eq(1), is_started.eq(0)]
            with m.Elif(table.start | table.stop):
                m.d.sync += is_started.eq(table.start)
        if self.sweeps:
            m.d.comb += Assume(table.sweeping | is_swept)
        for asked, is_active in zip(table.asked, table.is_active, strict=True):
            with m.If(asked == self.watched):
                m.d.comb += Assert(is_active == (is_started & ~table.sweeping))
        with m.If(table.slot == self.watched):
            m.d.comb += Assert(table.occupied == (is_started & ~table.sweeping))
        return m


@pytest.mark.parametrize("slot", range(ASIDS))
def test_table_tells_which_slots_are_active(slot):
    prove(TableContract(watched=slot), engine=Engine.REACHABILITY)


def test_a_slot_of_before_a_reset_is_found():
    with pytest.raises(DisprovedError):
        prove(TableContract(watched=1, sweeps=False), engine=Engine.REACHABILITY)


class FreeStoreControl(KeyControl):
    """Key control before any store of keys that answers when it likes: ``store`` shows what it is told."""

    def __init__(self, **sizes):
        self.store = KeyStoreSignature(asid_count=sizes["asid_count"]).create()
        super().__init__(**sizes)

    def _keep(self, m, staging):
        wiring.connect(m, staging.word, wiring.flipped(self.word))
        m.d.comb += [self.store.words.payload.eq(staging.o.payload), self.store.words.valid.eq(staging.o.valid),
                     staging.o.ready.eq(self.store.words.ready)]
        return self.store, self.way_busy


class ActiveOnlyWithKeys(Component):
    """From the cycle after a cut or the begin of an erase of its keys, or of all, until they are loaded again, no
    access is taken.

    One that was taken before fails, as its way is cut. A start comes only when the store has just said that keys are
    loaded, and neither cut nor erase is under way. A slot that retires is erased, and one that was erased with all
    others is released, only once it has taken no access, and nothing was in flight under it, for as many cycles in a
    row as an access may hide, up to the one before the last.
    All inputs are free, the reset included, and so is when the store is done. In the cycle after ``cut_all`` key
    control is reset, as its contract demands.
    """

    def __init__(self, *, watched, control=FreeStoreControl, settle_cycles=DRAIN_SETTLE_CYCLES):
        self.watched = watched
        self.settle_cycles = settle_cycles
        self.control = control(asid_count=ASIDS, key_bits=128)
        super().__init__({"loaded": In(1), "erased": In(1), "settling": In(1), "words_ready": In(1),
                          **free_inputs(self.control)})

    def elaborate(self, _platform):
        m = Module()
        control, was_cut = self.control, Signal()
        m.d.sync += was_cut.eq(self.cut_all)
        m.submodules.control = ResetInserter(was_cut)(control)
        connect_inputs(m, self, control)
        store = control.store
        m.d.comb += [
            store.loaded.eq(self.loaded), store.erased.eq(self.erased), store.settling.eq(self.settling),
            store.words.ready.eq(self.words_ready),
        ]
        is_slot = store.slot == self.watched
        has_loaded, has_keys, takes, quiet = Signal(), Signal(), Signal(), Signal(range(self.settle_cycles + 1))
        m.d.sync += has_loaded.eq(self.loaded)
        with m.If(is_slot & (store.cut | store.erase) | store.sweep):
            m.d.sync += has_keys.eq(0)
        with m.Elif(is_slot & store.start):
            m.d.sync += has_keys.eq(1)
        for asked, is_active in zip(control.asked, control.is_active, strict=True):
            with m.If((asked == self.watched) & is_active):
                m.d.comb += [takes.eq(1), Assert(has_keys)]
        m.d.comb += Assert(~store.start | (has_loaded & ~store.cut & ~store.erase))
        self._watch_drain(m, takes, quiet)
        return m

    def _watch_drain(self, m, takes, quiet):
        control, store = self.control, self.control.store
        is_calm = ~takes & ~control.drain_busy & ~control.way_busy & (store.slot == self.watched)
        m.d.sync += quiet.eq(Mux(is_calm, Mux(quiet == self.settle_cycles, quiet, quiet + 1), 0))
        was_erasing, was_quiet = Signal(), Signal()
        m.d.sync += [was_erasing.eq(store.erase), was_quiet.eq(quiet == self.settle_cycles)]
        is_retired = store.erase & ~was_erasing & ~store.sweep & ~store.cutting
        # What ``cut_all`` sweeps is reset in the next cycle, whatever is released in this one.
        is_swept = store.sweep & store.release & ~self.cut_all
        with m.If((is_retired | is_swept) & (store.slot == self.watched)):
            m.d.comb += Assert(was_quiet)


@pytest.mark.parametrize("slot", [0, 2])
def test_a_slot_is_active_only_with_keys(slot):
    prove(ActiveOnlyWithKeys(watched=slot), engine=Engine.REACHABILITY)


def test_a_drain_is_no_longer_than_stated():
    with pytest.raises(DisprovedError):
        prove(ActiveOnlyWithKeys(watched=2, settle_cycles=DRAIN_SETTLE_CYCLES + 1), engine=Engine.REACHABILITY)


class StartsAtAnyTime(FreeStoreControl):
    """A fault: a slot starts whenever the store says that it has loaded keys."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.sync += m.submodules.slots.start.eq(self.store.loaded)
        return m


def test_a_start_during_an_erase_is_found():
    with pytest.raises(DisprovedError):
        prove(ActiveOnlyWithKeys(watched=2, control=StartsAtAnyTime), engine=Engine.REACHABILITY)


class CutsWaysOnly(FreeStoreControl):
    """A fault: with all slots cut, accesses are taken as before until the reset."""

    def _cut_all(self, m, _slots, store):
        with m.If(self.cut_all):
            m.d.comb += store.sweep.eq(1)


def test_a_slot_that_is_active_in_the_cycle_after_a_cut_of_all_is_found():
    with pytest.raises(DisprovedError):
        prove(ActiveOnlyWithKeys(watched=2, control=CutsWaysOnly), engine=Engine.REACHABILITY)
