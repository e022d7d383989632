"""Bytes without zeros back to any bytes: consistent overhead byte stuffing."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

__all__ = ["LONGEST_RUN", "CobsDecoder"]

LONGEST_RUN = 254
"""Most bytes after a code; only after this one no zero follows them."""


class CobsDecoder(Component):
    """Decodes a frame of COBS (Cheshire and Baker, 1999), which a zero ends.

    Latency: none; throughput: a byte a cycle. Neither side can be stalled.

    Members
    -------
    start : ``In(1)``
        A frame begins with the next byte.
    i : ``In(stream.Signature(8, always_ready=True))``
        Its bytes, and the zero that ends it.
    o : ``Out(stream.Signature(8, always_ready=True))``
        What they stand for.
    end : ``Out(1)``
        High with the zero.
    well_formed : ``Out(1)``
        While ``end``, whether the frame was whole.
    """

    start: In(1)
    i: In(stream.Signature(8, always_ready=True))
    o: Out(stream.Signature(8, always_ready=True))
    end: Out(1)
    well_formed: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        left, is_first, owes_zero = Signal(8), Signal(), Signal()
        byte, is_code = self.i.payload, left == 0
        m.d.comb += [
            self.end.eq(self.i.valid & (byte == 0)),
            self.well_formed.eq(is_code & ~is_first),
            self.o.valid.eq(self.i.valid & (byte != 0) & (~is_code | owes_zero)),
            self.o.payload.eq(Mux(is_code, 0, byte)),
        ]
        with m.If(self.i.valid & (byte != 0)):
            m.d.sync += left.eq(Mux(is_code, byte, left) - 1)
            with m.If(is_code):
                m.d.sync += [is_first.eq(0), owes_zero.eq(byte != LONGEST_RUN + 1)]
        with m.If(self.start):
            m.d.sync += [left.eq(0), is_first.eq(1), owes_zero.eq(0)]
        return m
