"""How the processor reaches the registers of the unit for P-384."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["WINDOW_ADDR_WIDTH", "WindowSignature"]

WINDOW_ADDR_WIDTH = 10
"""Bits of a word's address: 64 registers of 16 words."""


class WindowSignature(wiring.Signature):
    """Words of 32 bits, seen from the processor. Register r is words 16 r to 16 r + 11, the least significant first.

    Members
    -------
    address : ``Out(10)``
        The word.
    write : ``Out(4)``
        The bytes of it that are written in this cycle, bit 0 for bits 7 to 0.
    data : ``Out(32)``
        What is written.
    value : ``In(32)``
        The word at the address of the cycle before; anything, if it was written then.
    """

    def __init__(self):
        super().__init__({"address": Out(WINDOW_ADDR_WIDTH), "write": Out(4), "data": Out(32), "value": In(32)})
