"""Which slots are active, and what is to be told of each."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from cbit.keys.types import SLOT_NUMBER_WIDTH, SlotState

__all__ = ["ASKERS", "SlotTable"]


SLOTS_PER_WORD = 4
"""As many bits as a cell of distributed RAM is wide."""

ASKERS = 2
"""The fronts of reads and writes."""


class SlotTable(wiring.Component):
    """Remembers of each slot whether it takes new accesses, in distributed RAM.

    At most one slot is in passage between empty and active; its state is not remembered but given.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots. 2 to 1024.

    Members
    -------
    slot : ``In(range(asid_count))``
        The slot that the next two concern; they act from the next cycle on.
    start : ``In(1)``
        It becomes active.
    stop : ``In(1)``
        It is active no more.
    occupied : ``Out(1)``
        It is active.
    passage : ``In(SlotState)``
        The state of ``slot`` while it is neither empty nor active; EMPTY otherwise.
    sweeping : ``In(1)``
        All slots are being erased: none is active, and ``slot`` will not be.
    asked : ``In(range(asid_count)).array(2)``
        The slot that an access needs.
    is_active : ``Out(1).array(2)``
        Whether it takes new accesses. Combinational.
    host_is_active : ``Out(1)``
        Whether slot 0 does.
    query_slot : ``In(10)``
        The slot asked about.
    query_state : ``Out(SlotState)``
        Its state, two cycles later; EMPTY if there is no such slot.
    """

    def __init__(self, *, asid_count: int):
        self.asid_count = asid_count
        self.words = Memory(shape=SLOTS_PER_WORD, depth=-(-asid_count // SLOTS_PER_WORD), init=[])
        super().__init__({
            "slot": In(range(asid_count)),
            "start": In(1),
            "stop": In(1),
            "occupied": Out(1),
            "passage": In(SlotState),
            "sweeping": In(1),
            "asked": In(range(asid_count)).array(ASKERS),
            "is_active": Out(1).array(ASKERS),
            "host_is_active": Out(1),
            "query_slot": In(SLOT_NUMBER_WIDTH),
            "query_state": Out(SlotState),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.words = words = self.words
        write = words.write_port()
        before, self_active = self._look_up(m, words, self.slot)
        place = self.slot[:2]
        m.d.comb += [
            self.occupied.eq(self_active),
            write.addr.eq(self.slot[2:]),
            write.en.eq(self.start | self.stop | self.sweeping),
            write.data.eq(before & ~(1 << place) | ((self.start & ~self.sweeping) << place)),
        ]
        with m.If(self.sweeping):
            m.d.sync += self.host_is_active.eq(0)
        with m.Elif((self.start | self.stop) & (self.slot == 0)):
            m.d.sync += self.host_is_active.eq(self.start)
        for asked, is_active in zip(self.asked, self.is_active):
            m.d.comb += is_active.eq(self._look_up(m, words, asked)[1])

        exists, is_moving, is_active = Signal(), Signal(), Signal()
        m.d.sync += [
            exists.eq(self.query_slot < self.asid_count),
            is_moving.eq((self.query_slot == self.slot) & (self.passage != SlotState.EMPTY)),
            is_active.eq(self._look_up(m, words, self.query_slot[:len(self.slot)])[1]),
            self.query_state.eq(Mux(is_active, SlotState.ACTIVE, SlotState.EMPTY)),
        ]
        with m.If(~exists):
            m.d.sync += self.query_state.eq(SlotState.EMPTY)
        with m.Elif(self.sweeping):
            m.d.sync += self.query_state.eq(SlotState.ZEROIZING)
        with m.Elif(is_moving & (self.passage != SlotState.EMPTY)):
            m.d.sync += self.query_state.eq(self.passage)
        return m

    def _look_up(self, m: Module, words: Memory, slot: Value) -> tuple[Value, Value]:
        """The word of a slot, and whether the slot is active."""
        read = words.read_port(domain="comb")
        m.d.comb += read.addr.eq(slot[2:])
        return read.data, read.data.bit_select(slot[:2], 1) & ~self.sweeping
