"""Round keys of every slot, made and written word by word."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.aes import field
from cbit.aes.cipher import Direction, rounds_of
from cbit.aes.sbox import SubBytes
from cbit.aes.transform import map_bytes
from cbit.config import SBox
from cbit.guard.shadows import unguarded
from cbit.keys.settling import Settling
from cbit.keys.types import KeyStoreSignature, RoundKeyWordSignature

__all__ = ["WordedKeys"]

SBOX_CYCLES = 2
"""Of a block RAM with its output register."""

KINDS = 3
"""Of round keys: those of K1 for encryption and for decryption, and those of K2."""


def _inverse_mixed(word: Value) -> Value:
    """A column after InvMixColumns (FIPS 197, 5.3.3)."""
    rows = [word.word_select(row, 8) for row in range(4)]
    # It is MixColumns after the factors 5, 0, 4, 0.
    even, odd = (_times(4, rows[row] ^ rows[row + 2]) for row in range(2))
    rows = [row ^ (odd if number % 2 else even) for number, row in enumerate(rows)]
    pairs = [rows[number] ^ rows[(number + 1) % 4] for number in range(4)]
    return Cat(_times(2, pairs[number]) ^ rows[(number + 1) % 4] ^ pairs[(number + 2) % 4] for number in range(4))


def _times(factor: int, byte: Value) -> Value:
    return map_bytes(field.transpose(field.linear_map(lambda value: field.multiply(factor, value))), byte)


class WordedKeys(wiring.Component):
    """Expands the keys of a slot once, as they come. A slot's round keys are where its number says.

    A word takes four cycles: with AES-128 a slot is loaded in 352 cycles and those of settling, with AES-256 in 480.
    An erase takes 33 cycles, or 45. In the fourth cycle after the last word nothing of a key is left in any register.
    K2 has no round keys for decryption.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots. 2 to 1024.
    key_bits : :class:`int`
        Bits of each of the two keys of a slot. 128 or 256.

    Members
    -------
    store : ``In(KeyStoreSignature(asid_count))``
        What key control wants.
    serving : ``Out(asid_count)``
        The slots whose accesses in flight succeed.
    round_key : ``Out(RoundKeyWordSignature(...))``
        The round keys to write. While the slot is not serving, it may hold anything.
    """

    def __init__(self, *, asid_count: int, key_bits: int):
        self.rounds = rounds_of(key_bits)
        self.key_words = key_bits // 32
        super().__init__({
            "store": In(KeyStoreSignature(asid_count=asid_count)),
            "serving": Out(asid_count),
            "round_key": Out(RoundKeyWordSignature(slots=asid_count, key_bits=key_bits)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        store, round_key = self.store, self.round_key
        m.submodules.settling = settling = Settling()
        m.d.comb += [settling.written.eq(round_key.columns.any()), store.settling.eq(settling.settling)]
        m.d.sync += [round_key.slot.eq(store.slot), round_key.columns.eq(0), round_key.data.eq(0)]
        ended, is_expanded = self._expand(m), Signal()
        m.d.comb += store.loaded.eq(is_expanded & ~settling.settling)
        with m.If(ended):
            m.d.sync += is_expanded.eq(1)
        with m.Elif(store.loaded):
            m.d.sync += is_expanded.eq(0)
        with m.If(store.sweep):
            m.d.sync += self.serving.eq(0)
        with m.Elif(store.start | store.cut):
            m.d.sync += self.serving.bit_select(store.slot, 1).eq(store.start)
        return m

    def _expand(self, m: Module) -> Signal:
        """Makes a word in the last of every four cycles (FIPS 197, 5.2), writes it in the first of the next, and for
        decryption in the second. High in the cycle of the last word."""
        words, round_key = self.store.words, self.round_key
        m.submodules.sub_word = sub_word = SubBytes(
            direction=Direction.ENCRYPT, sbox=SBox.BLOCK_RAM, count=4, stages=SBOX_CYCLES)
        window, made, word, constant = Signal(32 * self.key_words), Signal(32), Signal(32), Signal(8, init=1)
        unguarded(window, made, round_key.data)
        step, place, is_given = Signal(2, init=3), Signal(range(self.key_words)), Signal(init=1)
        number, column, kind = Signal(range(self.rounds + 1)), Signal(2), Signal(range(KINDS))
        newest, ended, is_last = window[-32:], Signal(), number == self.rounds
        rotates = place == 0
        substitutes = rotates | (place == 4) if self.key_words > 4 else rotates
        is_tweak_key = kind == KINDS - 1
        m.d.comb += [
            sub_word.i.eq(newest.rotate_right(8)),
            words.ready.eq(is_given & (step == 3)),
            # What stands before the words that are given is zero.
            word.eq(window[:32] ^ Mux(is_given, words.payload, Mux(
                substitutes, sub_word.o ^ Mux(rotates, constant, 0), newest))),
            ended.eq((step == 1) & is_last & (column == 3)),
        ]
        if self.key_words > 4:
            with m.If(place != self.key_words - 1):
                m.d.comb += sub_word.i.eq(newest)
        m.d.sync += [round_key.tweak_key.eq(is_tweak_key), round_key.inverse.eq(step[0]), round_key.step.eq(number)]
        with m.Switch(step):
            with m.Case(3), m.If(~is_given | words.valid):
                m.d.sync += [step.eq(0), window.eq(Cat(window[32:], word)), made.eq(word)]
            with m.Case(0):
                m.d.sync += [step.eq(1), round_key.columns.eq(1 << column), round_key.data.eq(made)]
            with m.Case(1):
                m.d.sync += [step.eq(2), place.eq(place + 1), column.eq(column + 1),
                             round_key.columns.eq(Mux(is_tweak_key, 0, 1 << column)),
                             round_key.step.eq(self.rounds - number),
                             round_key.data.eq(Mux((number != 0) & ~is_last, _inverse_mixed(made), made))]
                with m.If(place == self.key_words - 1):
                    m.d.sync += is_given.eq(0)
                with m.If(~is_given & rotates):
                    # Rcon is the powers of x in GF(2^8) (FIPS 197, 5.2).
                    m.d.sync += constant.eq(Cat(0, constant[:7]) ^ Mux(constant[7], 0x1B, 0))
                with m.If(ended):
                    m.d.sync += [step.eq(3), window.eq(0), made.eq(0), constant.eq(1), place.eq(0), is_given.eq(1)]
            with m.Case(2):
                m.d.sync += step.eq(3)
        # The same counters go over all round keys that are erased: those of K1 for both directions, and those of K2.
        with m.If(self.store.erase):
            m.d.sync += [round_key.columns.eq(~0), round_key.inverse.eq(kind == 1)]
        with m.If(self.store.erase | ((step == 1) & (column == 3))):
            m.d.sync += number.eq(Mux(is_last, 0, number + 1))
            with m.If(is_last):
                m.d.sync += kind.eq(Mux(is_tweak_key, 0, Mux(self.store.erase, kind + 1, KINDS - 1)))
        m.d.comb += self.store.erased.eq(self.store.erase & is_last & is_tweak_key)
        return ended & is_tweak_key
