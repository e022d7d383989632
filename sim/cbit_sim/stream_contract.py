"""What any first-in first-out stage of a stream owes its two sides, to be proven."""

from amaranth.hdl import Assert, Module, Mux, ShapeLike, Signal
from amaranth.lib.wiring import Component, In

__all__ = ["StreamContract"]


class StreamContract(Component):
    """Asserts that a stage neither drops, repeats, changes nor reorders entries, and that what it shows stays.

    What leaves has entered before, or in the same cycle. One entry, any, is followed from its entering: it leaves
    in its turn, unchanged. While ``valid`` waits for ``ready``, it and the payload stay. Something that is
    inside shows at most ``latency`` cycles later. No more is inside than ``capacity``.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of an entry.
    capacity : :class:`int`
        Most entries inside.
    latency : :class:`int` or :data:`None`
        Most cycles in a row in which something is inside and nothing shows; :data:`None` where it is the user who says
        when.

    Members
    -------
    enters : ``In(1)``
        High in a cycle in which ``entry`` enters.
    entry : ``In(shape)``
    valid, ready, payload : ``In``
        The side at which entries leave.
    follow : ``In(1)``
        Free: follows what enters in this cycle, if nothing is followed yet.
    """

    def __init__(self, *, shape: ShapeLike, capacity: int, latency: int | None) -> None:
        self.shape = shape
        self.capacity = capacity
        self.latency = latency
        super().__init__({"enters": In(1), "entry": In(shape), "valid": In(1), "ready": In(1), "payload": In(shape),
                          "follow": In(1)})

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
        following, ahead, value = Signal(), Signal.like(inside), Signal(self.shape)
        with m.If(self.follow & self.enters & ~following):
            passes = taken & (inside == 0)
            m.d.sync += [value.eq(self.entry), ahead.eq(inside - taken), following.eq(~passes)]
            with m.If(passes):
                m.d.comb += Assert(self.payload == self.entry)
        with m.Elif(following & taken):
            m.d.sync += ahead.eq(ahead - 1)
            with m.If(ahead == 0):
                m.d.comb += Assert(self.payload == value)
                m.d.sync += following.eq(0)

    def _watch_stall(self, m: Module) -> None:
        stalled, shown = Signal(), Signal(self.shape)
        m.d.sync += [stalled.eq(self.valid & ~self.ready), shown.eq(self.payload)]
        with m.If(stalled):
            m.d.comb += [Assert(self.valid), Assert(self.payload == shown)]
