# amaranth: UnusedElaboratable=no
"""A memory with one port, as an UltraPlus has it beside its block RAMs."""

from typing import Any

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, unsigned
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

__all__ = ["SinglePortRam"]

_BYTE = 8

_CHIPS = 4
_CHIP_BITS = 16
_CHIP_WORDS = 1 << 14
"""The single-ported RAMs of an UltraPlus (Lattice FPGA-TN-02022)."""


class SinglePortRam(Component):
    """Words of which one is read, or some of its bytes are written.

    Latency: a word is there the cycle after it was addressed. On an UltraPlus each 16 bits are one of its four
    single-ported RAMs, whose contents are unknown when power comes; elsewhere block RAMs or LUTs.

    Parameters
    ----------
    words : :class:`int`
        1 to 16384.
    width : :class:`int`
        Bits of a word: 16, 32, 48 or 64.

    Attributes
    ----------
    memory : :class:`~amaranth.lib.memory.Memory`
        The words, for those who look at them in simulation.

    Members
    -------
    address : ``In(range(words))``
    read_data : ``Out(width)``
        The word that was addressed in the cycle before, if none was written.
    write_data : ``In(width)``
    write_bytes : ``In(width // 8)``
        The bytes to write.

    Raises
    ------
    ValueError
        If there are none or too many words, or their width is another.
    """

    def __init__(self, *, words: int, width: int):
        if not 1 <= words <= _CHIP_WORDS:
            raise ValueError(f"words must be 1 to {_CHIP_WORDS}, not {words!r}")
        if width not in range(_CHIP_BITS, _CHIPS * _CHIP_BITS + 1, _CHIP_BITS):
            raise ValueError(f"width must be 16, 32, 48 or 64, not {width!r}")
        self.memory = Memory(shape=unsigned(width), depth=words, init=[])
        self.words = words
        self.width = width
        super().__init__({"address": In(range(words)), "read_data": Out(width), "write_data": In(width),
                          "write_bytes": In(width // _BYTE)})

    def elaborate(self, platform: Any) -> Module:
        return self._chips() if getattr(platform, "device", "") == "iCE40UP5K" else self._memory()

    def _memory(self) -> Module:
        m = Module()
        m.submodules.memory = memory = self.memory
        read, write = memory.read_port(), memory.write_port(granularity=_BYTE)
        m.d.comb += [
            read.addr.eq(self.address), read.en.eq(~self.write_bytes.any()), self.read_data.eq(read.data),
            write.addr.eq(self.address), write.data.eq(self.write_data), write.en.eq(self.write_bytes),
        ]
        return m

    def _chips(self) -> Module:
        m = Module()
        for number in range(self.width // _CHIP_BITS):
            lanes = self.write_bytes[2 * number:2 * number + 2]
            m.submodules[f"chip_{number}"] = Instance(
                "SB_SPRAM256KA", i_CLOCK=ClockSignal(), i_CHIPSELECT=Const(1), i_STANDBY=Const(0), i_SLEEP=Const(0),
                i_POWEROFF=Const(1), i_ADDRESS=Cat(self.address, Const(0, _CHIP_WORDS.bit_length() - 1
                                                                       - len(self.address))),
                i_DATAIN=self.write_data.word_select(number, _CHIP_BITS), i_WREN=lanes.any(),
                i_MASKWREN=Cat(lane.replicate(2) for lane in lanes),
                o_DATAOUT=self.read_data.word_select(number, _CHIP_BITS))
        return m
