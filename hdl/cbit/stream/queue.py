"""A first-in first-out queue whose writer never waits."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

__all__ = ["ReservedQueue"]

DEEPEST_DISTRIBUTED = 64
"""Distributed RAM has banks of 16 entries, and from the fifth on their multiplexers cost more than a block RAM."""


class ReservedQueue(Component):
    """A queue for a writer that has reserved its room beforehand, and so never waits.

    Up to 64 entries lie in distributed RAM, more in block RAM; both behave the same.

    Latency: an entry written in cycle *t* shows at ``o`` in *t* + 1; with ``bypass`` in *t*, when the
    queue is empty. Throughput: one entry a cycle in and out. Stalls:
    the payload at ``o`` stays while ``o`` waits; ``i`` cannot be stalled.

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
    registered : :class:`bool`
        Whether ``o`` comes from registers, not through the RAM; they hold one entry beyond ``depth``. Not
        with ``bypass``.

    Members
    -------
    i : ``In(stream.Signature(shape, always_ready=True))``
        Entries written.
    o : ``Out(stream.Signature(shape))``
        Entries in the order of writing.
    next : ``Out(shape)``
        If ``registered``, the payload that ``o`` has in the next cycle if in this one it is taken or not valid; it
        counts only if ``o`` is valid then.
    overflow : ``Out(1)``
        High while an entry is being written that has no room.

    Raises
    ------
    ValueError
        If ``depth`` is less than 2, or ``bypass`` and ``registered`` are both true.
    """

    def __init__(self, *, shape: ShapeLike, depth: int, bypass: bool, registered: bool = False) -> None:
        if not isinstance(depth, int) or depth < 2:
            raise ValueError(f"Depth must be an integer of at least 2, not {depth!r}")
        if bypass and registered:
            raise ValueError("Registered must be false with bypass, not true")
        self.shape = shape
        self.depth = depth
        self.bypass = bypass
        self.registered = registered
        super().__init__({
            "i": In(stream.Signature(shape, always_ready=True)),
            "o": Out(stream.Signature(shape)),
            "next": Out(shape),
            "overflow": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        stored, removed, some = Signal(), Signal(), Signal()
        oldest = self._store(m, stored, removed, some)
        moves = Signal()
        m.d.comb += [
            self.o.valid.eq(some),
            self.o.payload.eq(oldest),
            moves.eq(self.o.ready),
            stored.eq(self.i.valid),
            removed.eq(some & moves),
        ]
        if self.bypass:
            with m.If(~some):
                m.d.comb += [
                    self.o.valid.eq(self.i.valid),
                    self.o.payload.eq(self.i.payload),
                    stored.eq(self.i.valid & ~self.o.ready),
                ]
        if self.registered:
            # The payload counts only beside its valid bit, which is reset.
            shown, is_shown = Signal(self.shape, reset_less=True), Signal()
            m.d.comb += [
                self.o.valid.eq(is_shown),
                self.o.payload.eq(shown),
                moves.eq(self.o.ready | ~is_shown),
                self.next.eq(Mux(some, oldest, self.i.payload)),
            ]
            # An entry that finds nothing before it goes straight to the registers.
            m.d.comb += stored.eq(self.i.valid & (some | ~moves))
            with m.If(moves):
                m.d.sync += [is_shown.eq(some | self.i.valid), shown.eq(self.next)]
        return m

    def _store(self, m: Module, stored: Signal, removed: Signal, some: Signal) -> Signal:
        """The RAM: returns its oldest entry, valid while there is ``some``."""
        m.submodules.memory = memory = Memory(shape=self.shape, depth=self.depth, init=[])
        write = memory.write_port()
        level = Signal(range(self.depth + 1))
        head, tail = Signal(range(self.depth)), Signal(range(self.depth))
        next_head = Signal.like(head)
        if self.depth <= DEEPEST_DISTRIBUTED:
            read = memory.read_port(domain="comb")
            m.d.comb += read.addr.eq(head)
        else:
            read = memory.read_port(transparent_for=(write,))
            m.d.comb += read.addr.eq(next_head)
        m.d.comb += [
            write.addr.eq(tail),
            write.data.eq(self.i.payload),
            # What is not stored after all is written where nothing lies, and written over.
            write.en.eq(self.i.valid),
            next_head.eq(Mux(removed, self._after(head), head)),
            self.overflow.eq(stored & ~removed & (level == self.depth)),
        ]
        # A register of its own, lest every user wait for the comparison of the level.
        m.d.sync += some.eq(stored | some & ~(removed & (level == 1)))
        with m.If(stored & ~removed):
            m.d.sync += level.eq(level + 1)
        with m.Elif(removed & ~stored):
            m.d.sync += level.eq(level - 1)
        m.d.sync += head.eq(next_head)
        with m.If(stored):
            m.d.sync += tail.eq(self._after(tail))
        return read.data

    def _after(self, place: Signal):
        return Mux(place == self.depth - 1, 0, place + 1)
