"""From the slot of an access to the way in which its round keys are."""

from amaranth import Cat, Module
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Response
from cbit.keys.types import KeyWaysSignature
from cbit.stream.slice import RegisterSlice

from .request import Route, request_layout

__all__ = ["KeyLookup"]


class KeyLookup(Component):
    """Gives each encrypted access the way of its slot's key, or lets it wait for one.

    An access whose slot turns out to have no key any more is denied with SLVERR.

    Latency: one cycle if the access needs no key or finds it. Throughput: one access a cycle. Stalls: accesses
    stay in order behind one that waits.

    Parameters
    ----------
    c_bit, id_width : :class:`int`
        Widths of the request.
    asid_count : :class:`int`
        Number of slots.
    key_ways : :class:`int`
        Number of ways.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
        Decided accesses, each with its slot.
    o : ``Out(stream.Signature(request_layout(...)))``
        The same, each with a way in place of the slot.
    next_id : ``Out(id_width)``
        The ID that ``o`` has in the next cycle if in this one it is taken or not valid.
    keys : ``In(KeyWaysSignature(asid_count, key_ways))``
        Where keys are.
    drain_way : ``In(range(key_ways))``
    drain_busy : ``Out(1)``
        High while an access under ``drain_way`` is here.
    """

    def __init__(self, *, c_bit: int, id_width: int, asid_count: int, key_ways: int) -> None:
        self.key_ways = key_ways
        widths = {"c_bit": c_bit, "id_width": id_width}
        self.found_layout = request_layout(slot_width=(key_ways - 1).bit_length(), **widths)
        super().__init__({
            "i": In(stream.Signature(request_layout(slot_width=(asid_count - 1).bit_length(), **widths))),
            "o": Out(stream.Signature(self.found_layout)),
            "next_id": Out(id_width),
            "keys": In(KeyWaysSignature(asid_count=asid_count, key_ways=key_ways)),
            "drain_way": In(range(key_ways)),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.slice = slice_ = RegisterSlice(shape=self.found_layout)
        given, found, keys = self.i.payload, slice_.i.payload, self.keys
        hits = Cat(way.valid & (way.slot == given.slot) for way in keys.ways)
        needs_key = given.route == Route.ENCRYPTED
        is_absent = keys.absent.valid & (keys.absent.slot == given.slot)
        may_pass = ~needs_key | hits.any() | is_absent
        m.d.comb += [
            keys.wanted.valid.eq(self.i.valid & needs_key & ~hits.any()),
            keys.wanted.slot.eq(given.slot),
            keys.used.eq(hits & (self.i.valid & needs_key).replicate(self.key_ways)),
            slice_.i.valid.eq(self.i.valid & may_pass),
            self.i.ready.eq(slice_.i.ready & may_pass),
            *(found[field].eq(given[field]) for field in self.found_layout.members if field != "slot"),
            self.o.valid.eq(slice_.o.valid),
            self.o.payload.eq(slice_.o.payload),
            slice_.o.ready.eq(self.o.ready),
            self.next_id.eq(slice_.next.id),
            self.drain_busy.eq((Cat((entry.route == Route.ENCRYPTED) & (entry.slot == self.drain_way)
                                    for entry in slice_.held) & slice_.held_valid).any()),
        ]
        for way in range(self.key_ways):
            with m.If(hits[way]):
                m.d.comb += found.slot.eq(way)
        with m.If(needs_key & ~hits.any()):
            m.d.comb += [found.route.eq(Route.DENIED), found.resp.eq(Response.SLVERR)]
        return m
