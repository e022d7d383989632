"""Where the data of writes wait in a narrow engine, and which bytes of a block they have brought."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import write_data_layout
from cbit.serial.narrow_store import BEAT_PLACE_BITS
from cbit.stream.block_ram import BlockRam

__all__ = ["NarrowGather", "NarrowWriteData"]

BEATS = 1 << BEAT_PLACE_BITS
"""The longest burst."""

LANES = 16


class NarrowWriteData(Component):
    """A queue of beats that knows whether all of a burst are in it. It has their strobes; the store has the data.

    Latency: two cycles. Throughput: that of the store. Stalls: ``i`` while 256 beats are in it.

    Members
    -------
    i : ``In(stream.Signature(write_data_layout(128)))``
    beats, has_all, reserve : ``In(8)``, ``Out(1)``, ``In(1)``
        As of :class:`~cbit.serial.write_data.WriteData`.
    wants, heard : ``Out(1)``, ``In(1)``
        Has the store take the data at ``i``.
    tail, head : ``Out(BEAT_PLACE_BITS)``
        Numbers of the beat at ``i``, and of the one at ``o``.
    o : ``Out(stream.Signature(StructLayout({"strb": 16})))``
        Takes for granted that nobody takes beats that are not reserved.
    """

    i: In(stream.Signature(write_data_layout(128)))
    beats: In(8)
    has_all: Out(1)
    reserve: In(1)
    wants: Out(1)
    heard: In(1)
    tail: Out(BEAT_PLACE_BITS)
    head: Out(BEAT_PLACE_BITS)
    o: Out(stream.Signature(StructLayout({"strb": LANES})))

    def elaborate(self, _platform) -> Module:
        m = Module()
        # What is read in the cycle of its writing is not reserved yet.
        m.submodules.strobes = strobes = BlockRam(width=LANES, depth=BEATS)
        tail, head, reserved = (Signal(range(2 * BEATS), name=f"{name}_count") for name in ("tail", "head", "reserved"))
        after_burst, surplus, next_head = Signal.like(tail), Signal.like(tail), Signal.like(tail)
        m.d.comb += [
            self.wants.eq(self.i.valid & ((tail ^ head) != BEATS)), self.i.ready.eq(self.heard),
            self.tail.eq(tail), self.head.eq(head),
            strobes.write_address.eq(tail), strobes.writes.eq(self.heard),
            strobes.write_data.eq(self.i.payload.strb),
            after_burst.eq(reserved + self.beats + 1),
            surplus.eq(tail - after_burst),
            self.has_all.eq(~surplus[-1]),
            next_head.eq(head + (self.o.valid & self.o.ready)),
            strobes.read_address.eq(next_head), self.o.payload.strb.eq(strobes.read_data),
        ]
        # The burst whose beats are taken has been reserved for longer than a cycle.
        m.d.sync += [head.eq(next_head), self.o.valid.eq(next_head != reserved)]
        with m.If(self.heard):
            m.d.sync += tail.eq(tail + 1)
        with m.If(self.reserve):
            m.d.sync += reserved.eq(after_burst)
        return m


class NarrowGather(Component):
    """The bytes of the block at hand that beats have brought; the store has what they are.

    Latency: one cycle. Throughput: a beat a cycle.

    Members
    -------
    strobes : ``In(16)``
    takes : ``In(1)``
        A beat with ``strobes`` has come into the block.
    clear : ``In(1)``
        The next beat begins another block.
    brought : ``Out(16)``
    has_some, has_all : ``Out(1)``
        A byte of it, and all of them.
    """

    strobes: In(LANES)
    takes: In(1)
    clear: In(1)
    brought: Out(LANES)
    has_some: Out(1)
    has_all: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.d.comb += [self.has_some.eq(self.brought.any()), self.has_all.eq(self.brought.all())]
        with m.If(self.takes):
            m.d.sync += self.brought.eq(self.brought | self.strobes)
        with m.If(self.clear):
            m.d.sync += self.brought.eq(0)
        return m
