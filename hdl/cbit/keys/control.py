"""The life of the key slots: who may use which, and when it is erased."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.keys.cached import CachedKeys
from cbit.keys.expanded import ExpandedKeys
from cbit.keys.known_key import KnownKey
from cbit.keys.narrow import NarrowKeys
from cbit.keys.slots import ASKERS, SlotTable
from cbit.keys.staging import KeyStaging
from cbit.keys.types import (
    DRAIN_SETTLE_CYCLES,
    SLOT_NUMBER_WIDTH,
    CommandSignature,
    KeyWaysSignature,
    KeyWordSignature,
    Operation,
    Result,
    RoundKeyPairSignature,
    RoundKeyWordSignature,
    SlotState,
)
from cbit.keys.worded import WordedKeys

__all__ = ["KeyControl"]


class KeyControl(wiring.Component):
    """Takes keys and commands, writes round keys, and says which slots are active.

    The round keys of a slot are in the way of its number, or, if there are fewer ways than slots, in one that is
    found for it when an access wants it: see :class:`~cbit.keys.cached.CachedKeys`.

    After reset all keys are overwritten with zeros: 22 cycles for each slot with AES-128, 30 with AES-256; if there are
    fewer ways, 23 or 31 for each way and 9 or 17 for each slot beyond. Then, if ``self_test_busy``, the keys of the
    self-test are expanded in way 0, and overwritten once it is done. Until then ``busy`` is high.

    One command at a time. A command given while ``busy`` is high has the result ``BUSY`` and changes nothing, but
    for two: ``ZEROIZE`` of the slot whose ``RETIRE`` waits for accesses in flight overtakes it, and ``ZEROIZE_ALL``
    overtakes any command that waits for them but itself. ``result`` is that of the command given last.

    ``INSTALL``
        EMPTY -> LOADING -> ACTIVE. Active only once every round key is written. Takes the written keys, which are
        erased from staging whether it succeeds or not: each must be written anew for the next.
    ``RETIRE``
        ACTIVE -> RETIRING -> EMPTY. Active no more at once; waits for ``drain_busy`` to fall, then erases.
    ``ZEROIZE``
        ACTIVE or RETIRING -> ZEROIZING -> EMPTY. Serving no more at once; erases at once, then waits for
        ``drain_busy`` to fall. Of an empty slot: no effect on it. Whatever its slot, it erases staging.
    ``ZEROIZE_ALL``
        All slots -> ZEROIZING -> EMPTY. None serves any more at once; erases all, staging too, then waits for each
        as ``ZEROIZE`` does. The slot that is given does not matter.

    Refusals are tried in the order OPERATION, SLOT_RANGE, CLOSED, SLOT_STATE, KEY_INCOMPLETE, KEYS_EQUAL.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots. 2 to 1024.
    key_bits : :class:`int`
        Bits of each of the two keys of a slot. 128 or 256.
    key_ways : :class:`int` or :data:`None`
        Number of slots whose round keys are expanded at a time. 2 to ``asid_count``. :data:`None` means all.
    by_word : :class:`bool`
        Whether round keys are made and written word by word: smaller, and a slot takes three times as long to be
        loaded. Not with fewer ways than slots.
    narrow : :class:`bool`
        If ``by_word``: whether they are those of encryption alone, and the words of keys in block RAM.

    Members
    -------
    command : ``In(CommandSignature())``
        Commands in.
    busy : ``Out(1)``
        The erase after reset, or a command, is running.
    result : ``Out(Result)``
        How the command given last fared; counts while ``busy`` is low. CLOSED if none was since reset, so that one that
        a reset has ended did not succeed.
    word : ``In(KeyWordSignature())``
        Words of K1 and K2 in. Refused while ``busy`` or ``closed`` is high and in the cycle of a command.
    self_test_busy : ``In(1)``
        The self-test is not done. It needs its keys.
    self_test_keys : ``Out(1)``
        They have come into use in way 0. Until ``self_test_busy`` has fallen.
    closed : ``In(1)``
        No key is taken or installed.
    cut_all : ``In(1)``
        In the next cycle no slot is active or serves. Who gives it resets this component with the end of that cycle.
    query_slot : ``In(10)``
        The slot asked about.
    query_state : ``Out(SlotState)``
        Its state, two cycles later; ZEROIZING for all during the erase after reset and ZEROIZE_ALL, EMPTY if there is
        no such slot.
    asked : ``In(range(asid_count)).array(2)``
        The slot that an access of each direction needs.
    is_active : ``Out(1).array(2)``
        Whether it takes new accesses. Combinational.
    host_is_active : ``Out(1)``
        Whether slot 0 does.
    serving : ``Out(key_ways)``
        The ways whose accesses in flight succeed: those of slots ACTIVE and RETIRING.
    round_key : ``Out(RoundKeyPairSignature(asid_count=key_ways, ...))``, or ``Out(RoundKeyWordSignature(...))``
        The round keys to write. While the way is not serving, it may hold anything.
    drain_slot : ``Out(range(asid_count))``
        The slot whose accesses in flight are waited for.
    drain_busy : ``In(1)``
        High while an access that will use ``drain_slot`` has no way yet. It counts as drained once this and
        ``way_busy`` have been low for eight cycles in a row, all after the last change of ``drain_slot``, ``is_active``
        or ``serving``: so long an access decided before may take to show here, or hide on its way through the engine.
    drain_way : ``Out(range(key_ways))``
        The way whose accesses in flight are waited for.
    way_busy : ``In(1)``
        High while an access that uses ``drain_way`` is in flight.
    read_ways, write_ways : ``Out(KeyWaysSignature(asid_count, key_ways))``
        For the accesses of each direction; only if there are fewer ways than slots.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, asid_count: int, key_bits: int, key_ways: int | None = None, by_word: bool = False,
                 narrow: bool = False):
        self.asid_count = asid_count
        self.narrow = narrow
        self.by_word = by_word
        self.key_bits = key_bits
        self.key_ways = asid_count if key_ways is None else key_ways
        if key_ways is not None and not 2 <= key_ways <= asid_count:
            raise ValueError(f"Key ways must be from 2 to {asid_count}, not {key_ways!r}")
        self.is_cached = self.key_ways < asid_count
        if by_word and self.is_cached:
            raise ValueError(f"Key ways must be {asid_count} if round keys are written by word, not {key_ways!r}")
        round_key = (RoundKeyWordSignature(slots=asid_count, key_bits=key_bits) if by_word
                     else RoundKeyPairSignature(asid_count=self.key_ways, key_bits=key_bits))
        found = KeyWaysSignature(asid_count=asid_count, key_ways=self.key_ways)
        super().__init__({
            "command": In(CommandSignature()),
            "busy": Out(1, init=1),
            "result": Out(Result, init=Result.CLOSED),
            "word": In(KeyWordSignature()),
            "self_test_busy": In(1),
            "self_test_keys": Out(1),
            "closed": In(1),
            "cut_all": In(1),
            "query_slot": In(SLOT_NUMBER_WIDTH),
            "query_state": Out(SlotState),
            "asked": In(range(asid_count)).array(ASKERS),
            "is_active": Out(1).array(ASKERS),
            "host_is_active": Out(1),
            "serving": Out(self.key_ways),
            "round_key": Out(round_key),
            "drain_slot": Out(range(asid_count)),
            "drain_busy": In(1),
            "drain_way": Out(range(self.key_ways)),
            "way_busy": In(1),
        } | ({"read_ways": Out(found), "write_ways": Out(found)} if self.is_cached else {}))
        self.narrow_keys = NarrowKeys(asid_count=asid_count, key_bits=key_bits) if narrow else None
        self.staging = KeyStaging(key_bits=key_bits, in_block_ram=narrow)

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.staging = staging = self.staging
        m.submodules.slots = slots = SlotTable(asid_count=self.asid_count)
        store, way_busy = self._keep(m, staging)

        slot, operation, in_range, occupied = Signal(range(self.asid_count)), Signal(3), Signal(), Signal()
        passage = Signal(SlotState)
        m.d.comb += [
            store.slot.eq(slot), slots.slot.eq(slot), slots.passage.eq(passage), store.start.eq(slots.start),
            store.cutting.eq(passage == SlotState.ZEROIZING), self.drain_slot.eq(slot),
            self.host_is_active.eq(slots.host_is_active),
            *(given.eq(asked) for given, asked in zip(slots.asked, self.asked)),
            *(shown.eq(is_active) for shown, is_active in zip(self.is_active, slots.is_active)),
            slots.query_slot.eq(self.query_slot), self.query_state.eq(slots.query_state),
        ]
        verdict, accepted = self._verdict(m, operation, in_range, occupied, staging)
        overtaken, overtaken_by_all = Signal(), Signal()
        in_flight, settle, drained = Signal(), Signal(range(DRAIN_SETTLE_CYCLES + 2)), Signal()
        # The first look at what is in flight shows what was before.
        m.d.comb += drained.eq((settle == DRAIN_SETTLE_CYCLES + 1) & ~in_flight)
        m.d.sync += [
            in_flight.eq(self.drain_busy | way_busy), settle.eq(0), occupied.eq(slots.occupied),
            slots.start.eq(0), slots.stop.eq(0), store.cut.eq(0), staging.erase.eq(0), staging.unload.eq(0),
            overtaken.eq(self.command.valid & (self.command.op == Operation.ZEROIZE) & (self.command.slot == slot)
                         & (passage == SlotState.RETIRING)),
            overtaken_by_all.eq(self.command.valid & (self.command.op == Operation.ZEROIZE_ALL)),
        ]

        # Sweeps over every slot after reset and has the self-test run, then takes the slot of one command at a time
        # from state to state, or sweeps over all again.
        with m.FSM(init="SWEEP") as fsm:
            self._sweep(m, slots, store, slot, operation, drained)
            with m.State("IDLE"):
                m.d.comb += staging.enable.eq(~self.command.valid & ~self.closed)
                with m.If(self.command.valid):
                    m.d.sync += [slot.eq(self.command.slot), operation.eq(self.command.op), self.result.eq(Result.OK),
                                 in_range.eq(self.command.slot < self.asid_count)]
                    m.next = "LOOK"
            with m.State("LOOK"):
                m.next = "COMPARE"
            with m.State("COMPARE"):
                m.next = "CHECK"
            with m.State("CHECK"):
                m.d.sync += staging.erase.eq((operation == Operation.ZEROIZE) | (operation == Operation.ZEROIZE_ALL)
                                             | (operation == Operation.INSTALL) & ~accepted)
                with m.If(self.result != Result.BUSY):
                    m.d.sync += self.result.eq(verdict)
                m.next = "FINISH"
                with m.If(accepted & (operation == Operation.INSTALL)):
                    m.d.sync += [staging.unload.eq(1), passage.eq(SlotState.LOADING)]
                    m.next = "EXPAND"
                with m.Elif(accepted & (operation == Operation.RETIRE)):
                    m.d.sync += [slots.stop.eq(1), passage.eq(SlotState.RETIRING)]
                    m.next = "DRAIN"
                with m.Elif(accepted & (operation == Operation.ZEROIZE_ALL)):
                    m.d.sync += slot.eq(0)
                    m.next = "SWEEP"
                with m.Elif(accepted & occupied):
                    m.d.sync += [slots.stop.eq(1), store.cut.eq(1), passage.eq(SlotState.ZEROIZING)]
                    m.next = "ERASE"
            with m.State("EXPAND"), m.If(store.loaded):
                m.d.sync += slots.start.eq(1)
                m.next = "FINISH"
            with m.State("DRAIN"):
                with m.If(drained):
                    m.next = "ERASE"
                    with m.If(passage == SlotState.ZEROIZING):
                        m.next = "FINISH"
                with m.If(overtaken_by_all):
                    m.d.sync += [slot.eq(0), operation.eq(Operation.ZEROIZE_ALL), staging.erase.eq(1),
                                 passage.eq(SlotState.EMPTY), self.result.eq(Result.OK)]
                    m.next = "SWEEP"
                with m.Elif(overtaken):
                    m.d.sync += [store.cut.eq(1), staging.erase.eq(1), passage.eq(SlotState.ZEROIZING),
                                 self.result.eq(Result.OK)]
                    m.next = "ERASE"
            with m.State("ERASE"):
                m.d.comb += store.erase.eq(1)
                with m.If(store.erased):
                    m.next = "DRAIN"
                    with m.If(passage == SlotState.RETIRING):
                        m.d.sync += store.cut.eq(1)
                        m.next = "FINISH"
            # Until zeros have come to where keys were, a slot is not said to be empty.
            with m.State("FINISH"), m.If(~staging.erase & ~staging.busy & ~store.settling):
                m.d.comb += store.release.eq((passage == SlotState.RETIRING) | (passage == SlotState.ZEROIZING))
                m.d.sync += passage.eq(SlotState.EMPTY)
                m.next = "IDLE"

        m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
        with m.If((fsm.ongoing("DRAIN") | fsm.ongoing("DRAIN ALL")) & ~in_flight & ~drained):
            m.d.sync += settle.eq(settle + 1)
        with m.If(self.command.valid & self.busy):
            m.d.sync += self.result.eq(Result.BUSY)
        self._cut_all(m, slots, store)
        return m

    def _cut_all(self, m: Module, slots: SlotTable, store: wiring.PureInterface) -> None:
        was_cut = Signal()
        m.d.sync += was_cut.eq(self.cut_all)
        with m.If(self.cut_all):
            m.d.comb += store.sweep.eq(1)
        with m.If(was_cut):
            m.d.comb += [slots.sweeping.eq(1), self.host_is_active.eq(0)]

    def _sweep(self, m: Module, slots: SlotTable, store: wiring.PureInterface, slot: Signal, operation: Signal,
               drained: Signal) -> None:
        """The states in which no slot is active: keys are erased and, after reset, tested, or drained for a command."""
        is_last = slot == self.asid_count - 1
        with m.State("SWEEP"):
            m.d.comb += [slots.sweeping.eq(1), store.sweep.eq(1), store.erase.eq(1)]
            with m.If(store.erased):
                m.d.sync += slot.eq(Mux(is_last, 0, slot + 1))
                with m.If(is_last):
                    m.next = "FINISH"
                    with m.If(operation == Operation.ZEROIZE_ALL):
                        m.next = "DRAIN ALL"
                    with m.Elif(self.self_test_busy):
                        m.next = "LOAD"
        with m.State("DRAIN ALL"):
            m.d.comb += [slots.sweeping.eq(1), store.sweep.eq(1), store.release.eq(drained)]
            with m.If(drained):
                m.d.sync += slot.eq(Mux(is_last, 0, slot + 1))
                with m.If(is_last):
                    m.next = "FINISH"
        with m.State("LOAD"):
            m.d.comb += [slots.sweeping.eq(1), store.testing.eq(1)]
            with m.If(store.loaded):
                m.next = "TEST"
        with m.State("TEST"):
            m.d.comb += [slots.sweeping.eq(1), self.self_test_keys.eq(1)]
            with m.If(~self.self_test_busy):
                m.next = "WIPE"
        with m.State("WIPE"):
            m.d.comb += [slots.sweeping.eq(1), store.sweep.eq(1), store.erase.eq(1)]
            with m.If(store.erased):
                m.next = "FINISH"

    def _keep(self, m: Module, staging: KeyStaging) -> tuple[wiring.PureInterface, Value]:
        """Those who keep the keys: what they are told, and whether an access under its slot is in flight in a way."""
        if self.is_cached:
            m.submodules.keys = keys = CachedKeys(asid_count=self.asid_count, key_ways=self.key_ways,
                                                  key_bits=self.key_bits)
            wiring.connect(m, keys.read_ways, wiring.flipped(self.read_ways))
            wiring.connect(m, keys.write_ways, wiring.flipped(self.write_ways))
            m.d.comb += [self.drain_way.eq(keys.drain_way), keys.way_busy.eq(self.way_busy)]
            way_busy = keys.slot_busy
        else:
            keeper = WordedKeys if self.by_word else ExpandedKeys
            m.submodules.keys = keys = self.narrow_keys or keeper(asid_count=self.asid_count, key_bits=self.key_bits)
            m.d.comb += self.drain_way.eq(self.drain_slot)
            way_busy = self.way_busy
        m.submodules.known_key = known_key = KnownKey(key_bits=self.key_bits)
        wiring.connect(m, staging.word, wiring.flipped(self.word))
        words = keys.store.words
        m.d.comb += [
            words.payload.eq(Mux(keys.store.testing, known_key.o.payload, staging.o.payload)),
            words.valid.eq(Mux(keys.store.testing, known_key.o.valid, staging.o.valid)),
            known_key.o.ready.eq(keys.store.testing & words.ready),
            staging.o.ready.eq(~keys.store.testing & words.ready),
        ]
        wiring.connect(m, keys.round_key, wiring.flipped(self.round_key))
        m.d.comb += self.serving.eq(keys.serving)
        return keys.store, way_busy

    def _verdict(self, m: Module, operation: Signal, in_range: Signal, occupied: Value,
                 staging: KeyStaging) -> tuple[Signal, Signal]:
        """How the command fares, and whether it is accepted. All is found a cycle before, but whether its keys are
        equal, which the last word tells only then."""
        known, verdict, accepted = Signal(Result), Signal(Result), Signal()
        is_install, is_known = operation == Operation.INSTALL, Cat(operation == each for each in Operation).any()
        m.d.sync += known.eq(Result.OK)
        with m.If(~is_known):
            m.d.sync += known.eq(Result.OPERATION)
        with m.Elif(~in_range & (operation != Operation.ZEROIZE_ALL)):
            m.d.sync += known.eq(Result.SLOT_RANGE)
        with m.Elif(is_install & self.closed):
            m.d.sync += known.eq(Result.CLOSED)
        with m.Elif((operation == Operation.RETIRE) & ~occupied | is_install & occupied):
            m.d.sync += known.eq(Result.SLOT_STATE)
        with m.Elif(is_install & ~staging.complete):
            m.d.sync += known.eq(Result.KEY_INCOMPLETE)
        m.d.comb += [verdict.eq(known), accepted.eq((known == Result.OK) & ~(is_install & staging.equal))]
        with m.If((known == Result.OK) & ~accepted):
            m.d.comb += verdict.eq(Result.KEYS_EQUAL)
        return verdict, accepted
