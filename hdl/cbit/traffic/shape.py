"""Random bursts."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import enum
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Burst

from .burst import BYTE_BITS

__all__ = ["RandomShape", "shape_bits_layout"]

LINE_BITS = 6
_LONGEST_FIXED = 15


class Style(enum.Enum, shape=3):
    """What kind of burst is drawn."""

    LINE = 0
    OTHER_LINE = 1
    LONG = 2
    BLOCKS = 3
    UNALIGNED = 4
    NARROW = 5
    WRAP = 6
    FIXED = 7


def shape_bits_layout(*, offset_width: int) -> StructLayout:
    """The random bits that a burst is made of."""
    return StructLayout({"style": Style, "offset": unsigned(offset_width), "len": unsigned(8), "size": unsigned(2),
                         "is_narrow": unsigned(1)})


class RandomShape(Component):
    """Makes a burst of random bits: lines of 64 bytes, INCR of up to a whole region, WRAP, FIXED; beats of the whole
    bus and narrow ones; starts at any byte.

    Combinational.

    Parameters
    ----------
    offset_width : :class:`int`
        Bits of an address in a region: 8 to 12.

    Members
    -------
    bits : ``In(shape_bits_layout(...))``
    offset : ``Out(offset_width)``
    len : ``Out(8)``
    size : ``Out(3)``
    burst : ``Out(Burst)``
    fits : ``Out(1)``
        Whether it lies within its region; those that do not are of no use.
    is_whole : ``Out(1)``
        Whether each beat is about 16 bytes.
    """

    def __init__(self, *, offset_width: int) -> None:
        self.offset_width = offset_width
        super().__init__({
            "bits": In(shape_bits_layout(offset_width=offset_width)),
            "offset": Out(offset_width),
            "len": Out(8),
            "size": Out(3),
            "burst": Out(Burst),
            "fits": Out(1),
            "is_whole": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        bits = self.bits
        some_size = Signal(3)
        m.d.comb += [
            some_size.eq(Mux(bits.is_narrow, bits.size, BYTE_BITS)),
            self.size.eq(BYTE_BITS),
            self.burst.eq(Burst.INCR),
            self.offset.eq(bits.offset),
            self.len.eq(bits.len & 7),
        ]
        with m.Switch(bits.style):
            with m.Case(Style.LINE, Style.OTHER_LINE):
                m.d.comb += [self.offset.eq(bits.offset >> LINE_BITS << LINE_BITS), self.len.eq(3)]
            with m.Case(Style.LONG):
                m.d.comb += [
                    self.offset.eq(bits.offset >> BYTE_BITS << BYTE_BITS),
                    self.len.eq(bits.len & ((1 << self.offset_width - BYTE_BITS) - 1)),
                ]
            with m.Case(Style.BLOCKS):
                m.d.comb += self.offset.eq(bits.offset >> BYTE_BITS << BYTE_BITS)
            with m.Case(Style.NARROW):
                m.d.comb += [self.size.eq(bits.size), self.len.eq(bits.len & 31)]
            with m.Case(Style.WRAP):
                m.d.comb += [
                    self.burst.eq(Burst.WRAP),
                    self.size.eq(some_size),
                    self.offset.eq(bits.offset >> some_size << some_size),
                    self.len.eq(_wrap_length(bits.len)),
                ]
            with m.Case(Style.FIXED):
                m.d.comb += [
                    self.burst.eq(Burst.FIXED),
                    self.size.eq(some_size),
                    self.len.eq(bits.len & _LONGEST_FIXED),
                ]
        # Counted from the beat before the first byte, an INCR burst of these sizes stays within a region.
        end = Signal(self.offset_width + 2)
        m.d.comb += [
            end.eq((self.offset >> self.size << self.size) + ((self.len + 1) << self.size)),
            self.fits.eq((self.burst != Burst.INCR) | (end <= 1 << self.offset_width)),
            self.is_whole.eq((self.size == BYTE_BITS) & (self.offset[:BYTE_BITS] == 0) & (self.burst != Burst.FIXED)),
        ]
        return m


def _wrap_length(bits):
    """AxLEN of 2, 4, 8 or 16 beats (IHI 0022, A3.4.1)."""
    return Mux(bits[0], Mux(bits[1], 15, 7), Mux(bits[1], 3, 1))
