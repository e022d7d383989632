"""Key expansion: from a key to its round keys."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import Direction, rounds_of
from cbit.aes.sbox import SubBytes
from cbit.config import SBox

__all__ = ["KeySchedule"]


class KeySchedule(Component):
    """Expands keys (FIPS 197, 5.2) with four S-boxes.

    Latency: of a key taken in cycle *t*, round key *r* shows at ``o`` in *t* + 1 + *r*. Throughput: a
    key every rounds + 2 cycles. ``o`` never waits; ``i`` is ready while no round key shows. In the
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
        Round keys from 0 to ``rounds``, one a cycle without gaps; byte *i* is bits 8i+7..8i.

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
        window = Signal(data.ArrayLayout(unsigned(128), self.key_bits // 128))
        number = Signal(range(self.rounds + 1))
        constant = Signal(8)
        busy = Signal()

        rotates = (number[0] == 0) if len(window) > 1 else True
        following = self._expand(m, window, constant, rotates)
        m.d.comb += [
            self.i.ready.eq(~busy),
            self.o.valid.eq(busy),
            self.o.payload.round.eq(number),
            self.o.payload.data.eq(window[0]),
        ]
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += [
                busy.eq(1),
                number.eq(0),
                window.eq(self.i.payload),
                constant.eq(1),
            ]
        with m.Elif(busy):
            m.d.sync += [
                number.eq(number + 1),
                window.eq(Cat(*list(window)[1:], following)),
            ]
            with m.If(rotates):
                # Rcon is the powers of x in GF(2^8) (FIPS 197, 5.2).
                m.d.sync += constant.eq(Cat(0, constant[:7]) ^ Mux(constant[7], 0x1B, 0))
            with m.If(number == self.rounds):
                m.d.sync += [
                    busy.eq(0),
                    window.eq(0),
                ]
        return m

    @staticmethod
    def _expand(m: Module, window: data.View, constant: Signal, rotates) -> Signal:
        """The round key that follows those in the window."""
        m.submodules.sub_word = sub_word = SubBytes(
            direction=Direction.ENCRYPT, sbox=SBox.TABLE, count=4, stages=0)
        newest = window[len(window) - 1][96:]
        m.d.comb += sub_word.i.eq(Mux(rotates, newest.rotate_right(8), newest))
        words = []
        word = sub_word.o ^ Mux(rotates, constant, 0)
        for number in range(4):
            word = word ^ window[0].word_select(number, 32)
            words.append(word)
        following = Signal(128)
        m.d.comb += following.eq(Cat(words))
        return following
