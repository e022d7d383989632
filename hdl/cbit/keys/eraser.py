"""Overwrites the round keys of a slot."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.aes.cipher import rounds_of
from cbit.keys.types import RoundKeyPairSignature

__all__ = ["RoundKeyEraser"]


class RoundKeyEraser(wiring.Component):
    """Writes zeros over every round key of both keys of a slot, one a cycle, those of K1 and K2 in turn.

    So no AES pipeline is given two in a row. A slot takes 2 * (rounds + 1) cycles: 22 with AES-128, 30 with
    AES-256.

    Parameters
    ----------
    asid_count : :class:`int`
        Number of slots. 2 to 1024.
    key_bits : :class:`int`
        Bits of each key. 128 or 256.

    Members
    -------
    enable : ``In(1)``
        High until ``done``, then low, or high at once for another slot.
    slot : ``In(range(asid_count))``
        The slot. Holds still while ``enable`` is high.
    round_key : ``Out(RoundKeyPairSignature(...))``
        The zeros.
    done : ``Out(1)``
        High in the cycle of the last zero.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, asid_count: int, key_bits: int):
        self.asid_count = asid_count
        self.key_bits = key_bits
        super().__init__({
            "enable": In(1),
            "slot": In(range(asid_count)),
            "round_key": Out(RoundKeyPairSignature(asid_count=asid_count, key_bits=key_bits)),
            "done": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        rounds = rounds_of(self.key_bits)
        number, tweak_key = Signal(range(rounds + 1)), Signal()
        m.d.comb += [
            self.round_key.valid.eq(self.enable),
            self.round_key.tweak_key.eq(tweak_key),
            self.round_key.slot.eq(self.slot),
            self.round_key.round.eq(number),
            self.done.eq(self.enable & tweak_key & (number == rounds)),
        ]
        with m.If(self.enable):
            m.d.sync += tweak_key.eq(~tweak_key)
            with m.If(tweak_key):
                m.d.sync += number.eq(Mux(number == rounds, 0, number + 1))
        return m
