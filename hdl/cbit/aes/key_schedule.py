"""Key expansion: from a key to its round keys."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import Direction, rounds_of
from cbit.aes.sbox import SubBytes
from cbit.config import SBox

__all__ = ["ROUND_KEY_CYCLES", "KeySchedule"]

SBOX_CYCLES = 3

ROUND_KEY_CYCLES = SBOX_CYCLES + 1
"""Cycles for each round key: it shows in the first, while its last word goes to the S-boxes, and in the last the next
one is added up."""


class KeySchedule(Component):
    """Expands keys (FIPS 197, 5.2) with four S-boxes.

    Latency: of a key taken in cycle *t*, round key *r* shows at ``o`` in *t* + 1 + 4 *r*. Throughput: a
    key every 4 * rounds + 2 cycles. ``o`` never waits; ``i`` is ready between keys. In the fourth
    cycle after the last round key nothing of the key is left in any register.

    Parameters
    ----------
    key_bits : :class:`int`
        Bits of a key: 128 or 256.

    Members
    -------
    i : ``In(stream.Signature(key_bits))``
        Keys; byte *i* is bits 8i+7..8i.
    o : ``Out(stream.Signature(StructLayout({"round": range(rounds + 1), "data": 128}), always_ready=True))``
        Round keys from 0 to ``rounds``, each for one cycle; byte *i* is bits 8i+7..8i.

    Raises
    ------
    ValueError
        If ``key_bits`` is neither 128 nor 256.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, key_bits: int) -> None:
        self.key_bits = key_bits
        self.rounds = rounds_of(key_bits)
        round_key = data.StructLayout({"round": range(self.rounds + 1), "data": 128})
        super().__init__({
            "i": In(stream.Signature(key_bits)),
            "o": Out(stream.Signature(round_key, always_ready=True)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.sub_word = sub_word = SubBytes(
            direction=Direction.ENCRYPT, sbox=SBox.COMPOSITE, count=4, stages=SBOX_CYCLES)
        window, constant = Signal(self.key_bits), Signal(8)
        is_last = Signal()
        number, step = Signal(range(self.rounds + 1)), Signal(range(ROUND_KEY_CYCLES))

        newest = window[-32:]
        rotates = ~number[0] if self.key_bits > 128 else Value.cast(1)
        added = [sub_word.o ^ Mux(rotates, constant, 0)]
        for place in range(4):
            added.append(added[-1] ^ window.word_select(place, 32))
        m.d.comb += [
            sub_word.i.eq(Mux(rotates, newest.rotate_right(8), newest)),
            self.o.payload.round.eq(number),
            self.o.payload.data.eq(window[:128]),
        ]
        m.d.sync += step.eq(step + 1)

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += step.eq(0)
                with m.If(self.i.valid):
                    m.d.sync += [window.eq(self.i.payload), number.eq(0), is_last.eq(0), constant.eq(1)]
                    m.next = "EXPAND"
            with m.State("EXPAND"):
                m.d.comb += self.o.valid.eq(step == 0)
                with m.If((step == 0) & is_last):
                    m.d.sync += window.eq(0)
                    m.next = "IDLE"
                with m.If(step == ROUND_KEY_CYCLES - 1):
                    m.d.sync += [window.eq(Cat(window[128:], *added[1:])), number.eq(number + 1),
                                 is_last.eq(number == self.rounds - 1)]
                    with m.If(rotates):
                        # Rcon is the powers of x in GF(2^8) (FIPS 197, 5.2).
                        m.d.sync += constant.eq(Cat(0, constant[:7]) ^ Mux(constant[7], 0x1B, 0))
        return m
