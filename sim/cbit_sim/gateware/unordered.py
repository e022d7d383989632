"""What waits for its turn, which comes by chance."""

from amaranth.hdl import Array, Cat, Module, Mux, ShapeLike, Signal, Value, unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

__all__ = ["Unordered"]

WAIT_BITS = 8


class Unordered(Component):
    """Gives out what came, each after a random time and in a random order, but for one ID in the order of coming.

    Latency: one cycle and a random time. Throughput: one a cycle, in and out.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        What there is of each beside its ID.
    id_width : :class:`int`
        Bits of an ID.
    entries : :class:`int`
        How many may wait. A power of two.

    Members
    -------
    i : ``In(stream.Signature({"id", "entry"}))``
    o : ``Out(stream.Signature({"number", "id", "entry"}))``
        ``number`` tells those that wait apart. Another may show in the next cycle, though none was taken.
    keep : ``In(1)``
        Whether what is taken in this cycle stays: more of it is to come.
    wait_cycles : ``In(8)``
        Random: how long what comes now has to wait.
    turn : ``In(...)``
        Random: whose turn it is.
    """

    def __init__(self, *, shape: ShapeLike, id_width: int, entries: int) -> None:
        self.entries = entries
        self.number = unsigned((entries - 1).bit_length())
        self.entry = StructLayout({"id": unsigned(id_width), "entry": shape})
        super().__init__({
            "i": In(stream.Signature(self.entry)),
            "o": Out(stream.Signature(StructLayout({"number": self.number, "id": unsigned(id_width), "entry": shape}))),
            "keep": In(1),
            "wait_cycles": In(WAIT_BITS),
            "turn": In(self.number),
        })

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        numbers = range(self.entries)
        held = Array(Signal(self.entry, name=f"held{number}") for number in numbers)
        is_held, is_newest, is_behind = (Signal(self.entries, name=name) for name in ("held", "newest", "behind"))
        before = [Signal(self.number, name=f"before{number}") for number in numbers]
        waits = [Signal(WAIT_BITS, name=f"wait{number}") for number in numbers]
        ready, ends, comes = Signal(self.entries), Signal(self.entries), Signal(self.entries)
        same = Signal(self.entries)
        chosen = self._chosen(m, ready)
        m.d.comb += [
            ready.eq(is_held & ~is_behind & Cat(wait == 0 for wait in waits)),
            self.o.valid.eq(ready.any()),
            self.o.payload.number.eq(chosen),
            self.o.payload.id.eq(held[chosen].id),
            self.o.payload.entry.eq(held[chosen].entry),
            ends.eq(Mux(self.o.valid & self.o.ready & ~self.keep, 1 << chosen, 0)),
            self.i.ready.eq(~is_held.all()),
            comes.eq(Mux(self.i.valid & self.i.ready, ~is_held & (is_held + 1), 0)),
            same.eq(Mux(comes.any(), is_held & is_newest & Cat(one.id == self.i.payload.id for one in held), 0)),
        ]
        m.d.sync += [is_held.eq((is_held | comes) & ~ends), is_newest.eq((is_newest & ~same) | comes)]
        for number in numbers:
            with m.If(waits[number] != 0):
                m.d.sync += waits[number].eq(waits[number] - 1)
            with m.If(ends.bit_select(before[number], 1)):
                m.d.sync += is_behind[number].eq(0)
            with m.If(comes[number]):
                m.d.sync += [
                    held[number].eq(self.i.payload),
                    waits[number].eq(self.wait_cycles),
                    is_behind[number].eq((same & ~ends).any()),
                ]
                for other in numbers:
                    with m.If(same[other]):
                        m.d.sync += before[number].eq(other)
        return m

    def _chosen(self, m: Module, ready: Signal) -> Value:
        """The first that is ready from the one whose turn it is."""
        chosen = Signal(self.number)
        with m.Switch(self.turn):
            for turn in range(self.entries):
                with m.Case(turn):
                    for distance in reversed(range(self.entries)):
                        number = (turn + distance) % self.entries
                        with m.If(ready[number]):
                            m.d.comb += chosen.eq(number)
        return chosen
