"""A memory in block RAM of which yosys is told that nobody reads what is being written."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.guard.shadows import unguarded

__all__ = ["BlockRam"]


class BlockRam(Component):
    """Words of which one is read and one is written in a cycle. Which value of a word is read that is written in the
    same cycle nobody may rely on.

    Latency: one cycle from ``read_address`` to ``read_data``.

    Parameters
    ----------
    width, depth : :class:`int`
        Bits of a word, and how many there are.

    Attributes
    ----------
    memory : :class:`~amaranth.lib.memory.Memory`
        The words, for those who look at them in simulation.

    Members
    -------
    read_address : ``In(range(depth))``
    read_data : ``Out(width)``
    write_address : ``In(range(depth))``
    write_data : ``In(width)``
    writes : ``In(1)``
    """

    def __init__(self, *, width: int, depth: int) -> None:
        self.memory = Memory(shape=unsigned(width), depth=depth, init=[],
                             attrs={"ram_style": "block", "no_rw_check": 1})
        super().__init__({
            "read_address": In(range(depth)),
            "read_data": Out(width),
            "write_address": In(range(depth)),
            "write_data": In(width),
            "writes": In(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.memory = self.memory
        read, write = self.memory.read_port(domain="comb"), self.memory.write_port()
        # Not reset: the register of a block RAM is not either.
        found = Signal(len(self.read_data), reset_less=True)
        unguarded(found)
        m.d.sync += found.eq(read.data)
        m.d.comb += [
            read.addr.eq(self.read_address), self.read_data.eq(found),
            write.addr.eq(self.write_address), write.data.eq(self.write_data), write.en.eq(self.writes),
        ]
        return m
