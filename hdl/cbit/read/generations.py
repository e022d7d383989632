"""Tells when all that had begun before some moment has ended, whatever begins after it."""

from amaranth import Module, Signal
from amaranth.lib.wiring import Component, In, Out

__all__ = ["Generations"]


class Generations(Component):
    """Divides what is in flight into an old generation and the current one.

    As soon as nothing of the old generation is in flight, the current one becomes old, and what begins
    from the next cycle on belongs to a new one. So all that had begun before a moment has ended when
    ``turns`` has been high twice after it, and that comes to pass while more and more begins.

    Latency: ``turns`` comes from registers. Throughput: one begun and one ended a cycle.

    Parameters
    ----------
    most : :class:`int`
        How many may be in flight. 1 or more.

    Members
    -------
    begin : ``In(1)``
        One begins, and belongs to ``current``.
    current : ``Out(1)``
        Number of the current generation.
    end, ended : ``In(1)``
        One of generation ``ended`` has ended.
    turns : ``Out(1)``
        High in a cycle at whose end the current generation becomes old.
    """

    def __init__(self, *, most: int) -> None:
        self.most = most
        super().__init__({"begin": In(1), "current": Out(1), "end": In(1), "ended": In(1), "turns": Out(1)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        # Registers of their own, lest the turn wait for the comparisons.
        is_empty = Signal(2, init=0b11)
        m.d.comb += self.turns.eq(is_empty.bit_select(~self.current, 1))
        with m.If(self.turns):
            m.d.sync += self.current.eq(~self.current)
        for number in range(2):
            count = Signal(range(self.most + 1), name=f"count_{number}")
            begins = self.begin & (self.current == number)
            ends = self.end & (self.ended == number)
            with m.If(begins & ~ends):
                m.d.sync += [count.eq(count + 1), is_empty[number].eq(0)]
            with m.Elif(ends & ~begins):
                m.d.sync += [count.eq(count - 1), is_empty[number].eq(count == 1)]
        return m
