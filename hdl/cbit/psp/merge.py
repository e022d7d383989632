"""Two AXI4 managers on one port."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Axi4Signature
from cbit.stream.bounded_queue import BoundedQueue
from cbit.stream.turns import Turns

__all__ = ["ManagerMerge"]

MANAGERS = 2

WRITES = 16
"""Writes whose data may be outstanding: what one bank of distributed RAM holds."""


class ManagerMerge(Component):
    """Joins two AXI4 managers to one, whose IDs have one bit more: the top bit is the number of the manager.

    Addresses of both take turns, reads and writes apart; data of writes follow in the order of their addresses;
    answers go to who asked, and what the other is answered shows nowhere. Everything else passes unchanged, but for
    ``w.last``: a write has as many beats as its address says, whatever its manager marks as the last.

    Whose the data are is decided when an address is taken. So a manager may be reset while it offers an address or
    data, and take back what it offered: the other's data stay with the other's addresses. What has been taken it still
    owes: its next beats go to the writes that it left without, and it is given the answers.

    Latency: none, but data go a cycle after their address at the earliest, and an address waits a cycle when it is
    not its manager's turn; after a cycle in which nobody asks it is the first one's. Throughput: an address and a beat
    a cycle on each channel. Stalls: on every channel valid depends on no ready in the same cycle, and the payload
    stays while it waits, if the manager's does; ready is combinational from the other side's. Data of a
    write wait until its address has been taken, which must not wait for them, and until all those of writes before it
    have come: so a manager that is slow to send them holds up the other's, and so does one that takes no answer.

    Parameters
    ----------
    addr_width, data_width, id_width, user_width : :class:`int`
        Of the managers' ports, as of :class:`~cbit.axi.ports.Axi4Signature`.
    writes : :class:`int`
        Writes whose address has been taken and whose data have not all come. 2 or more.

    Members
    -------
    s_axi : ``In(Axi4Signature(...)).array(2)``
        The managers.
    m_axi : ``Out(Axi4Signature(...))``
        Both, with ``id_width + 1`` bits of ID.
    """

    def __init__(self, *, addr_width: int, data_width: int, id_width: int, user_width: int,
                 writes: int = WRITES) -> None:
        self.addr_width = addr_width
        self.data_width = data_width
        self.id_width = id_width
        self.user_width = user_width
        self.writes = writes
        widths = {"addr_width": addr_width, "data_width": data_width, "user_width": user_width}
        super().__init__({
            "s_axi": In(Axi4Signature(id_width=id_width, **widths)).array(MANAGERS),
            "m_axi": Out(Axi4Signature(id_width=id_width + 1, **widths)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        self._join_addresses(m, "ar", may_show=1)
        self._join_writes(m)
        for name in ("b", "r"):
            self._part_answers(m, name)
        return m

    def _join_addresses(self, m: Module, name: str, *, may_show: Value | int) -> Value:
        """Lets managers show addresses in turns; returns whose turn it is."""
        m.submodules[f"{name}_turns"] = turns = Turns()
        joined, managers = getattr(self.m_axi, name), [getattr(manager, name) for manager in self.s_axi]
        m.d.comb += [
            turns.requests.eq(Cat(manager.valid for manager in managers)),
            turns.taken.eq(joined.valid & joined.ready),
            joined.valid.eq(turns.valid & may_show),
        ]
        for number, manager in enumerate(managers):
            m.d.comb += manager.ready.eq(joined.ready & (turns.choice == number) & may_show)
        first, second = (manager.payload for manager in managers)
        for field in first.shape().members:
            m.d.comb += joined.payload[field].eq(Mux(turns.choice, second[field], first[field]))
        m.d.comb += joined.payload.id[-1].eq(turns.choice)
        return turns.choice

    def _join_writes(self, m: Module) -> None:
        m.submodules.writes = writes = BoundedQueue(shape=StructLayout({"owner": 1, "len": 8}), depth=self.writes)
        aw, w, current = self.m_axi.aw, self.m_axi.w, writes.o.payload
        choice = self._join_addresses(m, "aw", may_show=writes.i.ready)
        beat = Signal.like(current.len)
        is_last = beat == current.len
        m.d.comb += [
            writes.i.valid.eq(aw.valid & aw.ready),
            writes.i.payload.owner.eq(choice),
            writes.i.payload.len.eq(aw.payload.len),
            writes.o.ready.eq(w.valid & w.ready & is_last),
            w.payload.last.eq(is_last),
        ]
        with m.If(w.valid & w.ready):
            m.d.sync += beat.eq(Mux(is_last, 0, beat + 1))
        for number, manager in enumerate(self.s_axi):
            owns = writes.o.valid & (current.owner == number)
            m.d.comb += manager.w.ready.eq(w.ready & owns)
            with m.If(owns):
                m.d.comb += [w.valid.eq(manager.w.valid), w.payload.data.eq(manager.w.payload.data),
                             w.payload.strb.eq(manager.w.payload.strb)]

    def _part_answers(self, m: Module, name: str) -> None:
        joined = getattr(self.m_axi, name)
        owner = joined.payload.id[-1]
        for number, manager in enumerate(self.s_axi):
            channel = getattr(manager, name)
            m.d.comb += channel.valid.eq(joined.valid & (owner == number))
            with m.If(channel.valid):
                for field in channel.payload.shape().members:
                    m.d.comb += channel.payload[field].eq(joined.payload[field])
        m.d.comb += joined.ready.eq(Mux(owner, *(getattr(manager, name).ready for manager in reversed([*self.s_axi]))))
