"""Blocks on their way, read ones and written ones, in one block RAM."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Response
from cbit.guard.shadows import unguarded
from cbit.serial.ports import ONES_PLACE, PLACE_BITS, entry_layout, stored_layout

__all__ = ["READERS", "BlockStore"]

READERS = 4
"""Who feeds the ring, who sends lines, who merges, who delivers; in the order in which they are heard."""


class BlockStore(Component):
    """Blocks and their responses, written and read one a cycle.

    Latency: one cycle from ``wants`` and ``places`` to ``o``, which is that of the reader who was heard. Results come
    before arrivals, and readers in their order. After reset all ones are written to their place.

    Members
    -------
    result : ``In(stream.Signature(stored_layout(), always_ready=True))``
        What comes from the ring.
    arrival : ``In(stream.Signature(stored_layout()))``
        What comes from DRAM.
    wants : ``In(READERS)``
        Who wants to read. The first is always heard.
    places : ``In(PLACE_BITS).array(READERS)``
    heard : ``Out(READERS)``
        Who is heard in this cycle.
    o : ``Out(entry_layout())``
        What was read.
    """

    def __init__(self) -> None:
        written = stored_layout()
        super().__init__({
            "result": In(stream.Signature(written, always_ready=True)),
            "arrival": In(stream.Signature(written)),
            "wants": In(READERS),
            "places": In(PLACE_BITS).array(READERS),
            "heard": Out(READERS),
            "o": Out(entry_layout()),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        # Nothing is read in the cycle of its writing that counts, so that nothing need look for that.
        m.submodules.memory = memory = Memory(shape=entry_layout(), depth=1 << PLACE_BITS, init=[],
                                              attrs={"ram_style": "block", "no_rw_check": 1})
        write, read = memory.write_port(), memory.read_port(domain="comb")
        # Not reset: the register of a block RAM is not either.
        found = Signal(entry_layout(), reset_less=True)
        unguarded(found)
        m.d.sync += found.eq(read.data)
        lacks_ones = Signal(init=1)
        given = Signal.like(self.result.payload)
        m.d.comb += [
            given.eq(Mux(self.result.valid, self.result.payload.as_value(), self.arrival.payload.as_value())),
            self.arrival.ready.eq(~self.result.valid & ~lacks_ones),
            write.addr.eq(Mux(lacks_ones, ONES_PLACE, given.place)),
            write.data.resp.eq(Mux(lacks_ones, Response.OKAY, given.entry.resp)),
            write.data.data.eq(given.entry.data | (given.hide | lacks_ones).replicate(128)),
            write.en.eq(self.result.valid | self.arrival.valid | lacks_ones),
            self.o.eq(found),
        ]
        m.d.sync += lacks_ones.eq(0)
        is_free: Value = Const(1)
        for reader in range(READERS):
            m.d.comb += self.heard[reader].eq(self.wants[reader] & is_free)
            is_free &= ~self.wants[reader]
        for reader in reversed(range(READERS)):
            with m.If(self.wants[reader]):
                m.d.comb += read.addr.eq(self.places[reader])
        return m
