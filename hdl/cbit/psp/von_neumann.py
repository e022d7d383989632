"""Takes the bias from independent bits."""

from amaranth import Module, Signal
from amaranth.lib.wiring import Component, In, Out

__all__ = ["VonNeumann"]


class VonNeumann(Component):
    """Of each pair of bits gives the first if they differ, and none if they are the same.

    Latency: none. Throughput: a bit in each cycle; a quarter as many come out where they are even.
    Source: J. von Neumann, "Various techniques used in connection with random digits", 1951.

    Members
    -------
    valid, i : ``In(1)``
        A bit, if there is one in this cycle.
    o_valid, o : ``Out(1)``
        A bit, if there is one in this cycle.
    """

    valid: In(1)
    i: In(1)
    o_valid: Out(1)
    o: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        first, is_second = Signal(), Signal()
        m.d.comb += [self.o.eq(first), self.o_valid.eq(self.valid & is_second & (first != self.i))]
        with m.If(self.valid):
            m.d.sync += [first.eq(self.i), is_second.eq(~is_second)]
        return m
