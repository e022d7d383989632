"""Numbers that are free to be used."""

from amaranth import Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.stream.queue import ReservedQueue

__all__ = ["FreeList"]


class FreeList(Component):
    """Hands out numbers, each to one user at a time, in the order in which they were given back.

    Latency: the first number comes ``count`` + 1 cycles after reset; one given back two cycles later at
    the earliest. Throughput: one handed out and one given back a cycle.

    Parameters
    ----------
    first, count : :class:`int`
        The numbers are those from ``first`` on. ``count`` is 2 or more.

    Members
    -------
    i : ``In(stream.Signature(unsigned(...), always_ready=True))``
        Numbers given back.
    o : ``Out(stream.Signature(unsigned(...)))``
        Numbers handed out.
    """

    def __init__(self, *, first: int, count: int) -> None:
        self.first = first
        self.count = count
        self.shape = unsigned((first + count - 1).bit_length())
        super().__init__({
            "i": In(stream.Signature(self.shape, always_ready=True)),
            "o": Out(stream.Signature(self.shape)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.queue = queue = ReservedQueue(shape=self.shape, depth=self.count, bypass=False, registered=True)
        fresh = Signal(self.shape, init=self.first)
        is_filled = Signal()
        m.d.comb += [
            queue.i.valid.eq(self.i.valid | ~is_filled),
            queue.i.payload.eq(self.i.payload),
            self.o.valid.eq(queue.o.valid & is_filled),
            self.o.payload.eq(queue.o.payload),
            queue.o.ready.eq(self.o.ready & is_filled),
        ]
        with m.If(~is_filled):
            m.d.comb += queue.i.payload.eq(fresh)
            m.d.sync += [fresh.eq(fresh + 1), is_filled.eq(fresh == self.first + self.count - 1)]
        return m
