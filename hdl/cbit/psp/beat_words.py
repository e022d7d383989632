"""A beat of 16 bytes, word by word to the buffer and from it."""

from amaranth import Cat, Module, Signal
from amaranth.lib.wiring import Component, In, Out

from cbit.psp.beat_walk import BEAT_BYTES
from cbit.psp.buffer import BUFFER_BYTES, BufferSignature

__all__ = ["BeatWords"]

BEAT_WORDS = BEAT_BYTES // 4


class BeatWords(Component):
    """Holds a beat, stores it in the buffer, or fetches it from there.

    Latency: four cycles to store; to fetch five, of which the last comes after ``done``. Stalls: each cycle that the
    buffer lets it wait is one more.

    Members
    -------
    take : ``In(1)``
        The beat becomes ``i``.
    i : ``In(128)``
        Byte *k* is bits 8k+7..8k.
    store, fetch : ``In(1)``
        One of them stays high until ``done``.
    place : ``In(9)``
        The beat in the buffer.
    strobes : ``In(16)``
        Bytes that are stored.
    done : ``Out(1)``
        The last word goes in this cycle.
    o : ``Out(128)``
        The beat. Zero once it has been stored.
    buffer : ``Out(BufferSignature())``
    """

    take: In(1)
    i: In(8 * BEAT_BYTES)
    store: In(1)
    fetch: In(1)
    place: In(range(BUFFER_BYTES // BEAT_BYTES))
    strobes: In(BEAT_BYTES)
    done: Out(1)
    o: Out(8 * BEAT_BYTES)
    buffer: Out(BufferSignature())

    def elaborate(self, _platform) -> Module:
        m = Module()
        step, goes, arrives = Signal(range(BEAT_WORDS)), Signal(), Signal()
        m.d.comb += [
            self.buffer.valid.eq(self.store | self.fetch),
            self.buffer.address.eq(Cat(step, self.place)),
            self.buffer.strobes.eq(self.strobes.word_select(step, 4) & self.store.replicate(4)),
            self.buffer.write_data.eq(self.o[:32]),
            goes.eq(self.buffer.valid & self.buffer.ready),
            self.done.eq(goes & (step == BEAT_WORDS - 1)),
        ]
        m.d.sync += arrives.eq(goes & self.fetch)
        with m.If(goes):
            m.d.sync += step.eq(step + 1)
        with m.If(self.take):
            m.d.sync += self.o.eq(self.i)
        with m.Elif(arrives):
            m.d.sync += self.o.eq(Cat(self.o[32:], self.buffer.read_data))
        with m.Elif(goes & self.store):
            m.d.sync += self.o.eq(self.o >> 32)
        return m
