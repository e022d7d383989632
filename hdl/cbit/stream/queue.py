"""A first-in first-out queue whose writer never waits."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

__all__ = ["ReservedQueue"]


class ReservedQueue(Component):
    """A queue for a writer that has reserved its room beforehand, and so never waits.

    Latency: an entry written in cycle *t* shows at ``o`` in *t* + 1; with ``bypass`` in *t*, when the
    queue is empty. Throughput: one entry a cycle in and out. Stalls: the payload at ``o`` stays while
    ``o`` waits; ``i`` cannot be stalled.

    Writing to a full queue is the user's error, and loses entries. An entry leaves its room to one
    written in the cycle in which it is taken.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of an entry.
    depth : :class:`int`
        Entries the queue holds. 2 or more; any number, not only a power of two.
    bypass : :class:`bool`
        Whether an entry that meets an empty queue shows at ``o`` at once, through combinational logic
        from ``i.valid`` and ``i.payload``; it is stored only if it is not taken.

    Members
    -------
    i : ``In(stream.Signature(shape, always_ready=True))``
        Entries written.
    o : ``Out(stream.Signature(shape))``
        Entries in the order of writing.
    overflow : ``Out(1)``
        High while an entry is being written that has no room.

    Raises
    ------
    ValueError
        If ``depth`` is less than 2.
    """

    def __init__(self, *, shape: ShapeLike, depth: int, bypass: bool) -> None:
        if not isinstance(depth, int) or depth < 2:
            raise ValueError(f"Depth must be an integer of at least 2, not {depth!r}")
        self.shape = shape
        self.depth = depth
        self.bypass = bypass
        super().__init__({
            "i": In(stream.Signature(shape, always_ready=True)),
            "o": Out(stream.Signature(shape)),
            "overflow": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=self.shape, depth=self.depth, init=[])
        write = memory.write_port()
        read = memory.read_port(transparent_for=(write,))

        level = Signal(range(self.depth + 1))
        tail = Signal(range(self.depth))
        head = Signal(range(self.depth))
        empty = level == 0
        stored = Signal()
        removed = Signal()

        m.d.comb += [
            self.o.valid.eq(~empty),
            self.o.payload.eq(read.data),
            stored.eq(self.i.valid),
            removed.eq(~empty & self.o.ready),
            self.overflow.eq(stored & ~removed & (level == self.depth)),
        ]
        if self.bypass:
            with m.If(empty):
                m.d.comb += [
                    self.o.valid.eq(self.i.valid),
                    self.o.payload.eq(self.i.payload),
                    stored.eq(self.i.valid & ~self.o.ready),
                ]

        m.d.comb += [
            write.addr.eq(tail),
            write.data.eq(self.i.payload),
            write.en.eq(stored),
            read.addr.eq(Mux(removed, self._after(head), head)),
        ]
        m.d.sync += [
            level.eq(level + stored - removed),
            head.eq(read.addr),
        ]
        with m.If(stored):
            m.d.sync += tail.eq(self._after(tail))
        return m

    def _after(self, position: Signal):
        return Mux(position == self.depth - 1, 0, position + 1)
