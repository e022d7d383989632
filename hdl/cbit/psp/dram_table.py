"""The table of DRAM in the processor's address space."""

from collections.abc import Sequence

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from cbit.csr.map import size_bytes
from cbit.psp.wishbone import WishboneSignature

__all__ = ["DramTable"]

_WORDS = size_bytes("dram_table") // 4


class DramTable(wiring.Component):
    """A memory with the words of the map `dram_table`, which nothing writes.

    A read is acknowledged in the cycle after it begins. A write is never acknowledged.

    Parameters
    ----------
    words : sequence of :class:`int`
        What it holds; zeros follow. Up to 512.

    Members
    -------
    bus : ``In(WishboneSignature(addr_width=9))``
    stray : ``Out(1)``
        A write is offered.

    Raises
    ------
    ValueError
        If there are more words.
    """

    bus: In(WishboneSignature(addr_width=(_WORDS - 1).bit_length()))
    stray: Out(1)

    def __init__(self, *, words: Sequence[int]):
        if len(words) > _WORDS:
            raise ValueError(f"words must be at most {_WORDS}, not {len(words)}")
        self.words = tuple(words)
        super().__init__()

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=32, depth=_WORDS, init=self.words)
        read = memory.read_port()
        m.d.comb += [
            self.stray.eq(self.bus.stb & self.bus.we),
            read.addr.eq(self.bus.adr),
            self.bus.dat_r.eq(read.data),
        ]
        m.d.sync += self.bus.ack.eq(self.bus.stb & ~self.bus.ack & ~self.stray)
        return m
