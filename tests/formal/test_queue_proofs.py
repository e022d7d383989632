import pytest
from amaranth import Module, Signal
from amaranth.hdl import Assert, Assume
from amaranth.lib.wiring import Component, In

from cbit.stream.queue import ReservedQueue
from cbit_sim.formal import DisprovedError, Engine, prove

WIDTH = 2


class QueueContract(Component):
    """A stalled payload stays, and an entry that is followed from ``i`` leaves in its turn, unchanged.

    ``reserves`` is whether the writer keeps to its reservation.
    """

    valid: In(1)
    payload: In(WIDTH)
    ready: In(1)
    follow: In(1)

    def __init__(self, *, depth, bypass, reserves):
        self.depth = depth
        self.bypass = bypass
        self.reserves = reserves
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.queue = queue = ReservedQueue(shape=WIDTH, depth=self.depth, bypass=self.bypass)
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


@pytest.mark.parametrize("bypass", [False, True])
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_queue_keeps_its_contract(depth, bypass):
    prove(QueueContract(depth=depth, bypass=bypass, reserves=True), engine=Engine.REACHABILITY)


@pytest.mark.parametrize("bypass", [False, True])
def test_a_writer_without_reservation_is_found(bypass):
    with pytest.raises(DisprovedError):
        prove(QueueContract(depth=2, bypass=bypass, reserves=False), engine=Engine.REACHABILITY)
