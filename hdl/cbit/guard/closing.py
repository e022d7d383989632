"""Closes an engine in which a register is wrong."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component, In, Out

__all__ = ["Closing"]


class Closing(Component):
    """Remembers until reset that a register was found wrong.

    What is found is kept in a register for each part before it counts for the whole, so that nothing waits for the
    comparison of all registers but what must not show a single wrong beat.

    Latency: ``closes`` is combinational from ``last``, and a cycle behind ``found``.

    Parameters
    ----------
    parts : :class:`int`
        How many parts are watched.

    Members
    -------
    found : ``In(parts)``
        High while a register of a part is wrong.
    last : ``In(1)``
        High while a register that stands before a port is.
    closed : ``Out(1)``
        Nothing may be accepted any more.
    closes : ``Out(1)``
        What goes out is kept back.
    """

    def __init__(self, *, parts: int) -> None:
        super().__init__({"found": In(parts), "last": In(1), "closed": Out(1), "closes": Out(1)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        noticed, stays = Signal.like(self.found), Signal()
        m.d.sync += [noticed.eq(self.found), stays.eq(self.closed)]
        m.d.comb += [
            self.closed.eq(stays | noticed.any()),
            self.closes.eq(self.closed | self.last),
        ]
        return m
