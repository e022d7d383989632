"""Queues keep the contract of a stream, for writers that keep to their reservation."""

import pytest
from amaranth import Module
from amaranth.hdl import Assert, Assume, Signal
from amaranth.lib.wiring import Component, In

from cbit.stream.bounded_queue import BoundedQueue
from cbit.stream.queue import ReservedQueue
from cbit.stream.ram_queue import RamQueue
from cbit_sim.formal import DisprovedError, Engine, prove
from cbit_sim.stream_contract import StreamContract

WIDTH = 2
EACH_KIND = pytest.mark.parametrize(
    "kind", [{"bypass": False}, {"bypass": True}, {"bypass": False, "registered": True}],
    ids=["memory", "bypass", "registered"])


class QueueContract(Component):
    """A queue keeps the contract of a stream; ``next`` is the payload that comes, where the queue tells it.

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
        self.registered = kind.get("registered", False)
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.queue = queue = ReservedQueue(shape=WIDTH, depth=self.depth, **self.kind)
        m.submodules.contract = contract = StreamContract(
            shape=WIDTH, capacity=self.depth + self.registered, latency=0)
        m.d.comb += [
            queue.i.valid.eq(self.valid),
            queue.i.payload.eq(self.payload),
            queue.o.ready.eq(self.ready),
            contract.enters.eq(self.valid),
            contract.entry.eq(self.payload),
            contract.valid.eq(queue.o.valid),
            contract.ready.eq(self.ready),
            contract.payload.eq(queue.o.payload),
            contract.follow.eq(self.follow),
        ]
        if self.reserves:
            m.d.comb += Assume(~queue.overflow)
        if self.registered:
            announced, comes = Signal(WIDTH), Signal()
            m.d.sync += [announced.eq(queue.next), comes.eq(self.ready | ~queue.o.valid)]
            with m.If(comes & queue.o.valid):
                m.d.comb += Assert(queue.o.payload == announced)
        return m


@EACH_KIND
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_queue_keeps_its_contract(depth, kind):
    prove(QueueContract(depth=depth, kind=kind, reserves=True), engine=Engine.REACHABILITY)


@EACH_KIND
def test_a_writer_without_reservation_is_found(kind):
    with pytest.raises(DisprovedError):
        prove(QueueContract(depth=2, kind=kind, reserves=False), engine=Engine.REACHABILITY)


class BoundedContract(Component):
    """A bounded queue keeps the contract of a stream, whatever comes; ``late`` entries come though it is not ready."""

    valid: In(1)
    payload: In(WIDTH)
    ready: In(1)
    follow: In(1)

    def __init__(self, *, late, **kind):
        self.late = late
        self.queue = BoundedQueue(shape=WIDTH, depth=4, **kind)
        self.kind = kind
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.queue = queue = self.queue
        m.submodules.contract = contract = StreamContract(
            shape=WIDTH, capacity=4, latency=int(self.kind.get("entry", False)))
        sent = Signal(range(self.late + 2))
        offered = Signal()
        m.d.comb += [
            offered.eq(self.valid & (queue.i.ready | (sent != self.late))),
            queue.i.valid.eq(offered if self.late else self.valid),
            queue.i.payload.eq(self.payload),
            queue.o.ready.eq(self.ready),
            contract.enters.eq(offered),
            contract.entry.eq(self.payload),
            contract.valid.eq(queue.o.valid),
            contract.ready.eq(self.ready),
            contract.payload.eq(queue.o.payload),
            contract.follow.eq(self.follow),
        ]
        with m.If(queue.i.ready):
            m.d.sync += sent.eq(0)
        with m.Elif(offered):
            m.d.sync += sent.eq(sent + 1)
        return m


@pytest.mark.parametrize("kind", [
    {}, {"bypass": True}, {"entry": True}, {"spare": 1, "bypass": True}, {"spare": 2}, {"spare": 1, "registered": True},
    {"spare": 1, "entry": True, "registered": True}], ids=lambda kind: "-".join(kind) or "plain")
def test_bounded_queue_keeps_the_contract(kind):
    prove(BoundedContract(late=kind.get("spare", 0), **kind), engine=Engine.REACHABILITY)


def test_more_late_entries_than_are_spared_are_found():
    with pytest.raises(DisprovedError):
        prove(BoundedContract(late=2, spare=1), engine=Engine.REACHABILITY)


class RamContract(Component):
    """What is taken from a queue in block RAM shows two steps later, in order, while ``advance`` holds it.

    ``reserves`` is whether its user takes only what is there, and writes only where there is room.
    """

    valid: In(1)
    payload: In(WIDTH)
    take: In(1)
    advance: In(1)
    follow: In(1)

    def __init__(self, *, reserves):
        self.reserves = reserves
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.queue = queue = RamQueue(shape=WIDTH, depth=4)
        m.submodules.contract = contract = StreamContract(shape=WIDTH, capacity=6, latency=None)
        level, takes, coming, shown = Signal(range(6)), Signal(), Signal(), Signal()
        m.d.comb += [
            takes.eq(self.take & self.advance),
            *(getattr(queue, name).eq(getattr(self, name)) for name in ("take", "advance")),
            queue.i.valid.eq(self.valid),
            queue.i.payload.eq(self.payload),
            contract.enters.eq(self.valid),
            contract.entry.eq(self.payload),
            contract.valid.eq(shown),
            contract.ready.eq(self.advance),
            contract.payload.eq(queue.o),
            contract.follow.eq(self.follow),
        ]
        m.d.sync += level.eq(level + self.valid - takes)
        with m.If(self.advance):
            m.d.sync += [coming.eq(takes), shown.eq(coming)]
        if self.reserves:
            m.d.comb += [Assume(~takes | (level != 0)), Assume(~self.valid | (level != 4))]
        return m


def test_ram_queue_keeps_the_contract():
    prove(RamContract(reserves=True), engine=Engine.REACHABILITY)


def test_a_user_who_does_not_count_is_found():
    with pytest.raises(DisprovedError):
        prove(RamContract(reserves=False), engine=Engine.REACHABILITY)
