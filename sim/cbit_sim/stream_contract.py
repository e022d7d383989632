"""What any first-in first-out stage of a stream owes its two sides, to be proven."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Assert, Module, Mux, ShapeLike, Signal, Value
from amaranth.lib.wiring import Component, In

__all__ = ["StreamContract", "is_equal"]


def is_equal(one: Any, other: Any) -> Value:
    """Whether two values or views of the same width have the same bits."""
    return Value.cast(one) == Value.cast(other)


class StreamContract(Component):
    """Asserts that a stage neither drops, repeats, changes nor reorders entries, and that what it shows stays.

    What leaves has entered before, or in the same cycle. One entry, any, is followed from its entering: it leaves
    in its turn, unchanged or as ``agrees`` allows. While ``valid`` waits for ``ready``, it and the payload stay.
    Something that is inside shows at most ``latency`` cycles later. No more is inside than ``capacity``.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of what leaves.
    entry_shape : :class:`ShapeLike` or :data:`None`
        Shape of what enters; :data:`None` if it is the same.
    agrees : :class:`Callable`
        Gives, of what has entered and of what leaves in its turn, whether the one may have become the other. By
        default, whether they are equal.
    capacity : :class:`int`
        Most entries inside.
    latency : :class:`int` or :data:`None`
        Most cycles in a row in which something is inside and nothing shows; :data:`None` where it is the user who says
        when.

    Members
    -------
    enters : ``In(1)``
        High in a cycle in which ``entry`` enters.
    entry : ``In(entry_shape)``
    valid, ready, payload : ``In``
        The side at which entries leave.
    follow : ``In(1)``
        Free: follows what enters in this cycle, if nothing is followed yet.
    """

    def __init__(self, *, shape: ShapeLike, capacity: int, latency: int | None, entry_shape: ShapeLike | None = None,
                 agrees: Callable[[Any, Any], Value] = is_equal) -> None:
        self.shape = shape
        self.entry_shape = shape if entry_shape is None else entry_shape
        self.agrees = agrees
        self.capacity = capacity
        self.latency = latency
        super().__init__({"enters": In(1), "entry": In(self.entry_shape), "valid": In(1), "ready": In(1),
                          "payload": In(shape), "follow": In(1)})

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        taken = self.valid & self.ready
        inside = Signal(range(self.capacity + 2))
        m.d.sync += inside.eq(inside + self.enters - taken)
        m.d.comb += [
            Assert(~taken | self.enters | (inside != 0)),
            Assert(inside <= self.capacity),
        ]
        self._follow(m, taken, inside)
        self._watch_stall(m)
        if self.latency is not None:
            hidden = Signal(range(self.latency + 2))
            m.d.sync += hidden.eq(Mux((inside != 0) & ~self.valid, hidden + 1, 0))
            m.d.comb += Assert(hidden <= self.latency)
        return m

    def _follow(self, m: Module, taken: Signal, inside: Signal) -> None:
        following, ahead, value = Signal(), Signal.like(inside), Signal(self.entry_shape)
        with m.If(self.follow & self.enters & ~following):
            passes = taken & (inside == 0)
            m.d.sync += [value.eq(self.entry), ahead.eq(inside - taken), following.eq(~passes)]
            with m.If(passes):
                m.d.comb += Assert(self.agrees(self.entry, self.payload))
        with m.Elif(following & taken):
            m.d.sync += ahead.eq(ahead - 1)
            with m.If(ahead == 0):
                m.d.comb += Assert(self.agrees(value, self.payload))
                m.d.sync += following.eq(0)

    def _watch_stall(self, m: Module) -> None:
        stalled, shown = Signal(), Signal(self.shape)
        m.d.sync += [stalled.eq(self.valid & ~self.ready), shown.eq(self.payload)]
        with m.If(stalled):
            m.d.comb += [Assert(self.valid), Assert(is_equal(self.payload, shown))]
