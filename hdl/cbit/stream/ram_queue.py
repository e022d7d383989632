"""A queue in block RAM, read two cycles ahead of its use."""

from amaranth import Module, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.guard.shadows import unguarded

__all__ = ["RamQueue"]


class RamQueue(Component):
    """A first-in first-out queue whose user counts what is in it, and has reserved its room beforehand.

    Latency: what is taken shows two cycles of those with ``advance`` later, behind the block RAM's
    output register. Throughput: one entry a cycle in and out. Stalls: none but ``advance``.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of an entry.
    depth : :class:`int`
        Entries the queue holds. A power of two.

    Members
    -------
    i : ``In(stream.Signature(shape, always_ready=True))``
        Entries written; each may be taken from the next cycle on.
    take : ``In(1)``
        Takes the oldest entry. Counts only with ``advance``.
    advance : ``In(1)``
        While low, the way from ``take`` to ``o`` stands still.
    o : ``Out(shape)``
        What was taken, two cycles later; before that anything, also after a reset.
    """

    def __init__(self, *, shape: ShapeLike, depth: int) -> None:
        if depth < 2 or depth & (depth - 1):
            raise ValueError(f"Depth must be a power of two of at least 2, not {depth!r}")
        self.shape = shape
        self.depth = depth
        super().__init__({
            "i": In(stream.Signature(shape, always_ready=True)),
            "take": In(1),
            "advance": In(1),
            "o": Out(shape),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        # Nothing is read in the cycle of its writing, so synthesis need not care what would come.
        m.submodules.memory = memory = Memory(shape=self.shape, depth=self.depth, init=[], attrs={"no_rw_check": 1})
        write, read = memory.write_port(), memory.read_port(domain="comb")
        head, tail = Signal(range(self.depth)), Signal(range(self.depth))
        # Not reset: block RAM and its output register are not, and the user knows by its own bits what counts.
        taken, shown = Signal(self.shape, reset_less=True), Signal(self.shape, reset_less=True)
        unguarded(taken, shown)  # registers of the block RAM
        m.d.comb += [
            write.addr.eq(tail),
            write.data.eq(self.i.payload),
            write.en.eq(self.i.valid),
            read.addr.eq(head),
            self.o.eq(shown),
        ]
        with m.If(self.i.valid):
            m.d.sync += tail.eq(tail + 1)
        with m.If(self.take & self.advance):
            m.d.sync += head.eq(head + 1)
        with m.If(self.advance):
            m.d.sync += [taken.eq(read.data), shown.eq(taken)]
        return m
