"""The last step of modular arithmetic: a number or the same less the modulus."""

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from cbit.psp.p384.numbers import MODULI, NUMBER_WORDS, PLACES, WORD_BITS, words_of

__all__ = ["PLACED_WORD", "Reduction"]

PLACED_WORD = StructLayout({"valid": 1, "place": range(NUMBER_WORDS), "word": WORD_BITS})
"""A word of a number, and its place."""


class Reduction(wiring.Component):
    """Keeps a number, word by word, and what it is with the modulus subtracted, or added to a negative difference;
    then hands out which of the two is canonical.

    Latency: the first word of the result comes in the cycle after the last of the number. Throughput: a number in 12
    cycles. The same for all values.

    Members
    -------
    i : ``In(PLACED_WORD)``
        Words, from the first place on. One shows at ``kept`` from the cycle after on.
    is_last : ``In(1)``
        It is the number's last word; without it more are to come, from the first place on.
    modulus : ``In(1)``
        Which: 0 p, 1 n. Holds still.
    is_difference : ``In(1)``
        The number is a difference, of which ``overflow`` says that it is negative. Holds still.
    is_raw : ``In(1)``
        The number is the result whatever it is. Holds still.
    overflow : ``In(1)``
        With the last word: the number has one more bit than its words, which is set; or is negative.
    kept_place : ``In(range(6))``
    kept : ``Out(64)``
        The word of the number that was last given there.
    o : ``Out(PLACED_WORD)``
        The result.
    is_done : ``Out(1)``
        High in the cycle after the last word of the result.
    is_zero : ``Out(1)``
        The result is zero. From ``is_done`` on.
    is_reduced : ``Out(1)``
        The result is not the number itself. From ``is_done`` on.
    """

    i: In(PLACED_WORD)
    is_last: In(1)
    modulus: In(1)
    is_difference: In(1)
    is_raw: In(1)
    overflow: In(1)
    kept_place: In(range(NUMBER_WORDS))
    kept: Out(WORD_BITS)
    o: Out(PLACED_WORD)
    is_done: Out(1)
    is_zero: Out(1)
    is_reduced: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.number = number = Memory(shape=WORD_BITS, depth=PLACES, init=[])
        m.submodules.other = other = Memory(shape=WORD_BITS, depth=PLACES, init=[])
        number_read, other_read = (self._store(m, memory) for memory in (number, other))
        other_word, other_carry = self._other(m)
        is_last_place = self.o.place == NUMBER_WORDS - 1
        m.d.comb += [
            number.write_ports[0].data.eq(self.i.word),
            other.write_ports[0].data.eq(other_word),
            number_read.addr.eq(Mux(self.o.valid, self.o.place, self.kept_place)),
            other_read.addr.eq(self.o.place),
            self.kept.eq(number_read.data),
            self.o.word.eq(Mux(self.is_reduced, other_read.data, number_read.data)),
        ]
        m.d.sync += self.is_done.eq(self.o.valid & is_last_place)
        with m.If(self.o.valid):
            m.d.sync += [
                self.o.place.eq(Mux(is_last_place, 0, self.o.place + 1)),
                self.o.valid.eq(~is_last_place),
                self.is_zero.eq(self.is_zero & (self.o.word == 0)),
            ]
        with m.If(self.i.valid & self.is_last):
            is_below = ~self.overflow & (self.is_difference | ~other_carry)
            m.d.sync += [self.o.valid.eq(1), self.is_zero.eq(1), self.is_reduced.eq(~self.is_raw & ~is_below)]
        return m

    def _store(self, m: Module, memory: Memory):
        """Writes what comes; returns a port to read it."""
        write = memory.write_port()
        m.d.comb += [write.addr.eq(self.i.place), write.en.eq(self.i.valid)]
        return memory.read_port(domain="comb")

    def _other(self, m: Module) -> tuple[Value, Value]:
        """The word of the number with the modulus subtracted or added, and its carry, which subtracting is set for a
        number that is not below the modulus."""
        modulus_word, carry, carry_in = Signal(WORD_BITS), Signal(), Signal()
        total = Signal(WORD_BITS + 1)
        table = Array(Const(word, WORD_BITS) for place in range(PLACES) for modulus in MODULI
                      for word in [words_of(modulus, PLACES)[place]])
        m.d.comb += [
            modulus_word.eq(table[self.modulus + 2 * self.i.place]),
            carry_in.eq(Mux(self.i.place == 0, ~self.is_difference, carry)),
            total.eq(self.i.word + (modulus_word ^ (~self.is_difference).replicate(WORD_BITS)) + carry_in),
        ]
        with m.If(self.i.valid):
            m.d.sync += carry.eq(total[-1])
        return total[:WORD_BITS], total[-1]
