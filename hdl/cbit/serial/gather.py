"""Puts a block together from the beats of a write and from what was there before."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from cbit.serial.self_test import known_plain
from cbit.serial.write_data import beat_layout

__all__ = ["BlockGather"]

LANES = 16


class BlockGather(Component):
    """The block at hand, byte by byte; where bytes come twice the last ones count.

    Latency: one cycle. Throughput: a beat a cycle.

    Parameters
    ----------
    key_bits : :class:`int`
        Bits of a key, on which the block of the self-test depends.

    Members
    -------
    beat : ``In(beat_layout())``
    takes : ``In(1)``
        Takes the bytes of ``beat`` that its strobe has.
    stored : ``In(128)``
    merges : ``In(1)``
        Takes the bytes of ``stored`` that no beat has brought.
    clear : ``In(1)``
        The next beat begins another block.
    test_load : ``In(1)``
        Takes the block of the self-test.
    block : ``Out(128)``
    has_some, has_all : ``Out(1)``
        Beats have brought a byte of it; all of them.
    """

    beat: In(beat_layout())
    takes: In(1)
    stored: In(128)
    merges: In(1)
    clear: In(1)
    test_load: In(1)
    block: Out(128)
    has_some: Out(1)
    has_all: Out(1)

    def __init__(self, *, key_bits: int) -> None:
        self.key_bits = key_bits
        super().__init__()

    def elaborate(self, _platform) -> Module:
        m = Module()
        brought = Signal(LANES)
        # Bytes count only with their strobe, which is reset.
        block = Signal(128, reset_less=True)
        m.d.comb += [self.block.eq(block), self.has_some.eq(brought.any()), self.has_all.eq(brought.all())]
        for lane in range(LANES):
            with m.If(Mux(self.merges, ~brought[lane], self.takes & self.beat.strb[lane])):
                m.d.sync += block.word_select(lane, 8).eq(Mux(
                    self.merges, self.stored.word_select(lane, 8), self.beat.data.word_select(lane, 8)))
        with m.If(self.takes):
            m.d.sync += brought.eq(brought | self.beat.strb)
        with m.If(self.clear):
            m.d.sync += brought.eq(0)
        with m.If(self.test_load):
            m.d.sync += block.eq(known_plain(self.key_bits))
        return m
