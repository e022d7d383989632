"""Where bytes of the buffer lie in beats of 16 bytes."""

from amaranth import Const, Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from cbit.psp.buffer import BUFFER_BYTES

__all__ = ["BEAT_BYTES", "BeatWalk"]

BEAT_BYTES = 16


class BeatWalk(Component):
    """Walks over the beats of a range of the buffer.

    Latency: the first beat shows in the cycle after ``begin``, each other one in the cycle after ``advance``.

    Members
    -------
    begin : ``In(1)``
        Begins with the beat of ``offset``.
    offset, length : ``In(13)``
        The range in bytes; it must lie in the buffer and have at least one byte.
    advance : ``In(1)``
        Goes on to the next beat.
    place : ``Out(9)``
        The beat in the buffer.
    strobes : ``Out(16)``
        The bytes of the beat that belong to the range, byte *i* at bit *i*.
    left : ``Out(10)``
        How many beats there are from this one on, itself included.
    """

    begin: In(1)
    offset: In(range(BUFFER_BYTES))
    length: In(range(BUFFER_BYTES))
    advance: In(1)
    place: Out(range(BUFFER_BYTES // BEAT_BYTES))
    strobes: Out(BEAT_BYTES)
    left: Out(range(BUFFER_BYTES // BEAT_BYTES + 1))

    def elaborate(self, _platform) -> Module:
        m = Module()
        skipped, end = Signal(range(BEAT_BYTES)), Signal(range(BEAT_BYTES))
        last = self.offset[:4] + self.length - 1
        every = Const((1 << BEAT_BYTES) - 1, BEAT_BYTES)
        m.d.comb += self.strobes.eq(
            (every << skipped)[:BEAT_BYTES] & Mux(self.left == 1, every >> ~end, every))
        with m.If(self.begin):
            m.d.sync += [
                self.place.eq(self.offset >> 4),
                self.left.eq((last >> 4)[:10] + 1),
                skipped.eq(self.offset[:4]),
                end.eq(last[:4]),
            ]
        with m.Elif(self.advance):
            m.d.sync += [self.place.eq(self.place + 1), self.left.eq(self.left - 1), skipped.eq(0)]
        return m
