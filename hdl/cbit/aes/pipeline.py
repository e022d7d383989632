"""The AES pipeline: rounds in a row, or in a ring."""

from itertools import pairwise

from amaranth import Module
from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import Direction, rounds_of
from cbit.aes.round import AesRound
from cbit.aes.round_keys import RoundKeys, RoundKeySignature
from cbit.config import SBox

__all__ = ["AesPipeline", "Direction"]


class AesPipeline(Component):
    """Encrypts or decrypts blocks (FIPS 197, 5.1 and 5.3), each under the key of its slot.

    Latency: ``latency_cycles`` = rounds / ``rounds_per_cycle`` from ``i`` to ``o``, for every block and
    key. Throughput: a block a cycle if ``unroll`` is all rounds, else a block every ``turns`` =
    ceil(rounds / ``unroll``) cycles on average: blocks go around the ring that often, and ``i`` waits
    while one comes around. Stalls: none within; ``o`` never waits. Blocks leave in order.

    A round key written in cycle *t* is used from cycle *t* + 1 on. Whoever writes the keys of a slot
    sees to it that none of its blocks is inside, nor enters before its last round key was written.

    Parameters
    ----------
    direction : :class:`Direction`
        What the pipeline can do.
    key_bits : :class:`int`
        Bits of a key: 128 or 256.
    slots : :class:`int`
        Number of key slots. 1 or more.
    unroll : :class:`int`
        Rounds in hardware. 1 to the rounds of ``key_bits``; a multiple of ``rounds_per_cycle``.
    rounds_per_cycle : :class:`int`
        Rounds between two registers. 1 or 2; 1 with ``SBox.BLOCK_RAM``.
    sbox : :class:`SBox`
        How the S-boxes are built.

    Members
    -------
    i : ``In(stream.Signature(StructLayout({"block": 128, "slot": range(slots)})))``
        Blocks; byte *i* is bits 8i+7..8i. With ``Direction.BOTH`` there is a third member, ``decrypt``.
        Always ready if ``unroll`` is all rounds.
    o : ``Out(stream.Signature(128, always_ready=True))``
        Blocks encrypted or decrypted.
    round_key : ``In(RoundKeySignature(slots, rounds))``
        Writes round keys, in any order.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    i: stream.Interface
    o: stream.Interface
    round_key: wiring.PureInterface

    def __init__(self, *, direction: Direction, key_bits: int, slots: int, unroll: int, rounds_per_cycle: int,
                 sbox: SBox) -> None:
        rounds = rounds_of(key_bits)
        if slots < 1:
            raise ValueError(f"Slots must be at least 1, not {slots!r}")
        if rounds_per_cycle not in (1, 2):
            raise ValueError(f"Rounds per cycle must be 1 or 2, not {rounds_per_cycle!r}")
        if sbox is SBox.BLOCK_RAM and rounds_per_cycle != 1:
            raise ValueError(f"Rounds per cycle must be 1 with the block_ram S-box, not {rounds_per_cycle!r}")
        if not 1 <= unroll <= rounds or unroll % rounds_per_cycle:
            raise ValueError(f"Unroll must be a multiple of {rounds_per_cycle} from {rounds_per_cycle} to {rounds}, "
                             f"not {unroll!r}")
        self.direction = direction
        self.key_bits = key_bits
        self.slots = slots
        self.unroll = unroll
        self.rounds_per_cycle = rounds_per_cycle
        self.sbox = sbox
        self.rounds = rounds
        payload = {"block": 128, "slot": range(slots)} | ({"decrypt": 1} if direction is Direction.BOTH else {})
        super().__init__({
            "i": In(stream.Signature(data.StructLayout(payload), always_ready=unroll == rounds)),
            "o": Out(stream.Signature(128, always_ready=True)),
            "round_key": In(RoundKeySignature(slots=slots, rounds=rounds)),
        })

    @property
    def latency_cycles(self) -> int:
        """Cycles from ``i`` to ``o``."""
        return self.rounds // self.rounds_per_cycle

    @property
    def turns(self) -> int:
        """How often a block goes around; a block enters every ``turns`` cycles."""
        return -(-self.rounds // self.unroll)

    @property
    def capacity(self) -> int:
        """Most blocks inside, one that is leaving included."""
        return self.unroll // self.rounds_per_cycle

    def elaborate(self, _platform) -> Module:
        m = Module()
        places = [self._place(number) for number in range(self.unroll)]
        for number, place in enumerate(places):
            m.submodules[f"round_{number}"] = place
            wiring.connect(m, wiring.flipped(self.round_key), place.round_key)

        exit_place = places[(self.rounds - 1) % self.unroll]
        token = exit_place.token_o
        m.d.comb += [
            self.o.valid.eq(token.valid & (token.turn == self.turns - 1)),
            self.o.payload.eq(exit_place.last_o),
        ]

        self._enter(m, places[0])
        for before, after in pairwise(places):
            self._move(m, before, after, leaving=self.o.valid & (before is exit_place))
        if self.turns > 1:
            last = places[-1]
            leaving = self.o.valid & (last is exit_place)
            m.d.comb += self.i.ready.eq(~last.token_o.valid | leaving)
            with m.If(~self.i.ready):
                self._move(m, last, places[0], leaving=leaving)
                m.d.comb += places[0].token_i.turn.eq(last.token_o.turn + 1)
        return m

    def _place(self, number: int) -> AesRound:
        return AesRound(
            direction=self.direction, slots=self.slots, rounds=self.rounds, turns=self.turns,
            steps=tuple(range(number + 1, self.rounds + 1, self.unroll)), sbox=self.sbox,
            registered=(number + 1) % self.rounds_per_cycle == 0)

    def _enter(self, m: Module, first: AesRound) -> None:
        m.submodules.first_key = key = RoundKeys(
            direction=self.direction, slots=self.slots, rounds=self.rounds, steps=(0,))
        wiring.connect(m, wiring.flipped(self.round_key), key.write)
        block = self.i.payload
        decrypt = block.decrypt if self.direction is Direction.BOTH else not self.direction.encrypts
        m.d.comb += [
            key.slot.eq(block.slot),
            key.decrypt.eq(decrypt),
            first.token_i.valid.eq(self.i.valid),
            first.token_i.slot.eq(block.slot),
            first.token_i.decrypt.eq(decrypt),
            first.state_i.eq(block.block ^ key.data),
        ]

    @staticmethod
    def _move(m: Module, before: AesRound, after: AesRound, *, leaving: Value) -> None:
        m.d.comb += [
            after.token_i.eq(before.token_o),
            after.token_i.valid.eq(before.token_o.valid & ~leaving),
            after.state_i.eq(before.state_o),
        ]
