"""A register slice: two entries that part a stream's two sides."""

from amaranth import Module, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import stream
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

__all__ = ["RegisterSlice"]


class RegisterSlice(Component):
    """Two registers between the sides of a stream, so that neither side sees the other's logic.

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
        The two entries, the one at ``o`` first.
    held_valid : ``Out(2)``
        A bit for each of ``held``.
    """

    def __init__(self, *, shape: ShapeLike) -> None:
        self.shape = shape
        super().__init__({
            "i": In(stream.Signature(shape)),
            "o": Out(stream.Signature(shape)),
            "held": Out(ArrayLayout(shape, 2)),
            "held_valid": Out(2),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        first = Signal(self.shape)
        second = Signal(self.shape)
        first_valid = Signal()
        second_valid = Signal()
        m.d.comb += [
            self.i.ready.eq(~second_valid),
            self.o.valid.eq(first_valid),
            self.o.payload.eq(first),
            self.held[0].eq(first),
            self.held[1].eq(second),
            self.held_valid.eq(first_valid | (second_valid << 1)),
        ]
        with m.If(self.o.ready | ~first_valid):
            with m.If(second_valid):
                m.d.sync += [first.eq(second), second_valid.eq(0)]
            with m.Else():
                m.d.sync += [first.eq(self.i.payload), first_valid.eq(self.i.valid)]
        with m.Elif(self.i.valid & ~second_valid):
            m.d.sync += [second.eq(self.i.payload), second_valid.eq(1)]
        return m
