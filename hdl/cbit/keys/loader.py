"""Expands the two keys of a slot into its round keys."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from cbit.aes.cipher import rounds_of
from cbit.aes.key_schedule import KeySchedule
from cbit.keys.types import ROUND_KEY_SETTLE_CYCLES, RoundKeyPairSignature

__all__ = ["KeyLoader"]


class KeyLoader(wiring.Component):
    """Writes every round key of a slot, first those of K1, then those of K2.

    Takes the words of a key one a cycle, those of K2 while K1 is expanded, and expands each in the time of the key
    schedule. In the fourth cycle after the last round key nothing of a key is left in any register.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots. 2 to 1024.
    key_bits : :class:`int`
        Bits of each key. 128 or 256.

    Members
    -------
    i : ``In(stream.Signature(32))``
        The words of K1, then those of K2; byte 0 of each is bits 7..0.
    slot : ``In(range(asid_count))``
        The slot they are for. Holds still from the first word to ``done``.
    round_key : ``Out(RoundKeyPairSignature(...))``
        The round keys.
    done : ``Out(1)``
        High once, when the last round key has come into use:
        :data:`~cbit.keys.types.ROUND_KEY_SETTLE_CYCLES` after it was written.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, asid_count: int, key_bits: int):
        self.key_bits = key_bits
        super().__init__({
            "i": In(stream.Signature(32)),
            "slot": In(range(asid_count)),
            "round_key": Out(RoundKeyPairSignature(asid_count=asid_count, key_bits=key_bits)),
            "done": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.schedule = schedule = KeySchedule(key_bits=self.key_bits)
        key, words, is_whole = Signal(self.key_bits), Signal(range(self.key_bits // 32)), Signal()
        expanding, tweak_key = Signal(), Signal()
        settling = Signal(ROUND_KEY_SETTLE_CYCLES)
        last = schedule.o.valid & (schedule.o.p.round == rounds_of(self.key_bits))
        m.d.comb += [
            self.i.ready.eq(~is_whole),
            schedule.i.valid.eq(is_whole & ~expanding),
            schedule.i.p.eq(key),
            self.round_key.valid.eq(schedule.o.valid),
            self.round_key.tweak_key.eq(tweak_key),
            self.round_key.slot.eq(self.slot),
            self.round_key.round.eq(schedule.o.p.round),
            self.round_key.data.eq(schedule.o.p.data),
            self.done.eq(settling[-1]),
        ]
        m.d.sync += settling.eq(Cat(last & tweak_key, settling))
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [key.eq(Cat(key[32:], self.i.p)), words.eq(words + 1), is_whole.eq(words.all())]
        with m.If(schedule.i.valid & schedule.i.ready):
            m.d.sync += [expanding.eq(1), key.eq(0), is_whole.eq(0)]
        with m.If(last):
            m.d.sync += [expanding.eq(0), tweak_key.eq(~tweak_key)]
        return m
