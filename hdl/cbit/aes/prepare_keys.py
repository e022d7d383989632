"""From the round keys of FIPS 197 to those that the rounds of a pipeline add."""

from functools import reduce
from itertools import pairwise
from operator import xor

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import Direction
from cbit.aes.mix_columns import MixColumns
from cbit.aes.mixing import mixing_of
from cbit.aes.round_keys import PreparedKeySignature, RoundKeySignature
from cbit.aes.transform import map_bytes
from cbit.guard.shadows import unguarded

__all__ = ["PREPARE_CYCLES", "PrepareKeys"]

MIX_CYCLES = 2

PREPARE_CYCLES = 1 + MIX_CYCLES + 1
"""Cycles from ``i`` to ``o``."""


class PrepareKeys(Component):
    """Takes round keys through InvMixColumns, for the equivalent inverse cipher (FIPS 197, 5.3.5).

    Keys of encryption stay as they are, and those of decryption's first and last AddRoundKey. Decryption's
    others are in the basis of states, its first if ``entry_in_basis``.

    Parities are not made of the prepared key but on a way of their own: (Inv)MixColumns leaves the sum of the bytes as
    it is, since the coefficients of each column add up to one, so that a sum of 8 bits tells the parity in any basis.

    Latency: :data:`PREPARE_CYCLES`. Throughput: a round key a cycle.

    Parameters
    ----------
    direction : :class:`Direction`
        Whose keys are prepared; the other ones are zero.
    slots, rounds
        As of :class:`RoundKeySignature`.
    entry_in_basis : :class:`bool`
        Whether blocks enter in the basis of states.

    Members
    -------
    i : ``In(RoundKeySignature(slots, rounds))``
        Round keys.
    o : ``Out(PreparedKeySignature(slots, rounds))``
        The same, prepared.
    """

    i: wiring.PureInterface
    o: wiring.PureInterface

    def __init__(self, *, direction: Direction, slots: int, rounds: int, entry_in_basis: bool) -> None:
        self.direction = direction
        self.slots = slots
        self.rounds = rounds
        self.entry_in_basis = entry_in_basis
        super().__init__({
            "i": In(RoundKeySignature(slots=slots, rounds=rounds)),
            "o": Out(PreparedKeySignature(slots=slots, rounds=rounds)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        stages = [RoundKeySignature(slots=self.slots, rounds=self.rounds).create() for _ in range(1 + MIX_CYCLES)]
        for before, after in pairwise([self.i, *stages]):
            m.d.sync += after.valid.eq(before.valid)
            for field in ("slot", "round", "data"):
                # Not reset: where there is no key there are zeros, so that a key is gone with the cycle in which it is
                # valid.
                value = Signal.like(getattr(before, field), name=field, reset_less=True)
                m.d.sync += value.eq(getattr(before, field))
                m.d.comb += getattr(after, field).eq(value)
                if before is self.i:
                    with m.If(~before.valid):
                        m.d.sync += value.eq(0)
        unguarded(self.o.forward_parity, self.o.inverse_parity)
        mixed = stages[-1]
        byte_sum = self._sum_bytes(m, stages[0].data)
        m.d.sync += [
            self.o.valid.eq(mixed.valid << mixed.round),
            self.o.slot.eq(mixed.slot),
        ]
        if self.direction.encrypts:
            m.d.sync += [self.o.forward.eq(mixed.data), self.o.forward_parity.eq(byte_sum.xor())]
        if self.direction.decrypts:
            self._prepare_inverse(m, stages[0].data, mixed, byte_sum)
        return m

    @staticmethod
    def _sum_bytes(m: Module, data: Signal) -> Signal:
        """The XOR of the 16 bytes, as many cycles later as mixing takes."""
        columns, total = Signal(32, reset_less=True), Signal(8, reset_less=True)
        unguarded(columns, total)
        m.d.sync += [
            columns.eq(reduce(xor, (data.word_select(column, 32) for column in range(4)))),
            total.eq(reduce(xor, (columns.word_select(byte, 8) for byte in range(4)))),
        ]
        return total

    def _prepare_inverse(self, m: Module, data: Signal, mixed: wiring.PureInterface, byte_sum: Signal) -> None:
        mixing = mixing_of(self.direction)
        in_basis, plain = map_bytes(mixing.basis, byte_sum).xor(), byte_sum.xor()
        _, images = mixing.images
        m.submodules.mix_columns = mix_columns = MixColumns(direction=self.direction, stages=MIX_CYCLES)
        m.d.comb += mix_columns.i.eq(map_bytes(images, data))
        with m.Switch(mixed.round):
            with m.Case(0):
                m.d.sync += [self.o.inverse.eq(mixed.data), self.o.inverse_parity.eq(plain)]
            with m.Case(self.rounds):
                m.d.sync += [
                    self.o.inverse.eq(map_bytes(mixing.basis, mixed.data) if self.entry_in_basis else mixed.data),
                    self.o.inverse_parity.eq(in_basis if self.entry_in_basis else plain)]
            with m.Default():
                m.d.sync += [self.o.inverse.eq(mix_columns.mixed), self.o.inverse_parity.eq(in_basis)]
