"""The table of writes: which must wait for which, and which answer of DRAM belongs to which."""

from amaranth import Cat, Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

__all__ = ["WriteTable", "write_entry_layout"]


def write_entry_layout(*, c_bit: int, id_width: int, slot_width: int) -> StructLayout:
    """A write: a plain burst, or an encrypted one within ``line``; ``is_final`` if it ends its access."""
    return StructLayout({
        "is_encrypted": unsigned(1),
        "is_final": unsigned(1),
        "id": unsigned(id_width),
        "slot": unsigned(slot_width),
        "line": unsigned(c_bit - 6),
    })


class WriteTable(Component):
    """Holds each write until its answer has been delivered.

    Two writes overlap if they are to the same line, or, where one is plain, to the same page of 4 KiB.
    A partial write reads when DRAM has answered all earlier writes that it overlaps, and until DRAM has
    answered it no write goes that overlaps it: between its read and its write nothing else changes its
    line, whatever order DRAM chooses.

    Latency: all outputs are combinational from registers and the ``_id`` and ``line`` inputs.

    Parameters
    ----------
    entries : :class:`int`
        Number of writes.
    c_bit, id_width, slot_width : :class:`int`
        Widths.

    Members
    -------
    is_free : ``Out(1)``
        High if there is room.
    allocate : ``In(1)``
        Takes it for ``entry``.
    entry : ``In(write_entry_layout(...))``
    allocated : ``Out(range(entries))``
        The index taken.
    partial : ``In(1)``
        Encrypted write ``partial_index`` has a partial block. Before the next write is allocated.
    partial_index : ``In(range(entries))``
    may_read : ``Out(entries)``
        Encrypted writes that overlap nothing earlier any longer.
    may_go : ``Out(entries)``
        Encrypted writes that overlap no earlier partial one any longer.
    send : ``In(1)``
        Encrypted write ``send_index`` goes to DRAM.
    send_index : ``In(range(entries))``
    respond : ``In(1)``
        DRAM answers the ID ``respond_id``.
    respond_id : ``In(id_width)``
    responded : ``Out(StructLayout)``
        ``hit`` is low if no write waits for the answer; else ``index``, ``is_final``, ``is_encrypted``.
    deliver : ``In(1)``
        The answer to final write ``deliver_index`` has left.
    deliver_index : ``In(range(entries))``
    plain_id, plain_line : ``In``
        ID and line of a plain write that wants to go.
    plain_must_wait : ``Out(1)``
        High while an encrypted write with that ID has not gone, or a partial one that overlaps it is not
        answered.
    query_id : ``In(id_width)``
    query_hit : ``Out(1)``
        High while the answer to a write with this ID has not left.
    drain_slot : ``In(slot_width)``
    drain_busy : ``Out(1)``
        High while an encrypted write under this slot is not answered.
    """

    def __init__(self, *, entries: int, c_bit: int, id_width: int, slot_width: int) -> None:
        self.entries = entries
        super().__init__({
            "is_free": Out(1),
            "allocate": In(1),
            "entry": In(write_entry_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width)),
            "allocated": Out(range(entries)),
            "partial": In(1),
            "partial_index": In(range(entries)),
            "may_read": Out(entries),
            "may_go": Out(entries),
            "send": In(1),
            "send_index": In(range(entries)),
            "respond": In(1),
            "respond_id": In(id_width),
            "responded": Out(StructLayout({"hit": 1, "index": range(entries), "is_final": 1, "is_encrypted": 1})),
            "deliver": In(1),
            "deliver_index": In(range(entries)),
            "plain_id": In(id_width),
            "plain_line": In(c_bit - 6),
            "plain_must_wait": Out(1),
            "query_id": In(id_width),
            "query_hit": Out(1),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        self._occupied = Signal(self.entries)
        self._pending = Signal(self.entries)
        self._responded = Signal(self.entries)
        self._is_partial = Signal(self.entries)
        self._earlier_same_id = Signal(self.entries)
        self._earlier_overlapping = Signal(self.entries)
        held = [self._elaborate_entry(m, index) for index in range(self.entries)]

        m.d.comb += self.is_free.eq(~self._occupied.all())
        for index in reversed(range(self.entries)):
            with m.If(~self._occupied[index]):
                m.d.comb += self.allocated.eq(index)

        pending = self._pending & ~self._responded
        entry = self.entry
        m.d.comb += [
            self._earlier_same_id.eq(pending & Cat(other.id == entry.id for other in held)),
            self._earlier_overlapping.eq(pending & Cat(
                (other.line[6:] == entry.line[6:])
                & (~other.is_encrypted | (other.line[:6] == entry.line[:6])) for other in held)),
            self.query_hit.eq((self._occupied & Cat(other.id == self.query_id for other in held)).any()),
        ]
        return m

    def _elaborate_entry(self, m: Module, index: int):
        """One entry; what it holds is returned."""
        held = Signal(self.entry.shape(), name=f"entry_{index}")
        is_sent = Signal(name=f"is_sent_{index}")
        respond_after = Signal(self.entries, name=f"respond_after_{index}")
        go_after = Signal(self.entries, name=f"go_after_{index}")
        match = Signal(name=f"match_{index}")
        is_pending = self._pending[index]

        m.d.comb += [
            match.eq(is_pending & is_sent & (held.id == self.respond_id) & ~respond_after.any()),
            self._responded[index].eq(match & self.respond),
            self.may_read[index].eq(~go_after.any()),
            self.may_go[index].eq(~(go_after & self._is_partial).any()),
        ]
        with m.If(match):
            m.d.comb += [
                self.responded.hit.eq(1),
                self.responded.index.eq(index),
                self.responded.is_final.eq(held.is_final),
                self.responded.is_encrypted.eq(held.is_encrypted),
            ]
        with m.If(is_pending & held.is_encrypted):
            overlaps = self._is_partial[index] & (held.line[6:] == self.plain_line[6:])
            with m.If(overlaps | (~is_sent & (held.id == self.plain_id))):
                m.d.comb += self.plain_must_wait.eq(1)
            with m.If(held.slot == self.drain_slot):
                m.d.comb += self.drain_busy.eq(1)

        m.d.sync += [
            respond_after.eq(respond_after & ~self._responded),
            go_after.eq(go_after & ~self._responded),
        ]
        with m.If(self.send & (self.send_index == index)):
            m.d.sync += is_sent.eq(1)
        with m.If(self._responded[index]):
            m.d.sync += is_pending.eq(0)
        with m.If((self._responded[index] & ~held.is_final) | (self.deliver & (self.deliver_index == index))):
            m.d.sync += self._occupied[index].eq(0)
        with m.If(self.allocate & (self.allocated == index)):
            m.d.sync += [
                self._occupied[index].eq(1),
                is_pending.eq(1),
                held.eq(self.entry),
                is_sent.eq(~self.entry.is_encrypted),
                self._is_partial[index].eq(0),
                respond_after.eq(self._earlier_same_id),
                go_after.eq(self._earlier_overlapping),
            ]
        with m.If(self.partial & (self.partial_index == index)):
            m.d.sync += self._is_partial[index].eq(1)
        return held
