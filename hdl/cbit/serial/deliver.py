"""Delivers reads from the store, in order."""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.axi.ports import Response, read_data_layout
from cbit.serial.ports import ONES_PLACE, PLACE_BITS, READ_SLOTS, entry_layout
from cbit.serial.walk import after, walk_layout
from cbit.stream.hop import Hop

__all__ = ["SerialDeliver", "delivery_layout"]


def delivery_layout(*, id_width: int) -> StructLayout:
    """What is delivered of an access: the beats of ``walk`` among the blocks of slot ``region``, or if it is denied as
    many of all ones."""
    return StructLayout({"region": range(READ_SLOTS), "walk": walk_layout(), "id": unsigned(id_width),
                         "is_denied": unsigned(1), "resp": Response})


class SerialDeliver(Component):
    """Gives managers their beats, one access after the other.

    Latency: two cycles from a block's being available to ``r``. Throughput: a beat every two cycles. Stalls: what is at
    ``r`` stays.

    Parameters
    ----------
    id_width : :class:`int`
        Bits of an ID.
    narrow : :class:`bool`
        Whether what is stored stays until another block is wanted. One access waits then.

    Members
    -------
    i : ``In(stream.Signature(delivery_layout(...)))``
        Accesses, of which two wait beside the one that is delivered.
    region : ``Out(range(READ_SLOTS))``
        The slot of the access that is delivered.
    available : ``In(9)``
        How many of its blocks, from its first on, may be delivered.
    wants, place, heard, stored
        Reads the store.
    ones : ``Out(1)``
        If narrow: what is read is to be all ones, wherever from.
    r : ``Out(stream.Signature(read_data_layout(...)))``
    """

    def __init__(self, *, id_width: int, narrow: bool = False) -> None:
        self.id_width = id_width
        self.narrow = narrow
        layout = delivery_layout(id_width=id_width)
        self.waiting = [Hop(shape=layout, registered=True) for _ in range(1 if narrow else READ_SLOTS - 1)]
        super().__init__({
            "i": In(stream.Signature(layout)),
            "region": Out(range(READ_SLOTS)),
            "available": In(9),
            "wants": Out(1),
            "place": Out(PLACE_BITS),
            "heard": In(1),
            "stored": In(entry_layout()),
            "ones": Out(1),
            "r": Out(stream.Signature(read_data_layout(id_width, 128))),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        previous = flipped(self.i)
        for number, hop in enumerate(self.waiting):
            m.submodules[f"waiting_{number}"] = hop
            connect(m, previous, hop.i)
            previous = hop.o
        following = previous
        current, is_present, takes = Signal(self.i.payload.shape()), Signal(), Signal()
        walk, r, following_at, is_there = current.walk, self.r, Signal.like(current.walk.at), Signal()
        beat = self._beat(m)
        m.d.comb += [
            self.region.eq(current.region), self.ones.eq(current.is_denied),
            following.ready.eq(~is_present),
            self.wants.eq(is_present & ~takes & (~r.valid | r.ready) & is_there),
            following_at.eq(Mux(takes, after(walk), walk.at)),
            self.place.eq(Mux(current.is_denied, ONES_PLACE, Cat(walk.at[4:], current.region))),
        ]
        # Known a cycle late, as what is wanted addresses the store in the same cycle.
        m.d.sync += [takes.eq(self.wants & self.heard),
                     is_there.eq(is_present & (current.is_denied | (following_at[4:] < self.available)))]
        with m.If(~is_present):
            m.d.sync += [current.eq(following.payload), is_present.eq(following.valid)]
        with m.If(r.ready):
            m.d.sync += r.valid.eq(0)
        with m.If(takes):
            m.d.sync += [
                r.valid.eq(1), beat.id.eq(current.id),
                beat.resp.eq(Mux(current.is_denied, current.resp.as_value(), self.stored.resp.as_value())),
                beat.last.eq(walk.left == 0),
                walk.at.eq(after(walk)), walk.left.eq(walk.left - 1), is_present.eq(walk.left != 0),
            ]
            if not self.narrow:
                m.d.sync += beat.data.eq(self.stored.data)
        return m

    def _beat(self, m: Module):
        """The registers of ``r``: all of it, or if the store keeps the data what is beside them."""
        if not self.narrow:
            return self.r.payload
        beside = Signal(StructLayout({"id": self.id_width, "resp": Response, "last": 1}))
        m.d.comb += [self.r.payload.data.eq(self.stored.data),
                     *(self.r.payload[field].eq(beside[field]) for field in beside.shape().members)]
        return beside
