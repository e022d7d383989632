"""Until when round keys are on their way."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component, In, Out

from cbit.keys.types import ROUND_KEY_SETTLE_CYCLES

__all__ = ["Settling"]


class Settling(Component):
    """Knows whether a round key that was written has yet to come into use.

    Members
    -------
    written : ``In(1)``
        One is written.
    settling : ``Out(1)``
        High in that cycle and until :data:`~cbit.keys.types.ROUND_KEY_SETTLE_CYCLES` after the last.
    """

    written: In(1)
    settling: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        left = Signal(range(ROUND_KEY_SETTLE_CYCLES))
        m.d.comb += self.settling.eq(self.written | (left != 0))
        with m.If(self.written):
            m.d.sync += left.eq(ROUND_KEY_SETTLE_CYCLES - 1)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        return m
