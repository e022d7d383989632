"""A register that is there or not."""

from amaranth import Module
from amaranth.hdl import ShapeLike
from amaranth.lib.wiring import Component, In, Out

__all__ = ["Stage"]


class Stage(Component):
    """Parts two steps of a computation by a register, or joins them by a wire.

    Latency: one cycle of those with ``advance``, or none.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of what passes.
    registered : :class:`bool`
        Whether the register is there.

    Members
    -------
    i : ``In(shape)``
    o : ``Out(shape)``
    advance : ``In(1)``
        While low, the register keeps what it has.
    """

    def __init__(self, *, shape: ShapeLike, registered: bool) -> None:
        self.registered = registered
        super().__init__({"i": In(shape), "o": Out(shape), "advance": In(1)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        if not self.registered:
            m.d.comb += self.o.eq(self.i)
        else:
            with m.If(self.advance):
                m.d.sync += self.o.eq(self.i)
        return m
