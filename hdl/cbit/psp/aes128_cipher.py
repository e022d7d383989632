"""AES-128 by the column: small, and slow beside the engine's."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import Direction, rounds_of
from cbit.aes.key_schedule import KeySchedule
from cbit.aes.mix_columns import MixColumns
from cbit.aes.mixing import mixing_of
from cbit.aes.sbox import SubBytes
from cbit.aes.transform import map_bytes, shift_rows
from cbit.config import SBox

__all__ = ["Aes128Cipher"]

KEY_BITS = 128


class Aes128Cipher(Component):
    """Encrypts blocks with AES-128 (FIPS 197, 5.1), four bytes a cycle; the round keys are made anew for each block.

    Latency: of a block taken in cycle *t*, the image shows in *t* + 42. Throughput: a block every 42 cycles. Stalls:
    none; ``o`` is valid for one cycle. Four cycles after it nothing of block or key is left in any register.

    Parameters
    ----------
    sbox : :class:`~cbit.config.SBox`
        How the S-boxes of the rounds are built: ``COMPOSITE``, the smaller, or ``TABLE``, which simulates faster.

    Members
    -------
    key : ``In(128)``
        Read in the cycle in which a block is taken; byte *i* is bits 8i+7..8i.
    i : ``In(stream.Signature(128))``
        Blocks, bytes as of the key.
    o : ``Out(stream.Signature(128, always_ready=True))``
        Their images.
    """

    key: In(KEY_BITS)
    i: In(stream.Signature(128))
    o: Out(stream.Signature(128, always_ready=True))

    def __init__(self, *, sbox: SBox = SBox.COMPOSITE) -> None:
        self.sbox = sbox
        super().__init__()

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.schedule = schedule = KeySchedule(key_bits=KEY_BITS)
        m.submodules.sub_bytes = sub_bytes = SubBytes(
            direction=Direction.ENCRYPT, sbox=self.sbox, count=4, stages=0)
        m.submodules.mix_columns = mix_columns = MixColumns(direction=Direction.ENCRYPT, stages=0)
        state, image, round_key = Signal(128), Signal(128), schedule.o.payload
        is_last = schedule.o.valid & (round_key.round == rounds_of(KEY_BITS))
        substituted = Cat(state[32:], sub_bytes.o)
        m.d.comb += [
            schedule.i.valid.eq(self.i.valid),
            schedule.i.payload.eq(self.key),
            self.i.ready.eq(schedule.i.ready),
            sub_bytes.i.eq(state[:32]),
            mix_columns.i.eq(map_bytes(mixing_of(Direction.ENCRYPT).images[0], substituted)),
            mix_columns.key.eq(round_key.data),
            self.o.payload.eq(image),
        ]
        # A column each cycle; with the fourth comes the round key, and the state begins anew, its rows shifted.
        m.d.sync += [self.o.valid.eq(is_last), image.eq(Mux(is_last, mix_columns.plain, 0))]
        with m.If(is_last):
            m.d.sync += state.eq(0)
        with m.Elif(schedule.o.valid):
            entered = state ^ round_key.data
            m.d.sync += state.eq(shift_rows(Mux(round_key.round == 0, entered, mix_columns.mixed)))
        with m.Elif(schedule.i.ready):
            m.d.sync += state.eq(Mux(self.i.valid, self.i.payload, 0))
        with m.Else():
            m.d.sync += state.eq(substituted)
        return m
