"""A delay line in distributed RAM."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

__all__ = ["Delay"]

SECTION_CYCLES = 17
"""Distributed RAM is 16 entries deep, and the register behind it is one more: deeper would need multiplexers."""


class Delay(Component):
    """Gives what came a fixed number of cycles ago, in every cycle.

    Latency: ``cycles``; ``o`` comes from a register. Until so many cycles have gone since
    the start, ``o`` is zero; a reset does not change what is inside.

    Parameters
    ----------
    shape : :class:`ShapeLike`
        Shape of what passes.
    cycles : :class:`int`
        How long it takes. 1 or more.

    Members
    -------
    i : ``In(shape)``
    o : ``Out(shape)``

    Raises
    ------
    ValueError
        If ``cycles`` is less than 1.
    """

    def __init__(self, *, shape: ShapeLike, cycles: int) -> None:
        if cycles < 1:
            raise ValueError(f"Cycles must be at least 1, not {cycles!r}")
        self.shape = shape
        self.cycles = cycles
        super().__init__({"i": In(shape), "o": Out(shape)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        value = self.i
        remaining = self.cycles
        while remaining:
            section = min(remaining, SECTION_CYCLES)
            value = self._delay(m, value, section)
            remaining -= section
        m.d.comb += self.o.eq(value)
        return m

    def _delay(self, m: Module, value, cycles: int):
        delayed = Signal(self.shape, reset_less=True)
        if cycles == 1:
            m.d.sync += delayed.eq(value)
            return delayed
        depth = cycles - 1
        m.submodules += (memory := Memory(shape=self.shape, depth=depth, init=[]))
        write, read = memory.write_port(), memory.read_port(domain="comb")
        place = Signal(range(depth))
        # What is read is what was written when this place was last passed.
        m.d.comb += [
            write.addr.eq(place),
            write.data.eq(value),
            write.en.eq(1),
            read.addr.eq(place),
        ]
        m.d.sync += [
            place.eq(Mux(place == depth - 1, 0, place + 1)),
            delayed.eq(read.data),
        ]
        return delayed
