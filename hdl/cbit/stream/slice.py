"""A register slice: two entries that part a stream's two sides."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import stream
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

__all__ = ["RegisterSlice"]


class RegisterSlice(Component):
    """Two registers between the sides of a stream, so that neither side sees the other's logic.

    An entry stays where it was put until it is taken: no register of a payload waits for ``o.ready``, which so has few
    loads, however wide an entry is. The payload at ``o`` comes from the two through a multiplexer.

    Latency: one cycle. Throughput: one entry a cycle. Stalls: ``i.ready`` comes from a register and
    falls only when both entries are taken; the payload at ``o`` stays while ``o`` waits.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of an entry.

    Members
    -------
    i : ``In(stream.Signature(shape))``
    o : ``Out(stream.Signature(shape))``
    held : ``Out(ArrayLayout(shape, 2))``
        The two entries, in any order. Where none is, there will be in the next cycle what is at ``i`` in this one.
    held_valid : ``Out(2)``
        A bit for each of ``held``.
    head : ``Out(1)``
        Which of ``held`` is at ``o``.
    is_full : ``Out(1)``
        Whether both are there.
    next : ``Out(shape)``
        The payload that ``o`` has in the next cycle if in this one it is taken or not valid.
    """

    def __init__(self, *, shape: ShapeLike) -> None:
        self.shape = shape
        super().__init__({
            "i": In(stream.Signature(shape)),
            "o": Out(stream.Signature(shape)),
            "held": Out(ArrayLayout(shape, 2)),
            "held_valid": Out(2),
            "head": Out(1),
            "is_full": Out(1),
            "next": Out(shape),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        # Payloads count only beside a valid bit, which follows from what is reset.
        entries = [Signal(self.shape, name=f"entry_{place}", reset_less=True) for place in range(2)]
        some, full, head, moves = Signal(), Signal(), Signal(), Signal()
        shown, other = Mux(head, *reversed(entries)), Mux(head, *entries)
        m.d.comb += [
            moves.eq(self.o.ready | ~some),
            self.i.ready.eq(~full),
            self.o.valid.eq(some),
            self.o.payload.eq(shown),
            self.head.eq(head),
            self.is_full.eq(full),
            self.next.eq(Mux(full, other, self.i.payload)),
        ]
        m.d.sync += [full.eq(~moves & (full | self.i.valid)), head.eq(head ^ (some & self.o.ready))]
        with m.If(moves):
            m.d.sync += some.eq(full | self.i.valid)
        for place, entry in enumerate(entries):
            m.d.comb += [self.held[place].eq(entry), self.held_valid[place].eq(full | (some & (head == place)))]
            # Whatever comes is taken where there is room, and counts if it is the next.
            with m.If(~self.held_valid[place]):
                m.d.sync += entry.eq(self.i.payload)
        return m
