"""Round keys of encryption, made word by word with their window in block RAM."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.aes.cipher import rounds_of
from cbit.aes.column import ROWS, ByteRom, sbox_bytes
from cbit.guard.shadows import unguarded
from cbit.keys.settling import Settling
from cbit.keys.types import KeyStoreSignature, RoundKeyWordSignature
from cbit.stream.block_ram import BlockRam

__all__ = ["NarrowKeys"]


class NarrowKeys(wiring.Component):
    """Expands the keys of a slot once, as they come (FIPS 197, 5.2). A slot's round keys are where its number says.

    A word takes two cycles: with AES-128 a slot is loaded in 176 cycles, what it takes to overwrite the last words of
    the key, and those of settling; with AES-256 in 240. An erase takes 88 cycles, or 120. When ``loaded`` rises nothing
    of a key is left here.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots. 2 to 16.
    key_bits : :class:`int`
        Bits of each of the two keys of a slot. 128 or 256.

    Members
    -------
    store : ``In(KeyStoreSignature(asid_count))``
        What key control wants.
    serving : ``Out(asid_count)``
        The slots whose accesses in flight succeed.
    round_key : ``Out(RoundKeyWordSignature(...))``
        The round keys to write, none of those of decryption. While the slot is not serving, it may hold anything.
    """

    def __init__(self, *, asid_count: int, key_bits: int):
        self.rounds = rounds_of(key_bits)
        self.key_words = key_bits // 32
        self.window = BlockRam(width=32, depth=self.key_words)
        super().__init__({
            "store": In(KeyStoreSignature(asid_count=asid_count)),
            "serving": Out(asid_count),
            "round_key": Out(RoundKeyWordSignature(slots=asid_count, key_bits=key_bits)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        store, round_key = self.store, self.round_key
        m.submodules.settling = settling = Settling()
        m.d.comb += [settling.written.eq(round_key.columns.any()), store.settling.eq(settling.settling),
                     round_key.slot.eq(store.slot)]
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
        """Makes a word and writes it in the cycle after, in which the next one's parts are read. High in the last cycle
        of all."""
        words, round_key, erase = self.store.words, self.round_key, self.store.erase
        m.submodules.window = window = self.window
        made, word, constant, substituted = Signal(32), Signal(32), Signal(8, init=1), Signal(32)
        unguarded(made)
        place, is_given = Signal(range(self.key_words)), Signal(init=1)
        number, column, is_tweak_key = Signal(range(self.rounds + 1)), Signal(2), Signal()
        ended, writes = Signal(), Signal()
        rotates = place == 0
        rotated = Mux(rotates, made.rotate_right(8), made) if self.key_words > 4 else made.rotate_right(8)
        substitutes = rotates | (place == 4) if self.key_words > 4 else rotates
        for row in range(ROWS):
            m.submodules[f"rom_{row}"] = rom = ByteRom(contents=sbox_bytes(both=False))
            m.d.comb += [rom.address.eq(rotated.word_select(row, 8)), substituted.word_select(row, 8).eq(rom.data)]
        is_last = (number == self.rounds) & (column == 3)
        m.d.comb += [
            window.read_address.eq(place), window.write_address.eq(place), window.write_data.eq(word),
            word.eq(Mux(is_given, words.payload, window.read_data ^ Mux(
                substitutes, substituted ^ Mux(rotates, constant, 0), made))),
            round_key.tweak_key.eq(is_tweak_key), round_key.step.eq(number), round_key.data.eq(made),
            round_key.columns.eq((writes | erase) << column),
        ]
        with m.If(writes | erase):
            m.d.sync += column.eq(column + 1)
            with m.If(column == 3):
                m.d.sync += number.eq(number + 1)
            with m.If(is_last):
                m.d.sync += [number.eq(0), is_tweak_key.eq(~is_tweak_key)]
        m.d.comb += self.store.erased.eq(erase & is_last & is_tweak_key)
        # A word in two cycles, and after the last of a key, and after reset, zeros to where its words were.
        with m.FSM(init="WIPE"):
            with m.State("MAKE"):
                m.d.comb += words.ready.eq(is_given)
                with m.If(~is_given | words.valid):
                    m.d.comb += window.writes.eq(1)
                    m.d.sync += [made.eq(word), place.eq(place + 1)]
                    with m.If(place == self.key_words - 1):
                        m.d.sync += is_given.eq(0)
                    with m.If(~is_given & rotates):
                        # Rcon is the powers of x in GF(2^8) (FIPS 197, 5.2).
                        m.d.sync += constant.eq(Cat(0, constant[:7]) ^ Mux(constant[7], 0x1B, 0))
                    m.next = "WRITE"
            with m.State("WRITE"):
                m.d.comb += writes.eq(1)
                m.next = "MAKE"
                with m.If(is_last):
                    m.d.sync += [made.eq(0), constant.eq(1), place.eq(0)]
                    m.next = "WIPE"
            with m.State("WIPE"):
                m.d.comb += [window.writes.eq(1), word.eq(0)]
                m.d.sync += place.eq(place + 1)
                with m.If(place == self.key_words - 1):
                    m.d.sync += is_given.eq(1)
                    m.d.comb += ended.eq(~is_given & ~is_tweak_key)
                    m.next = "MAKE"
        return ended
