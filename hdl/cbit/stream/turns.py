"""A choice between two sources that take turns, made a cycle ahead."""

from amaranth import Module
from amaranth.lib.wiring import Component, In, Out

__all__ = ["Turns"]


class Turns(Component):
    """Whose turn it is of two: the other's after each that is taken, if it waits.

    ``choice`` is a register. While both ask, they alternate, without a cycle lost, and while one asks
    alone it goes every cycle. One that asks when it is not its turn waits a cycle longer than it must;
    after a cycle in which nobody asks, the first need not. While the choice asks, it stays until it is
    taken.

    Members
    -------
    requests : ``In(2)``
        A bit for each.
    choice : ``Out(1)``
        Index of the one whose turn it is, whether it asks or not.
    valid : ``Out(1)``
        High if the one whose turn it is asks.
    taken : ``In(1)``
        High in the cycle in which the choice is used up.
    """

    requests: In(2)
    choice: Out(1)
    valid: Out(1)
    taken: In(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.d.comb += self.valid.eq(self.requests.bit_select(self.choice, 1))
        with m.If(~self.valid | self.taken):
            with m.If(self.requests.bit_select(~self.choice, 1)):
                m.d.sync += self.choice.eq(~self.choice)
            with m.Elif(~self.valid):
                m.d.sync += self.choice.eq(0)
        return m
