"""Numbers that are free to be used."""

from functools import partial

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.stream.hop import Hop
from cbit.stream.queue import ReservedQueue
from cbit.stream.slice import RegisterSlice

__all__ = ["FreeList"]


class FreeList(Component):
    """Hands out numbers, each to one user at a time, in the order in which they were given back.

    Latency: the first number comes ``count`` + 1 cycles after reset; one given back two cycles later at
    the earliest; each a cycle later if pipelined. Throughput: one handed out and one given back a cycle.

    Parameters
    ----------
    first, count : :class:`int`
        The numbers are those from ``first`` on. ``count`` is 2 or more.
    pipelined : :class:`bool`
        Whether registers part who takes a number from those that wait.

    Members
    -------
    i : ``In(stream.Signature(unsigned(...), always_ready=True))``
        Numbers given back.
    o : ``Out(stream.Signature(unsigned(...)))``
        Numbers handed out.
    follows : ``Out(1)``
        If pipelined, high if ``o`` is valid in the next cycle: for a register where the number is waited for.
    """

    def __init__(self, *, first: int, count: int, pipelined: bool) -> None:
        self.first = first
        self.count = count
        self.pipelined = pipelined
        self.shape = unsigned((first + count - 1).bit_length())
        super().__init__({
            "i": In(stream.Signature(self.shape, always_ready=True)),
            "o": Out(stream.Signature(self.shape)),
            "follows": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.queue = queue = ReservedQueue(shape=self.shape, depth=self.count, bypass=True)
        fresh = Signal(self.shape, init=self.first)
        is_filled, fills = Signal(), Signal()
        # The number counts only beside its valid bit, which is reset and tells all there is to know.
        shown, is_shown = Signal(self.shape, reset_less=True), Signal()
        moves = Signal()
        m.submodules.given = given = (
            RegisterSlice if self.pipelined else partial(Hop, registered=False))(shape=self.shape)
        connect(m, given.o, flipped(self.o))
        m.d.comb += [
            fills.eq(fresh == self.first + self.count - 1),
            queue.i.valid.eq(self.i.valid | ~is_filled),
            queue.i.payload.eq(Mux(is_filled, self.i.payload, fresh)),
            moves.eq((given.i.ready | ~is_shown) & (is_filled | fills)),
            queue.o.ready.eq(moves),
            given.i.valid.eq(is_shown),
            given.i.payload.eq(shown),
        ]
        if self.pipelined:
            m.d.comb += self.follows.eq(given.is_full | given.i.valid | (given.o.valid & ~given.o.ready))
        with m.If(moves):
            m.d.sync += [is_shown.eq(queue.o.valid), shown.eq(queue.o.payload)]
        with m.If(~is_filled):
            m.d.sync += [fresh.eq(fresh + 1), is_filled.eq(fills)]
        return m
