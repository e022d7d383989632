"""A first-in first-out queue that says when it is full."""

from amaranth import Module, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .queue import ReservedQueue
from .tally import Tally

__all__ = ["BoundedQueue"]


class BoundedQueue(Component):
    """A queue in distributed RAM between two sides of a stream.

    Latency: one cycle; with ``bypass`` none while it is empty, and with ``entry`` one more. Throughput: one entry a
    cycle. Stalls: ``i.ready`` comes from a register; the payload at ``o`` stays while ``o`` waits.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of an entry.
    depth : :class:`int`
        Entries the queue holds. 2 or more.
    bypass : :class:`bool`
        As in :class:`~cbit.stream.queue.ReservedQueue`.
    spare : :class:`int`
        Entries that are taken though ``i.ready`` has fallen: those that are on their way behind registers.
    entry : :class:`bool`
        Whether what comes is kept in a register first, so that ``i`` drives nothing of the RAM. What goes then
        leaves its room a cycle later, too.
    registered : :class:`bool`
        As in :class:`~cbit.stream.queue.ReservedQueue`.

    Members
    -------
    i : ``In(stream.Signature(shape))``
    o : ``Out(stream.Signature(shape))``
    next : ``Out(shape)``
        As in :class:`~cbit.stream.queue.ReservedQueue`.
    """

    def __init__(self, *, shape: ShapeLike, depth: int, bypass: bool = False, spare: int = 0, entry: bool = False,
                 registered: bool = False) -> None:
        self.entry = entry
        self.queue = ReservedQueue(shape=shape, depth=depth, bypass=bypass, registered=registered)
        self.tally = Tally(limit=depth, spare=spare)
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape)), "next": Out(shape)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.queue = queue = self.queue
        m.submodules.tally = tally = self.tally
        connect(m, queue.o, flipped(self.o))
        comes = Signal()
        m.d.comb += [
            comes.eq(self.i.valid & (tally.has_room | bool(tally.spare))),
            self.i.ready.eq(tally.has_room),
            self.next.eq(queue.next),
            tally.comes.eq(comes),
        ]
        # What is stored counts only beside its valid bit, which is reset.
        stored = Signal(queue.i.payload.shape(), reset_less=True)
        domain = m.d.sync if self.entry else m.d.comb
        is_stored, has_gone = Signal(), Signal()
        domain += [
            stored.eq(self.i.payload),
            is_stored.eq(comes),
            has_gone.eq(self.o.valid & self.o.ready),
        ]
        m.d.comb += [
            queue.i.payload.eq(stored),
            queue.i.valid.eq(is_stored),
            tally.goes.eq(has_gone),
        ]
        return m
