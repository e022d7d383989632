"""Which slots are active, and what is to be told of each."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.keys.types import SLOT_NUMBER_WIDTH, SlotState

__all__ = ["SlotTable"]


class SlotTable(wiring.Component):
    """Remembers of each slot whether it takes new accesses.

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
    passage : ``In(SlotState)``
        The state of ``slot`` while it is neither empty nor active; EMPTY otherwise.
    sweeping : ``In(1)``
        All slots are being erased.
    active : ``Out(asid_count)``
        A bit for each slot.
    query_slot : ``In(10)``
        The slot asked about.
    query_state : ``Out(SlotState)``
        Its state, two cycles later; EMPTY if there is no such slot.
    """

    def __init__(self, *, asid_count: int):
        self.asid_count = asid_count
        super().__init__({
            "slot": In(range(asid_count)),
            "start": In(1),
            "stop": In(1),
            "passage": In(SlotState),
            "sweeping": In(1),
            "active": Out(asid_count),
            "query_slot": In(SLOT_NUMBER_WIDTH),
            "query_state": Out(SlotState),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        with m.If(self.start | self.stop):
            m.d.sync += self.active.bit_select(self.slot, 1).eq(self.start)

        exists, is_moving, is_active = Signal(), Signal(), Signal()
        m.d.sync += [
            exists.eq(self.query_slot < self.asid_count),
            is_moving.eq((self.query_slot == self.slot) & (self.passage != SlotState.EMPTY)),
            is_active.eq(self.active.bit_select(self.query_slot, 1)),
            self.query_state.eq(Mux(is_active, SlotState.ACTIVE, SlotState.EMPTY)),
        ]
        with m.If(~exists):
            m.d.sync += self.query_state.eq(SlotState.EMPTY)
        with m.Elif(self.sweeping):
            m.d.sync += self.query_state.eq(SlotState.ZEROIZING)
        with m.Elif(is_moving & (self.passage != SlotState.EMPTY)):
            m.d.sync += self.query_state.eq(self.passage)
        return m
