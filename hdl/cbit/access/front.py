"""The managers' address channel: every access is decided as it is accepted."""

from amaranth import Cat, Module
from amaranth.hdl import Value
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import address_layout
from cbit.stream.single import SingleSlice
from cbit.stream.slice import RegisterSlice

from .decision import Decision
from .request import MODE, Route, Violation, request_layout

__all__ = ["AddressFront", "violation_event_layout"]


def violation_event_layout(*, addr_width: int, id_width: int, asid_width: int) -> StructLayout:
    """A denied access as the log of violations takes it; ``addr`` is as the manager gave it."""
    return StructLayout({"kind": Violation, "asid": asid_width, "id": id_width, "addr": addr_width})


class AddressFront(Component):
    """Takes AW or AR, decides, and hands the decided access on from a register.

    The decision uses mode bits and slot states of the cycle in which the access is accepted, and
    stays with it. Before ``released`` nothing is accepted.

    Latency: three cycles if pipelined, otherwise one. Throughput: one access a cycle, or if single every other.
    Stalls: ``i.ready`` comes from a register and ``released``; while it is low, everything here but ``o`` stays.

    Parameters
    ----------
    addr_width, data_width, c_bit, id_width, asid_count : :class:`int`
        As in :class:`~cbit.config.EngineConfig`.
    is_write : :class:`bool`
        Whether the channel is AW.
    pipelined : :class:`bool`
        Whether registers part the steps of the decision.
    single : :class:`bool`
        Whether one decided access is held, not two.

    Members
    -------
    i : ``In(stream.Signature(address_layout(...)))``
    o : ``Out(stream.Signature(request_layout(...)))``
    next_id : ``Out(id_width)``
        The ID that ``o`` has in the next cycle if in this one it is taken or not valid.
    released : ``In(1)``
    mode : ``In(MODE)``
    asid : ``Out(asid_width)``
        The ASID of the access at ``i``.
    own_is_active, host_is_active : ``In(1)``
        Whether the slot of that number, and slot 0, take new accesses.
    violation : ``Out(stream.Signature(violation_event_layout(...), always_ready=True))``
        Valid for one cycle for each denied access, before the access can be at ``o``.
    drain_slot : ``In(asid_width)``
    drain_busy : ``Out(1)``
        High while an access under ``drain_slot`` is here.
    """

    def __init__(self, *, addr_width: int, data_width: int, c_bit: int, id_width: int, asid_count: int,
                 is_write: bool, pipelined: bool, single: bool = False) -> None:
        self.asid_count = asid_count
        self.decision = Decision(addr_width=addr_width, data_width=data_width, c_bit=c_bit, id_width=id_width,
                                 asid_count=asid_count, is_write=is_write, pipelined=pipelined)
        asid_width = self.decision.asid_width
        self.request_layout = request_layout(c_bit=c_bit, id_width=id_width, slot_width=asid_width)
        self.slice = (SingleSlice if single else RegisterSlice)(shape=self.request_layout)
        super().__init__({
            "i": In(stream.Signature(address_layout(addr_width=addr_width, id_width=id_width,
                                                    user_width=self.decision.user.size))),
            "o": Out(stream.Signature(self.request_layout)),
            "next_id": Out(id_width),
            "released": In(1),
            "mode": In(MODE),
            "asid": Out(asid_width),
            "own_is_active": In(1),
            "host_is_active": In(1),
            "violation": Out(stream.Signature(
                violation_event_layout(addr_width=addr_width, id_width=id_width, asid_width=asid_width),
                always_ready=True)),
            "drain_slot": In(asid_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.decision = decision = self.decision
        m.submodules.slice = slice_ = self.slice
        m.d.comb += [
            self.asid.eq(decision.user(self.i.payload.user).asid),
            self.i.ready.eq(slice_.i.ready & self.released),
            decision.valid.eq(self.i.valid & self.i.ready),
            decision.address.eq(self.i.payload),
            decision.mode.eq(self.mode),
            decision.slots.exists.eq(self.asid < self.asid_count),
            decision.slots.own.eq(self.own_is_active & decision.slots.exists),
            decision.slots.host.eq(self.host_is_active),
            decision.advance.eq(slice_.i.ready),
            decision.drain_slot.eq(self.drain_slot),
            slice_.i.payload.eq(decision.request),
            slice_.i.valid.eq(decision.decided),
            self.o.payload.eq(slice_.o.payload),
            self.o.valid.eq(slice_.o.valid),
            slice_.o.ready.eq(self.o.ready),
            self.next_id.eq(slice_.next.id),
        ]

        event, given = self.violation, decision.given
        m.d.comb += [
            event.valid.eq(decision.decided & slice_.i.ready & (decision.violation != Violation.NONE)),
            event.payload.kind.eq(decision.violation),
            event.payload.asid.eq(decision.user(given.user).asid),
            event.payload.id.eq(given.id),
            event.payload.addr.eq(given.addr),
            self.drain_busy.eq(decision.drain_busy | self._slice_drain_busy(slice_)),
        ]
        return m

    def _slice_drain_busy(self, slice_: RegisterSlice | SingleSlice) -> Value:
        held = [(entry.route == Route.ENCRYPTED) & (entry.slot == self.drain_slot) for entry in slice_.held]
        return (Cat(held) & slice_.held_valid).any()
