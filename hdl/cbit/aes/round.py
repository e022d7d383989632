"""One AES round in hardware."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import Direction
from cbit.aes.mix_columns import MixColumns
from cbit.aes.mixing import PLAIN, mixing_of
from cbit.aes.round_keys import BLOCK_RAM_READ_CYCLES, PreparedKeySignature, RoundKeys
from cbit.aes.sbox import SubBytes
from cbit.aes.transform import inverse_shift_rows, shift_rows
from cbit.config import SBox
from cbit.guard.shadows import unguarded

__all__ = ["AesRound", "key_read_cycles", "token_layout"]

STAGES = {
    SBox.TABLE: {0: (0, 0), 1: (1, 0), 2: (1, 1), 3: (1, 2), 4: (2, 2), 5: (3, 2)},
    SBox.COMPOSITE: {0: (0, 0), 1: (1, 0), 2: (2, 0), 3: (2, 1), 4: (3, 1), 5: (3, 2)},
    SBox.BLOCK_RAM: {1: (1, 0), 2: (2, 0), 3: (2, 1), 4: (3, 1), 5: (3, 2)},
}
"""Of each number of registers in a round, how many are in SubBytes and how many in MixColumns."""

LUT_KEYS = 64
"""Up to so many round keys are cheaper in distributed RAM than in the four block RAMs that 128 bits take."""


def token_layout(*, slots: int, turns: int) -> data.StructLayout:
    """What goes beside a state: whether there is one, its key slot, how often it has been around, its direction, and
    whether it has met a faulty round key."""
    return data.StructLayout({"valid": 1, "slot": range(slots), "turn": range(turns), "decrypt": 1, "fault": 1})


def _keyed_cycles(sbox: SBox, cycles: int) -> int:
    """Registers of a round before AddRoundKey, which is with the last register of MixColumns."""
    sub_cycles, mix_cycles = STAGES[sbox][cycles]
    return sub_cycles + max(0, mix_cycles - 1)


def key_read_cycles(*, direction: Direction, slots: int, turns: int, steps: tuple[int, ...], sbox: SBox,
                    cycles: int) -> int:
    """Cycles that a round takes to read a key: two from block RAM, at most one from distributed RAM.

    Keys are in block RAM if states come around, the steps of all slots have more than 64 keys, and two registers
    are before AddRoundKey: with two or more ``cycles``, or three or more with ``SBox.TABLE``.

    Parameters
    ----------
    direction, slots, turns, steps, sbox, cycles
        As of :class:`AesRound`.
    """
    keys = len(steps) << (slots - 1).bit_length() + (direction is Direction.BOTH)
    is_in_block_ram = turns > 1 and keys > LUT_KEYS and _keyed_cycles(sbox, cycles) >= BLOCK_RAM_READ_CYCLES
    return BLOCK_RAM_READ_CYCLES if is_in_block_ram else min(cycles, 1)


class AesRound(Component):
    """SubBytes, ShiftRows, MixColumns and AddRoundKey (FIPS 197, 5.1), or their inverses (5.3.5).

    Latency: ``cycles``. Throughput: one state a cycle, without stalls.

    Round keys are where :func:`key_read_cycles` says.

    Parameters
    ----------
    direction : :class:`Direction`
        What the round can do.
    slots : :class:`int`
        Number of key slots.
    rounds : :class:`int`
        AES rounds of the cipher.
    turns : :class:`int`
        How often a state passes.
    steps : :class:`tuple` of :class:`int`
        The round that is done in each pass, from 1 to ``rounds``; after the last round there is none.
    sbox : :class:`SBox`
        How the S-boxes are built.
    cycles : :class:`int`
        Registers in the round: 0 to 5, where the README of this folder tells.
    plain_entry : :class:`bool`
        Whether ``state_i`` is in the basis of FIPS 197, not in that of ``state_o``.

    Members
    -------
    token_i, state_i : ``In(token_layout(...))``, ``In(128)``
        What enters: a state after AddRoundKey.
    token_o, state_o : ``Out(token_layout(...))``, ``Out(128)``
        What leaves, in the basis of :class:`~cbit.aes.mixing.Mixing`.
    coming_token_o : ``Out(token_layout(...))``
        What ``token_o`` will be in two cycles, if there are two or more.
    last_o : ``Out(128)``
        In place of ``state_o``, the state if this was the last round, which has no MixColumns.
    round_key : ``In(PreparedKeySignature(slots, rounds))``
        Writes round keys.
    next_round_key : ``Out(PreparedKeySignature(slots, rounds))``
        The same a cycle later, for the next round.
    """

    token_i: data.View
    state_i: Signal
    token_o: data.View
    coming_token_o: data.View
    state_o: Signal
    last_o: Signal
    round_key: wiring.PureInterface
    next_round_key: wiring.PureInterface

    def __init__(self, *, direction: Direction, slots: int, rounds: int, turns: int, steps: tuple[int, ...],
                 sbox: SBox, cycles: int, plain_entry: bool) -> None:
        self.direction = direction
        self.slots = slots
        self.rounds = rounds
        self.turns = turns
        self.steps = steps
        self.sbox = sbox
        self.cycles = cycles
        self.plain_entry = plain_entry
        self._key_read_cycles = key_read_cycles(direction=direction, slots=slots, turns=turns, steps=steps, sbox=sbox,
                                                cycles=cycles)
        token = token_layout(slots=slots, turns=turns)
        super().__init__({
            "token_i": In(token),
            "state_i": In(128),
            "token_o": Out(token),
            "coming_token_o": Out(token),
            "state_o": Out(128),
            "last_o": Out(128),
            "round_key": In(PreparedKeySignature(slots=slots, rounds=rounds)),
            "next_round_key": Out(PreparedKeySignature(slots=slots, rounds=rounds)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        mixing = mixing_of(self.direction)
        sub_cycles, mix_cycles = STAGES[self.sbox][self.cycles]
        m.submodules.sub_bytes = sub_bytes = SubBytes(
            direction=self.direction, sbox=self.sbox, stages=sub_cycles,
            basis=PLAIN if self.plain_entry else mixing.basis, images=mixing.images)
        m.submodules.mix_columns = mix_columns = MixColumns(direction=self.direction, stages=mix_cycles)
        m.submodules.keys = keys = RoundKeys(direction=self.direction, slots=self.slots, rounds=self.rounds,
                                             steps=self.steps, read_cycles=self._key_read_cycles)
        wiring.connect(m, wiring.flipped(self.round_key), keys.write)
        self._pass_round_key(m)

        tokens = self._pass_tokens(m, keys.faulty)
        keyed = tokens[_keyed_cycles(self.sbox, self.cycles) - keys.read_cycles]
        m.d.comb += [
            sub_bytes.i.eq(self._shift_rows()),
            sub_bytes.decrypt.eq(self.token_i.decrypt),
            mix_columns.i.eq(sub_bytes.o),
            keys.slot.eq(keyed.slot),
            keys.turn.eq(keyed.turn),
            keys.decrypt.eq(keyed.decrypt),
            mix_columns.key.eq(keys.data),
            self.state_o.eq(mix_columns.mixed),
            self.last_o.eq(mix_columns.plain),
        ]
        return m

    def _pass_round_key(self, m: Module) -> None:
        given, passed = self.round_key, self.next_round_key
        m.d.sync += passed.valid.eq(given.valid)
        for field in ("slot", "forward", "inverse", "forward_parity", "inverse_parity"):
            # Not reset: keys are there only for the cycle in which they are valid.
            value = Signal.like(getattr(given, field), reset_less=True)
            if field.endswith("parity"):
                unguarded(value)
            m.d.sync += value.eq(getattr(given, field))
            m.d.comb += getattr(passed, field).eq(value)

    def _pass_tokens(self, m: Module, faulty: Value) -> list[data.View]:
        """The token after each number of registers; whether its key is faulty it learns where that is added."""
        tokens = [self._keyed(m, self.token_i, 0, faulty)]
        for number in range(self.cycles):
            before, after = tokens[-1], Signal.like(self.token_i)
            # Not reset: what a token says counts only where it is valid.
            beside, valid = Signal.like(after, reset_less=True), Signal()
            m.d.sync += [beside.eq(before), valid.eq(before.valid)]
            m.d.comb += [after.eq(beside), after.valid.eq(valid)]
            tokens.append(self._keyed(m, after, number + 1, faulty))
        m.d.comb += [
            self.token_o.eq(tokens[-1]),
            self.coming_token_o.eq(tokens[max(0, self.cycles - 2)]),
        ]
        return tokens

    def _keyed(self, m: Module, token: data.View, number: int, faulty: Value) -> data.View:
        if number != _keyed_cycles(self.sbox, self.cycles):
            return token
        keyed = Signal.like(token)
        m.d.comb += [keyed.eq(token), keyed.fault.eq(token.fault | faulty)]
        return keyed

    def _shift_rows(self) -> Value:
        """ShiftRows, which may as well come before SubBytes."""
        match self.direction:
            case Direction.ENCRYPT:
                return shift_rows(self.state_i)
            case Direction.DECRYPT:
                return inverse_shift_rows(self.state_i)
            case Direction.BOTH:
                return Mux(self.token_i.decrypt, inverse_shift_rows(self.state_i), shift_rows(self.state_i))
