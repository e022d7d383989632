"""The table of bursts in flight: which beat from DRAM belongs to which, and what may be delivered."""

from amaranth import Cat, Const, Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

from .entry import MERGE_ENTRIES, ReadKind, entry_layout

__all__ = ["ReadTable"]


class ReadTable(Component):
    """Holds each burst from its AR to the delivery of its last beat.

    DRAM answers bursts of one ID in order and others in any order, beat by beat; the table finds the
    burst of a beat by the ID. Managers get beats of one ID in the order of the accesses: a burst is
    ``first_in_line`` when all earlier ones of its ID have been delivered.

    Latency: all outputs are combinational from registers, and from ``receive_id`` and ``query_id``.

    Parameters
    ----------
    entries : :class:`int`
        Number of bursts; the last :data:`~cbit.read.entry.MERGE_ENTRIES` serve partial writes only.
    id_width, slot_width : :class:`int`
        Widths of an ID and of a slot number.

    Members
    -------
    manager_free, merge_free : ``Out(1)``
        High if there is room for a manager's burst, and for a partial write's.
    allocate : ``In(1)``
        Takes the room that suits ``entry.kind``.
    entry : ``In(entry_layout(...))``
    allocated : ``Out(range(entries))``
        The index taken.
    receive, receive_last : ``In(1)``
        A beat of DRAM, and whether it ends its burst.
    receive_id : ``In(id_width)``
    received : ``Out(StructLayout)``
        ``hit`` is low if no burst waits for the ID; else ``index``, ``kind``, the number of the
        ``block`` in its line, and ``must_wait`` if a plain beat has to go behind an encrypted one.
    decrypt : ``In(1)``
        The last block of burst ``decrypt_index`` has been decrypted.
    decrypt_index : ``In(range(entries))``
    deliver, merge : ``In(1)``
        The last beat of burst ``deliver_index`` or ``merge_index`` has left.
    deliver_index, merge_index : ``In(range(entries))``
    first_in_line : ``Out(entries)``
    slots : ``Out(ArrayLayout(slot_width, entries))``
    query_id : ``In(id_width)``
    query_hit : ``Out(1)``
        High while a manager's burst with this ID is in flight.
    drain_slot : ``In(slot_width)``
    drain_busy : ``Out(1)``
        High while a burst under this slot is still to be decrypted.
    """

    def __init__(self, *, entries: int, id_width: int, slot_width: int, blocks: int) -> None:
        self.entries = entries
        super().__init__({
            "manager_free": Out(1),
            "merge_free": Out(1),
            "allocate": In(1),
            "entry": In(entry_layout(id_width=id_width, slot_width=slot_width, blocks=blocks)),
            "allocated": Out(range(entries)),
            "receive": In(1),
            "receive_last": In(1),
            "receive_id": In(id_width),
            "received": Out(StructLayout({"hit": 1, "index": range(entries), "kind": ReadKind, "block": 2,
                                          "must_wait": 1})),
            "decrypt": In(1),
            "decrypt_index": In(range(entries)),
            "deliver": In(1),
            "deliver_index": In(range(entries)),
            "merge": In(1),
            "merge_index": In(range(entries)),
            "first_in_line": Out(entries),
            "slots": Out(ArrayLayout(unsigned(slot_width), entries)),
            "query_id": In(id_width),
            "query_hit": Out(1),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        every = range(self.entries)
        managers = self.entries - MERGE_ENTRIES
        self._occupied = Signal(self.entries)
        self._waiting = Signal(self.entries)
        self._slow = Signal(self.entries)
        self._received_last = Signal(self.entries)
        self._delivered = Signal(self.entries)
        self._taken = Signal(self.entries)
        self._earlier_waiting = Signal(self.entries)
        self._earlier_occupied = Signal(self.entries)

        is_manager = Const((1 << managers) - 1, self.entries)
        m.d.comb += [
            self.manager_free.eq(~self._occupied[:managers].all()),
            self.merge_free.eq(~self._occupied[managers:].all()),
        ]
        self._choose_room(m, managers)

        idents = [self._elaborate_entry(m, index) for index in every]
        same_id = Cat(ident == self.entry.id for ident in idents)
        m.d.comb += [
            self._earlier_waiting.eq(same_id & self._waiting & ~self._received_last),
            self._earlier_occupied.eq(same_id & self._occupied & is_manager & ~self._delivered),
            self.query_hit.eq((Cat(ident == self.query_id for ident in idents) & self._occupied & is_manager).any()),
        ]
        return m

    def _choose_room(self, m: Module, managers: int) -> None:
        first, end = 0, managers
        for is_merge in (False, True):
            with m.If((self.entry.kind == ReadKind.MERGE) == is_merge):
                for index in reversed(range(first, end)):
                    with m.If(~self._occupied[index]):
                        m.d.comb += self.allocated.eq(index)
            first, end = managers, self.entries
        with m.If(self.allocate):
            m.d.comb += self._taken.eq(1 << self.allocated)

    def _elaborate_entry(self, m: Module, index: int) -> Signal:
        """One entry; the signal returned is its ID."""
        ident = Signal.like(self.entry.id, name=f"id_{index}")
        kind = Signal(ReadKind, name=f"kind_{index}")
        slot = Signal.like(self.entry.slot, name=f"slot_{index}")
        block = Signal(2, name=f"block_{index}")
        receive_after = Signal(self.entries, name=f"receive_after_{index}")
        deliver_after = Signal(self.entries, name=f"deliver_after_{index}")
        behind_slow = Signal(name=f"behind_slow_{index}")
        match = Signal(name=f"match_{index}")
        needs_key = Signal(name=f"needs_key_{index}")

        m.d.comb += [
            match.eq(self._waiting[index] & (ident == self.receive_id) & ~receive_after.any()),
            behind_slow.eq((deliver_after & self._slow).any()),
            self._received_last[index].eq(match & self.receive & self.receive_last),
            self._delivered[index].eq((self.deliver & (self.deliver_index == index))
                                      | (self.merge & (self.merge_index == index))),
            self.first_in_line[index].eq(~deliver_after.any()),
            self.slots[index].eq(slot),
        ]
        with m.If(match):
            m.d.comb += [
                self.received.hit.eq(1),
                self.received.index.eq(index),
                self.received.kind.eq(kind),
                self.received.block.eq(block),
                self.received.must_wait.eq(self._slow[index] | behind_slow),
            ]
        with m.If(needs_key & (slot == self.drain_slot)):
            m.d.comb += self.drain_busy.eq(1)

        m.d.sync += [
            receive_after.eq(receive_after & ~self._received_last),
            deliver_after.eq(deliver_after & ~self._delivered),
        ]
        with m.If(match & self.receive):
            m.d.sync += [block.eq(block + 1), self._slow[index].eq(self._slow[index] | behind_slow)]
        with m.If(self._received_last[index]):
            m.d.sync += self._waiting[index].eq(0)
        with m.If(self.decrypt & (self.decrypt_index == index)):
            m.d.sync += needs_key.eq(0)
        with m.If(self._delivered[index]):
            m.d.sync += self._occupied[index].eq(0)
        with m.If(self._taken[index]):
            m.d.sync += [
                self._occupied[index].eq(1),
                self._waiting[index].eq(1),
                self._slow[index].eq(self.entry.kind != ReadKind.PLAIN),
                ident.eq(self.entry.id),
                kind.eq(self.entry.kind),
                needs_key.eq(self.entry.kind != ReadKind.PLAIN),
                slot.eq(self.entry.slot),
                block.eq(self.entry.first_block),
                receive_after.eq(self._earlier_waiting),
                deliver_after.eq(self._earlier_occupied),
            ]
        return ident
