"""The life of the key slots: who may use which, and when it is erased."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.keys.eraser import RoundKeyEraser
from cbit.keys.loader import KeyLoader
from cbit.keys.slots import SlotTable
from cbit.keys.staging import KeyStaging
from cbit.keys.types import (
    ROUND_KEY_SETTLE_CYCLES,
    SLOT_NUMBER_WIDTH,
    CommandSignature,
    KeyWordSignature,
    Operation,
    Result,
    RoundKeyPairSignature,
    SlotState,
)

__all__ = ["DRAIN_SETTLE_CYCLES", "KeyControl"]

DRAIN_SETTLE_CYCLES = 8
"""Cycles in a row for which ``drain_busy`` must be low. An access decided before a change of ``active`` may take so
long to show in it, and on its way from one part of the engine to the next it may be hidden for less than that."""


class KeyControl(wiring.Component):
    """Takes keys and commands, writes round keys, and says which slots are active.

    After reset the round keys of all slots are overwritten with zeros, one a cycle: ``asid_count * 22`` cycles
    with AES-128, ``asid_count * 30`` with AES-256. Until then ``busy`` is high.

    One command at a time. A command given while ``busy`` is high has the result ``BUSY`` and changes nothing, but
    for one: ``ZEROIZE`` of the slot whose ``RETIRE`` waits for accesses in flight overtakes it. ``result`` is that
    of the command given last.

    ``INSTALL``
        EMPTY -> LOADING -> ACTIVE. Active only once every round key is written. Takes the written keys, which are
        erased from staging whether it succeeds or not: each must be written anew for the next.
    ``RETIRE``
        ACTIVE -> RETIRING -> EMPTY. Active no more at once; waits for ``drain_busy`` to fall, then erases.
    ``ZEROIZE``
        ACTIVE or RETIRING -> ZEROIZING -> EMPTY. Serving no more at once; erases at once, then waits for
        ``drain_busy`` to fall. Of an empty slot: no effect on it. Whatever its slot, it erases staging.

    Refusals are tried in the order OPERATION, SLOT_RANGE, SLOT_STATE, KEY_INCOMPLETE, KEYS_EQUAL.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots. 2 to 1024.
    key_bits : :class:`int`
        Bits of each of the two keys of a slot. 128 or 256.

    Members
    -------
    command : ``In(CommandSignature())``
        Commands in.
    busy : ``Out(1)``
        The erase after reset, or a command, is running.
    result : ``Out(Result)``
        How the command given last fared; counts while ``busy`` is low.
    word : ``In(KeyWordSignature())``
        Words of K1 and K2 in. Refused while ``busy`` is high and in the cycle of a command.
    query_slot : ``In(10)``
        The slot asked about.
    query_state : ``Out(SlotState)``
        Its state, two cycles later; ZEROIZING for all during the erase after reset, EMPTY if there is no such slot.
    active : ``Out(asid_count)``
        The slots that take new accesses.
    serving : ``Out(asid_count)``
        The slots whose accesses in flight succeed: ACTIVE and RETIRING.
    round_key : ``Out(RoundKeyPairSignature(...))``
        The round keys to write. While the slot is not serving, it may hold anything.
    drain_slot : ``Out(range(asid_count))``
        The slot whose accesses in flight are waited for.
    drain_busy : ``In(1)``
        High while an access that uses ``drain_slot`` is in flight. It counts as drained once this has been low
        for eight cycles in a row, all after the last change of ``drain_slot``, ``active`` or ``serving``: so long
        an access decided before may take to show here, or hide on its way through the engine.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, asid_count: int, key_bits: int):
        self.asid_count = asid_count
        self.key_bits = key_bits
        super().__init__({
            "command": In(CommandSignature()),
            "busy": Out(1, init=1),
            "result": Out(Result),
            "word": In(KeyWordSignature()),
            "query_slot": In(SLOT_NUMBER_WIDTH),
            "query_state": Out(SlotState),
            "active": Out(asid_count),
            "serving": Out(asid_count),
            "round_key": Out(RoundKeyPairSignature(asid_count=asid_count, key_bits=key_bits)),
            "drain_slot": Out(range(asid_count)),
            "drain_busy": In(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        sizes = {"asid_count": self.asid_count, "key_bits": self.key_bits}
        m.submodules.staging = staging = KeyStaging(key_bits=self.key_bits)
        m.submodules.loader = loader = KeyLoader(**sizes)
        m.submodules.eraser = eraser = RoundKeyEraser(**sizes)
        m.submodules.slots = slots = SlotTable(asid_count=self.asid_count)
        self._join(m, staging, loader, eraser)

        slot, operation, in_range, occupied = Signal(range(self.asid_count)), Signal(3), Signal(), Signal()
        passage = Signal(SlotState)
        m.d.comb += [
            loader.slot.eq(slot), eraser.slot.eq(slot), slots.slot.eq(slot), slots.passage.eq(passage),
            self.drain_slot.eq(slot), self.active.eq(slots.active), self.serving.eq(slots.serving),
            slots.query_slot.eq(self.query_slot), self.query_state.eq(slots.query_state),
        ]
        verdict = self._verdict(m, operation, in_range, occupied, staging)
        overtaken = Signal()
        in_flight, settle = Signal(), Signal(range(DRAIN_SETTLE_CYCLES + 2))
        # Until zeros have come to where keys were, a slot is not said to be empty.
        arriving = Signal(range(ROUND_KEY_SETTLE_CYCLES))
        with m.If(self.round_key.valid):
            m.d.sync += arriving.eq(ROUND_KEY_SETTLE_CYCLES - 1)
        with m.Elif(arriving != 0):
            m.d.sync += arriving.eq(arriving - 1)
        m.d.sync += [
            in_flight.eq(self.drain_busy), settle.eq(0), occupied.eq(slots.active.bit_select(slot, 1)),
            slots.start.eq(0), slots.stop.eq(0), slots.cut.eq(0), staging.erase.eq(0), staging.unload.eq(0),
            overtaken.eq(self.command.valid & (self.command.op == Operation.ZEROIZE) & (self.command.slot == slot)
                         & (passage == SlotState.RETIRING)),
        ]

        # Sweeps over every slot after reset, then takes the slot of one command at a time from state to state.
        with m.FSM(init="SWEEP") as fsm:
            with m.State("SWEEP"):
                m.d.comb += [slots.sweeping.eq(1), eraser.enable.eq(1)]
                with m.If(eraser.done):
                    m.d.sync += slot.eq(slot + 1)
                    with m.If(slot == self.asid_count - 1):
                        m.next = "FINISH"
            with m.State("IDLE"):
                m.d.comb += staging.enable.eq(~self.command.valid)
                with m.If(self.command.valid):
                    m.d.sync += [slot.eq(self.command.slot), operation.eq(self.command.op), self.result.eq(Result.OK),
                                 in_range.eq(self.command.slot < self.asid_count)]
                    m.next = "LOOK"
            with m.State("LOOK"):
                m.next = "COMPARE"
            with m.State("COMPARE"):
                m.next = "CHECK"
            with m.State("CHECK"):
                accepted = verdict == Result.OK
                m.d.sync += staging.erase.eq((operation == Operation.ZEROIZE)
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
                with m.Elif(accepted & occupied):
                    m.d.sync += [slots.cut.eq(1), passage.eq(SlotState.ZEROIZING)]
                    m.next = "ERASE"
            with m.State("EXPAND"), m.If(loader.done):
                m.d.sync += slots.start.eq(1)
                m.next = "FINISH"
            with m.State("DRAIN"):
                settled = settle == DRAIN_SETTLE_CYCLES + 1  # the first shows what was before the slot was stopped
                with m.If(~in_flight):
                    m.d.sync += settle.eq(settle + 1)
                with m.If(settled & ~in_flight):
                    m.next = "ERASE"
                    with m.If(passage == SlotState.ZEROIZING):
                        m.next = "FINISH"
                with m.If(overtaken):
                    m.d.sync += [slots.cut.eq(1), staging.erase.eq(1), passage.eq(SlotState.ZEROIZING),
                                 self.result.eq(Result.OK)]
                    m.next = "ERASE"
            with m.State("ERASE"):
                m.d.comb += eraser.enable.eq(1)
                with m.If(eraser.done):
                    m.next = "DRAIN"
                    with m.If(passage == SlotState.RETIRING):
                        m.d.sync += slots.cut.eq(1)
                        m.next = "FINISH"
            with m.State("FINISH"), m.If(~staging.erase & ~staging.busy & ~self.round_key.valid & (arriving == 0)):
                m.d.sync += passage.eq(SlotState.EMPTY)
                m.next = "IDLE"

        m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
        with m.If(self.command.valid & self.busy):
            m.d.sync += self.result.eq(Result.BUSY)
        return m

    def _join(self, m: Module, staging: KeyStaging, loader: KeyLoader, eraser: RoundKeyEraser) -> None:
        wiring.connect(m, staging.word, wiring.flipped(self.word))
        wiring.connect(m, staging.o, loader.i)
        for name in self.round_key.signature.members:
            m.d.sync += getattr(self.round_key, name).eq(getattr(loader.round_key, name))
        with m.If(eraser.enable):
            for name in self.round_key.signature.members:
                m.d.sync += getattr(self.round_key, name).eq(getattr(eraser.round_key, name))

    def _verdict(self, m: Module, operation: Signal, in_range: Signal, occupied: Value, staging: KeyStaging) -> Signal:
        verdict = Signal(Result)
        with m.If(~in_range):
            m.d.comb += verdict.eq(Result.SLOT_RANGE)
        with m.Elif((operation == Operation.RETIRE) & ~occupied | (operation == Operation.INSTALL) & occupied):
            m.d.comb += verdict.eq(Result.SLOT_STATE)
        with m.Elif((operation == Operation.INSTALL) & ~staging.complete):
            m.d.comb += verdict.eq(Result.KEY_INCOMPLETE)
        with m.Elif((operation == Operation.INSTALL) & staging.equal):
            m.d.comb += verdict.eq(Result.KEYS_EQUAL)
        with m.If(~Cat(operation == known for known in Operation).any()):
            m.d.comb += verdict.eq(Result.OPERATION)
        return verdict
