"""One AES round in hardware."""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import Direction
from cbit.aes.round_keys import RoundKeys, RoundKeySignature
from cbit.aes.sbox import SubBytes
from cbit.aes.transform import inverse_mix_columns, inverse_shift_rows, mix_columns, mix_columns_factor, shift_rows
from cbit.config import SBox

__all__ = ["AesRound", "token_layout"]


def token_layout(*, slots: int, turns: int) -> data.StructLayout:
    """What goes beside a state: whether there is one, its key slot, how often it has been around, its direction."""
    return data.StructLayout({"valid": 1, "slot": range(slots), "turn": range(turns), "decrypt": 1})


class AesRound(Component):
    """SubBytes, ShiftRows, MixColumns and AddRoundKey (FIPS 197, 5.1), or their inverses (5.3).

    Latency: one cycle if ``registered``, with the register right after SubBytes, else none.
    Throughput: one state a cycle, without stalls.

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
    registered : :class:`bool`
        Whether the round has a register.

    Members
    -------
    token_i, state_i : ``In(token_layout(...))``, ``In(128)``
        What enters: a state after AddRoundKey.
    token_o, state_o : ``Out(token_layout(...))``, ``Out(128)``
        What leaves.
    last_o : ``Out(128)``
        In place of ``state_o``, the state if this was the last round, which has no MixColumns.
    round_key : ``In(RoundKeySignature(slots, rounds))``
        Writes round keys.
    """

    token_i: data.View
    state_i: Signal
    token_o: data.View
    state_o: Signal
    last_o: Signal
    round_key: wiring.PureInterface

    def __init__(self, *, direction: Direction, slots: int, rounds: int, turns: int, steps: tuple[int, ...],
                 sbox: SBox, registered: bool) -> None:
        self.direction = direction
        self.slots = slots
        self.rounds = rounds
        self.turns = turns
        self.steps = steps
        self.sbox = sbox
        self.registered = registered
        token = token_layout(slots=slots, turns=turns)
        super().__init__({
            "token_i": In(token),
            "state_i": In(128),
            "token_o": Out(token),
            "state_o": Out(128),
            "last_o": Out(128),
            "round_key": In(RoundKeySignature(slots=slots, rounds=rounds)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.sub_bytes = sub_bytes = SubBytes(
            direction=self.direction, sbox=self.sbox, registered=self.registered)
        m.submodules.keys = keys = RoundKeys(
            direction=self.direction, slots=self.slots, rounds=self.rounds, steps=self.steps)
        wiring.connect(m, wiring.flipped(self.round_key), keys.write)
        m.d["sync" if self.registered else "comb"] += self.token_o.eq(self.token_i)
        m.d.comb += [
            sub_bytes.decrypt.eq(self.token_i.decrypt),
            keys.slot.eq(self.token_o.slot),
            keys.turn.eq(self.token_o.turn),
            keys.decrypt.eq(self.token_o.decrypt),
        ]
        match self.direction:
            case Direction.ENCRYPT:
                self._encrypt(m, sub_bytes, keys.data)
            case Direction.DECRYPT:
                self._decrypt(m, sub_bytes, keys.data)
            case Direction.BOTH:
                self._either(m, sub_bytes, keys.data)
        return m

    def _encrypt(self, m: Module, sub_bytes: SubBytes, key: Signal) -> None:
        shifted = shift_rows(sub_bytes.o)
        m.d.comb += [
            sub_bytes.i.eq(self.state_i),
            self.last_o.eq(shifted ^ key),
            self.state_o.eq(mix_columns(m, shifted) ^ key),
        ]

    def _decrypt(self, m: Module, sub_bytes: SubBytes, key: Signal) -> None:
        m.d.comb += [
            sub_bytes.i.eq(inverse_shift_rows(self.state_i)),
            self.last_o.eq(sub_bytes.o ^ key),
            self.state_o.eq(inverse_mix_columns(m, self.last_o)),
        ]

    def _either(self, m: Module, sub_bytes: SubBytes, key: Signal) -> None:
        decrypt = self.token_o.decrypt
        shifted = Signal(128)
        factored = mix_columns_factor(m, self.last_o)
        mixed = mix_columns(m, Mux(decrypt, factored, shifted))
        m.d.comb += [
            sub_bytes.i.eq(Mux(self.token_i.decrypt, inverse_shift_rows(self.state_i), self.state_i)),
            shifted.eq(Mux(decrypt, sub_bytes.o, shift_rows(sub_bytes.o))),
            self.last_o.eq(shifted ^ key),
            self.state_o.eq(mixed ^ Mux(decrypt, 0, key)),
        ]
