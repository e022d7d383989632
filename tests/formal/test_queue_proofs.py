import pytest
from amaranth import Module, Signal
from amaranth.hdl import Assert, Assume
from amaranth.lib.wiring import Component, In

from cbit.stream.queue import ReservedQueue
from cbit_sim.formal import DisprovedError, Engine, prove

WIDTH = 2
EACH_KIND = pytest.mark.parametrize(
    "kind", [{"bypass": False}, {"bypass": True}, {"bypass": False, "registered": True}],
    ids=["memory", "bypass", "registered"])


class QueueContract(Component):
    """A stalled payload stays, and an entry that is followed from ``i`` leaves in its turn, unchanged.

    ``reserves`` is whether the writer keeps to its reservation.
    """

    valid: In(1)
    payload: In(WIDTH)
    ready: In(1)
    follow: In(1)

    def __init__(self, *, depth, kind, reserves):
        self.depth = depth
        self.kind = kind
        self.reserves = reserves
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.queue = queue = ReservedQueue(shape=WIDTH, depth=self.depth, **self.kind)
        m.d.comb += [
            queue.i.valid.eq(self.valid),
            queue.i.payload.eq(self.payload),
            queue.o.ready.eq(self.ready),
        ]
        if self.reserves:
            m.d.comb += Assume(~queue.overflow)

        written = queue.i.valid
        taken = queue.o.valid & queue.o.ready
        inside = Signal(range(self.depth + 2))
        m.d.sync += inside.eq(inside + written - taken)

        following = Signal()
        ahead = Signal(range(self.depth + 2))
        value = Signal(WIDTH)
        starts = self.follow & written & ~following
        with m.If(starts):
            m.d.sync += [
                value.eq(self.payload),
                ahead.eq(inside - taken),
                following.eq(~(taken & (inside == 0))),
            ]
            with m.If(taken & (inside == 0)):
                m.d.comb += Assert(queue.o.payload == self.payload)
        with m.Elif(following & taken):
            m.d.sync += ahead.eq(ahead - 1)
            with m.If(ahead == 0):
                m.d.comb += Assert(queue.o.payload == value)
                m.d.sync += following.eq(0)

        stalled = Signal()
        shown = Signal(WIDTH)
        m.d.sync += [
            stalled.eq(queue.o.valid & ~queue.o.ready),
            shown.eq(queue.o.payload),
        ]
        with m.If(stalled):
            m.d.comb += [
                Assert(queue.o.valid),
                Assert(queue.o.payload == shown),
            ]
        return m


@EACH_KIND
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_queue_keeps_its_contract(depth, kind):
    prove(QueueContract(depth=depth, kind=kind, reserves=True), engine=Engine.REACHABILITY)


@EACH_KIND
def test_a_writer_without_reservation_is_found(kind):
    with pytest.raises(DisprovedError):
        prove(QueueContract(depth=2, kind=kind, reserves=False), engine=Engine.REACHABILITY)
