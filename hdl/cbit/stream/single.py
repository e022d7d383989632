"""A register that parts a stream's two sides, and is filled only when it is empty."""

from amaranth import Module, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import stream
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

__all__ = ["SingleSlice"]


class SingleSlice(Component):
    """One register between the sides of a stream, so that neither side sees the other's logic.

    Half of a :class:`~cbit.stream.slice.RegisterSlice`, with no multiplexer.

    Latency: one cycle. Throughput: one entry every other cycle. Stalls: ``i.ready`` comes from a register and is high
    while there is no entry; the payload at ``o`` stays while ``o`` waits.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of an entry.

    Members
    -------
    i : ``In(stream.Signature(shape))``
    o : ``Out(stream.Signature(shape))``
    held : ``Out(ArrayLayout(shape, 1))``
        The entry.
    held_valid : ``Out(1)``
    next : ``Out(shape)``
        The payload that ``o`` has in the next cycle if in this one it is not valid.
    """

    def __init__(self, *, shape: ShapeLike) -> None:
        self.shape = shape
        super().__init__({
            "i": In(stream.Signature(shape)),
            "o": Out(stream.Signature(shape)),
            "held": Out(ArrayLayout(shape, 1)),
            "held_valid": Out(1),
            "next": Out(shape),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        # The payload counts only beside the valid bit, which is reset.
        payload, valid = Signal(self.shape, reset_less=True), Signal()
        m.d.comb += [
            self.i.ready.eq(~valid),
            self.o.valid.eq(valid),
            self.o.payload.eq(payload),
            self.held[0].eq(payload),
            self.held_valid.eq(valid),
            self.next.eq(self.i.payload),
        ]
        with m.If(~valid):
            m.d.sync += [payload.eq(self.i.payload), valid.eq(self.i.valid)]
        with m.Elif(self.o.ready):
            m.d.sync += valid.eq(0)
        return m
