"""A register slice: two entries that part a stream's two sides."""

from amaranth import Module, Mux, Signal
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
            "next": Out(shape),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        # Payloads count only beside a valid bit, which is reset.
        first = Signal(self.shape, reset_less=True)
        second = Signal(self.shape, reset_less=True)
        first_valid = Signal()
        second_valid = Signal()
        moves = Signal()
        m.d.comb += [
            moves.eq(self.o.ready | ~first_valid),
            self.i.ready.eq(~second_valid),
            self.o.valid.eq(first_valid),
            self.o.payload.eq(first),
            self.held[0].eq(first),
            self.held[1].eq(second),
            self.held_valid.eq(first_valid | (second_valid << 1)),
            self.next.eq(Mux(second_valid, second, self.i.payload)),
        ]
        m.d.sync += second_valid.eq(~moves & (second_valid | self.i.valid))
        # What the second takes counts only if it could not go to the first: so its enable is a register.
        with m.If(self.i.ready):
            m.d.sync += second.eq(self.i.payload)
        with m.If(moves):
            m.d.sync += [first.eq(self.next), first_valid.eq(second_valid | self.i.valid)]
        return m
