"""Where the data of writes wait until all of an access are there."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import write_data_layout
from cbit.guard.shadows import unguarded

__all__ = ["WriteData", "beat_layout"]

BEATS = 512
"""Twice the longest burst: while one is written, the next can come."""


def beat_layout() -> StructLayout:
    """A beat, without the mark of the last: beats are counted."""
    return StructLayout({"data": 128, "strb": 16})


class WriteData(Component):
    """A queue of beats that knows whether all of a burst are in it.

    Latency: two cycles. Throughput: a beat a cycle. Stalls: ``i`` while 512 beats are in it.

    Members
    -------
    i : ``In(stream.Signature(write_data_layout(128)))``
    beats : ``In(8)``
        One less than the beats of a burst.
    has_all : ``Out(1)``
        All of these have come, and belong to no burst before.
    reserve : ``In(1)``
        They are this burst's.
    o : ``Out(stream.Signature(beat_layout()))``
        Takes for granted that nobody takes beats that are not reserved.
    """

    i: In(stream.Signature(write_data_layout(128)))
    beats: In(8)
    has_all: Out(1)
    reserve: In(1)
    o: Out(stream.Signature(beat_layout()))

    def elaborate(self, _platform) -> Module:
        m = Module()
        # What is read in the cycle of its writing is not reserved yet.
        m.submodules.memory = memory = Memory(shape=beat_layout(), depth=BEATS, init=[],
                                              attrs={"ram_style": "block", "no_rw_check": 1})
        write, read = memory.write_port(), memory.read_port(domain="comb")
        # Not reset: the register of a block RAM is not either.
        found = Signal(beat_layout(), reset_less=True)
        unguarded(found)
        m.d.sync += found.eq(read.data)
        tail, head, reserved = (Signal(range(2 * BEATS), name=name) for name in ("tail", "head", "reserved"))
        after_burst, surplus, next_head = Signal.like(tail), Signal.like(tail), Signal.like(tail)
        takes = Signal()
        m.d.comb += [
            self.i.ready.eq((tail ^ head) != BEATS),
            takes.eq(self.i.valid & self.i.ready),
            write.addr.eq(tail), write.en.eq(takes),
            write.data.data.eq(self.i.payload.data), write.data.strb.eq(self.i.payload.strb),
            after_burst.eq(reserved + self.beats + 1),
            surplus.eq(tail - after_burst),
            self.has_all.eq(~surplus[-1]),
            next_head.eq(head + (self.o.valid & self.o.ready)),
            read.addr.eq(next_head),
            self.o.payload.eq(found),
        ]
        # The burst whose beats are taken has been reserved for longer than a cycle.
        m.d.sync += [head.eq(next_head), self.o.valid.eq(next_head != reserved)]
        with m.If(takes):
            m.d.sync += tail.eq(tail + 1)
        with m.If(self.reserve):
            m.d.sync += reserved.eq(after_burst)
        return m
