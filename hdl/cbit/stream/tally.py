"""A count of things that come and go, with what users ask of it from registers."""

from amaranth import Module, Signal
from amaranth.lib.wiring import Component, In, Out

__all__ = ["Tally"]


class Tally(Component):
    """Counts what is there, and says whether there is some, and whether there is room for more.

    Latency: ``some`` and ``has_room`` come from registers and count what came and went in the cycles before.

    Parameters
    ----------
    limit : :class:`int`
        How many may be there. 1 or more.
    spare : :class:`int`
        How many may come after ``has_room`` has fallen. Less than ``limit``.

    Members
    -------
    comes, goes : ``In(1)``
        High in a cycle in which one comes, or goes.
    some : ``Out(1)``
        High while one is there.
    has_room : ``Out(1)``
        High while ``spare`` and one more may come.
    """

    def __init__(self, *, limit: int, spare: int = 0) -> None:
        if not 0 <= spare < limit:
            raise ValueError(f"Spare must be from 0 to {limit - 1}, not {spare!r}")
        self.limit = limit
        self.spare = spare
        super().__init__({"comes": In(1), "goes": In(1), "some": Out(1), "has_room": Out(1, init=1)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        count = Signal(range(self.limit + 1))
        # Each comparison has a cycle of its own but for the last gate, as both events come late.
        with m.If(self.comes & ~self.goes):
            m.d.sync += [
                count.eq(count + 1),
                self.some.eq(1),
                self.has_room.eq(count < self.limit - self.spare - 1),
            ]
        with m.Elif(self.goes & ~self.comes):
            m.d.sync += [
                count.eq(count - 1),
                self.some.eq(count != 1),
                self.has_room.eq(count <= self.limit - self.spare),
            ]
        return m
