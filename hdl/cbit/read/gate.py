"""Holds a stream's entries until they may leave."""

from collections.abc import Callable

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import ShapeLike, Value
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.stream.slice import RegisterSlice

__all__ = ["Gate"]


class Gate(Component):
    """Lets entries out in order, each only once what it waits for has come to pass.

    Latency: none; if pipelined one cycle, and a change of ``state`` shows at ``o`` a cycle later. Throughput: one
    entry a cycle. Stalls: if pipelined, ``i.ready`` comes from a register, and ``o.valid`` from few; the payload at
    ``o`` stays while ``o`` waits.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of an entry.
    state : :class:`ShapeLike`
        Shape of what tells whether an entry may leave.
    may_leave : :class:`Callable`
        Gives, of an entry's payload and the state, whether the entry may leave. Once it may, it always may.
    pipelined : :class:`bool`
        Whether there are registers.

    Members
    -------
    i : ``In(stream.Signature(shape))``
    o : ``Out(stream.Signature(shape))``
    state : ``In(state)``
    coming : ``Out(shape)``
        If pipelined, the payload that ``o`` has in the next cycle; it counts only if ``o`` is valid then.
    """

    def __init__(self, *, shape: ShapeLike, state: ShapeLike, may_leave: Callable[..., Value],
                 pipelined: bool) -> None:
        self.shape = shape
        self.may_leave = may_leave
        self.pipelined = pipelined
        super().__init__({
            "i": In(stream.Signature(shape)),
            "o": Out(stream.Signature(shape)),
            "state": In(state),
            "coming": Out(shape),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        if not self.pipelined:
            may = Signal()
            m.d.comb += [
                may.eq(self.may_leave(self.i.payload, self.state)),
                self.o.payload.eq(self.i.payload),
                self.o.valid.eq(self.i.valid & may),
                self.i.ready.eq(self.o.ready & may),
            ]
            return m
        m.submodules.slice = slice_ = RegisterSlice(shape=self.shape)
        connect(m, flipped(self.i), slice_.i)
        # Of each place of the slice, whether what is there may leave: a place with nothing in it takes what comes. So
        # none of this waits for whether an entry leaves, which is known late.
        may_leave = Signal(len(slice_.held_valid))
        comes = self.may_leave(slice_.i.payload, self.state)
        m.d.sync += may_leave.eq(Cat(Mux(is_held, self.may_leave(entry, self.state), comes)
                                     for is_held, entry in zip(slice_.held_valid, slice_.held)))
        m.d.comb += [
            self.o.payload.eq(slice_.o.payload),
            self.o.valid.eq(slice_.o.valid & may_leave.bit_select(slice_.head, 1)),
            slice_.o.ready.eq(self.o.valid & self.o.ready),
            self.coming.eq(Mux(slice_.o.ready | ~slice_.o.valid, slice_.next, slice_.o.payload)),
        ]
        return m
