"""Holds a stream's entries until they may leave."""

from collections.abc import Callable

from amaranth import Module, Mux, Signal
from amaranth.hdl import ShapeLike, Value
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.stream.slice import RegisterSlice

__all__ = ["Gate"]


class Gate(Component):
    """Lets entries out in order, each only once what it waits for has come to pass.

    Latency: none; if pipelined one cycle, and a change of ``state`` shows at ``o`` a cycle later. Throughput: one
    entry a cycle. Stalls: if pipelined, ``i.ready`` and ``o.valid`` come from registers; the payload at ``o``
    stays while ``o`` waits.

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
        may_leave = Signal()
        held = [valid & self.may_leave(entry, self.state) for valid, entry in zip(slice_.held_valid, slice_.held)]
        first, second = Mux(slice_.head, *reversed(held)), Mux(slice_.head, *held)
        comes = slice_.i.valid & self.may_leave(slice_.i.payload, self.state)
        m.d.comb += [
            self.o.payload.eq(slice_.o.payload),
            self.o.valid.eq(may_leave),
            slice_.o.ready.eq(may_leave & self.o.ready),
            self.coming.eq(slice_.o.payload),
        ]
        # Whoever will be the first in the next cycle is asked in this one.
        with m.If(slice_.o.ready | ~slice_.o.valid):
            m.d.sync += may_leave.eq(Mux(slice_.is_full, second, comes))
            m.d.comb += self.coming.eq(slice_.next)
        with m.Elif(first):
            m.d.sync += may_leave.eq(1)
        return m
