"""The AES pipeline: rounds in a row, or in a ring."""

from itertools import pairwise
from typing import Any

from amaranth import Const, Module, Signal
from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import Direction, rounds_of
from cbit.aes.mixing import mixing_of
from cbit.aes.prepare_keys import PREPARE_CYCLES, PrepareKeys
from cbit.aes.round import AesRound, key_read_cycles
from cbit.aes.round_keys import RoundKeys, RoundKeySignature, write_every_cycles
from cbit.aes.transform import map_bytes
from cbit.config import SBox

__all__ = ["AesPipeline", "Direction"]

ENTRY_CYCLES = 2
"""Of the first AddRoundKey, where rounds take several cycles: to read its key, and to add it."""


class AesPipeline(Component):
    """Encrypts or decrypts blocks (FIPS 197, 5.1 and 5.3), each under the key of its slot.

    Latency: ``latency_cycles`` from ``i`` to ``o``, for every block and key: rounds / ``rounds_per_cycle``;
    with two or more ``cycles_per_round``, rounds * ``cycles_per_round`` + 2. Throughput: a block a cycle if
    ``unroll`` is all rounds, else a block every ``turns`` = ceil(rounds / ``unroll``) cycles on average:
    blocks go around the ring that often, and ``i`` waits while one comes around. Stalls: none within; ``o``
    never waits. Blocks leave in order.

    A round key written in cycle *t* is used from cycle *t* + 1 + ``key_cycles`` on, and the next is written in
    *t* + ``key_every_cycles`` or later. Whoever writes the keys of a slot sees to it that none of its blocks is
    inside, nor enters before its last round key is used.

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
    cycles_per_round : :class:`int`
        Registers in a round. 1 to 5; 1 with two ``rounds_per_cycle``.
    sbox : :class:`SBox`
        How the S-boxes are built.
    block_ram_rounds : :class:`int` or :data:`None`
        Most rounds in hardware that have ``SBox.BLOCK_RAM`` where that is asked for; the others have
        ``SBox.COMPOSITE``. :data:`None` means all.

    Members
    -------
    i : ``In(stream.Signature(StructLayout({"block": 128, "slot": range(slots)})))``
        Blocks; byte *i* is bits 8i+7..8i. With ``Direction.BOTH`` there is a third member, ``decrypt``.
        Always ready if ``unroll`` is all rounds.
    o : ``Out(stream.Signature(128, always_ready=True))``
        Blocks encrypted or decrypted.
    o_fault : ``Out(1)``
        Beside ``o``: a round key that was used had another parity than when it was written.
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
                 cycles_per_round: int = 1, sbox: SBox, block_ram_rounds: int | None = None) -> None:
        rounds = rounds_of(key_bits)
        if slots < 1:
            raise ValueError(f"Slots must be at least 1, not {slots!r}")
        if rounds_per_cycle not in (1, 2):
            raise ValueError(f"Rounds per cycle must be 1 or 2, not {rounds_per_cycle!r}")
        if not 1 <= unroll <= rounds or unroll % rounds_per_cycle:
            raise ValueError(f"Unroll must be a multiple of {rounds_per_cycle} from {rounds_per_cycle} to {rounds}, "
                             f"not {unroll!r}")
        if block_ram_rounds is not None and block_ram_rounds < 0:
            raise ValueError(f"Block RAM rounds must be at least 0, not {block_ram_rounds!r}")
        if sbox is SBox.BLOCK_RAM and rounds_per_cycle != 1:
            raise ValueError(f"Rounds per cycle must be 1 with the block_ram S-box, not {rounds_per_cycle!r}")
        if cycles_per_round not in range(1, 6):
            raise ValueError(f"Cycles per round must be an integer from 1 to 5, not {cycles_per_round!r}")
        if cycles_per_round != 1 and rounds_per_cycle != 1:
            raise ValueError(f"Cycles per round must be 1 with two rounds per cycle, not {cycles_per_round!r}")
        self.direction = direction
        self.key_bits = key_bits
        self.slots = slots
        self.unroll = unroll
        self.rounds_per_cycle = rounds_per_cycle
        self.cycles_per_round = cycles_per_round
        self.sbox = sbox
        self.block_ram_rounds = 0
        if sbox is SBox.BLOCK_RAM:
            self.block_ram_rounds = unroll if block_ram_rounds is None else min(unroll, block_ram_rounds)
        self.rounds = rounds
        self.key_every_cycles = max(
            write_every_cycles(direction, key_read_cycles(**self._parameters(number))) for number in range(unroll))
        # The first AddRoundKey with a register behind it has a round key a cycle later than the first round.
        self.key_cycles = PREPARE_CYCLES + max(unroll - 1, int(self._has_entry)) + self.key_every_cycles - 1
        payload = {"block": 128, "slot": range(slots)} | ({"decrypt": 1} if direction is Direction.BOTH else {})
        super().__init__({
            "i": In(stream.Signature(data.StructLayout(payload), always_ready=unroll == rounds)),
            "o": Out(stream.Signature(128, always_ready=True)),
            "o_fault": Out(1),
            "round_key": In(RoundKeySignature(slots=slots, rounds=rounds)),
        })

    @property
    def latency_cycles(self) -> int:
        """Cycles from ``i`` to ``o``."""
        return ENTRY_CYCLES * self._has_entry + self.rounds * self.cycles_per_round // self.rounds_per_cycle

    @property
    def _has_entry(self) -> bool:
        """Whether there are registers before and behind the first AddRoundKey."""
        return self.cycles_per_round > 1

    @property
    def turns(self) -> int:
        """How often a block goes around; a block enters every ``turns`` cycles."""
        return -(-self.rounds // self.unroll)

    @property
    def capacity(self) -> int:
        """Most blocks inside, one that is leaving included."""
        return ENTRY_CYCLES * self._has_entry + self.unroll * self.cycles_per_round // self.rounds_per_cycle

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.prepare_keys = prepare_keys = PrepareKeys(
            direction=self.direction, slots=self.slots, rounds=self.rounds, entry_in_basis=self.turns > 1)
        wiring.connect(m, wiring.flipped(self.round_key), prepare_keys.i)
        m.submodules.first_key = first_key = RoundKeys(
            direction=self.direction, slots=self.slots, rounds=self.rounds, steps=(0,),
            read_cycles=int(self._has_entry), fault_cycles=int(not self._has_entry))
        places = [self._place(number) for number in range(self.unroll)]
        wiring.connect(m, places[0].next_round_key if self._has_entry else prepare_keys.o, first_key.write)
        round_key = prepare_keys.o
        for number, place in enumerate(places):
            m.submodules[f"round_{number}"] = place
            wiring.connect(m, round_key, place.round_key)
            round_key = place.next_round_key

        tokens = self._tokens(m, first_key, places)
        exit_number = (self.rounds - 1) % self.unroll
        m.d.comb += [
            self.o.valid.eq(self._leaves(tokens[exit_number])),
            self.o.payload.eq(places[exit_number].last_o),
            self.o_fault.eq(tokens[exit_number].fault),
        ]
        self._enter(m, first_key, places[0])
        for number, (before, after) in enumerate(pairwise(places)):
            self._move(m, tokens[number], before, after, leaving=self.o.valid & (number == exit_number))
        if self.turns > 1:
            self._return(m, tokens[-1], places[-1], places[0], exits=exit_number == self.unroll - 1)
        return m

    def _place(self, number: int) -> AesRound:
        return AesRound(rounds=self.rounds, plain_entry=number == 0 and self.turns == 1, **self._parameters(number))

    def _parameters(self, number: int) -> dict[str, Any]:
        """Those of a round in hardware on which it depends how its keys are kept."""
        is_other = self.sbox is SBox.BLOCK_RAM and number >= self.block_ram_rounds
        return {
            "direction": self.direction, "slots": self.slots, "turns": self.turns,
            "steps": tuple(range(number + 1, self.rounds + 1, self.unroll)),
            "sbox": SBox.COMPOSITE if is_other else self.sbox,
            "cycles": self.cycles_per_round if (number + 1) % self.rounds_per_cycle == 0 else 0}

    def _leaves(self, token: data.View) -> Value:
        return token.valid & (token.turn == self.turns - 1)

    def _tokens(self, m: Module, first_key: RoundKeys, places: list[AesRound]) -> list[data.View]:
        """What leaves each round beside its state. Where a block enters without a register, it is told behind the first
        one that its first round key was faulty: the key is read in the cycle in which its slot comes."""
        tokens = [place.token_o for place in places]
        if not self._has_entry:
            first = self.rounds_per_cycle - 1
            has_entered, judged = Signal(), Signal.like(tokens[first])
            m.d.sync += has_entered.eq(self.i.valid & self.i.ready)
            m.d.comb += [
                judged.eq(tokens[first]),
                judged.fault.eq(tokens[first].fault | has_entered & first_key.faulty),
            ]
            tokens[first] = judged
        return tokens

    def _enter(self, m: Module, key: RoundKeys, first: AesRound) -> None:
        block = self.i.payload
        decrypt = block.decrypt if self.direction is Direction.BOTH else not self.direction.encrypts
        state = map_bytes(mixing_of(self.direction).basis, block.block) if self.turns > 1 else block.block
        # The first register is before the key's, so that what addresses the keys need not be near them.
        came, entered = Signal.like(first.token_i), Signal.like(first.token_i)
        came_state, entered_state = Signal(128, reset_less=True), Signal(128, reset_less=True)
        m.d["sync" if self._has_entry else "comb"] += [
            came.valid.eq(self.i.valid & self.i.ready),
            came.slot.eq(block.slot),
            came.decrypt.eq(decrypt),
            came_state.eq(state),
            entered.eq(came),
            *([entered.fault.eq(key.faulty)] if self._has_entry else ()),
            entered_state.eq(came_state ^ key.data),
        ]
        m.d.comb += [
            key.slot.eq(block.slot),
            key.decrypt.eq(decrypt),
            first.token_i.eq(entered),
            first.state_i.eq(entered_state),
        ]

    def _return(self, m: Module, leaving_token: data.View, last: AesRound, first: AesRound, *, exits: bool) -> None:
        """Lets a block go around, and none enter that would meet it."""
        token = last.coming_token_o if self._has_entry else leaving_token
        leaving = self._leaves(token) & exits
        returning = ~self.i.ready
        for _ in range(ENTRY_CYCLES if self._has_entry else 0):
            before, returning = returning, Signal()
            m.d.sync += returning.eq(before)
        m.d.comb += self.i.ready.eq(~token.valid | leaving)
        with m.If(returning):
            self._move(m, leaving_token, last, first, leaving=Const(0))
            m.d.comb += first.token_i.turn.eq(leaving_token.turn + 1)

    @staticmethod
    def _move(m: Module, token: data.View, before: AesRound, after: AesRound, *, leaving: Value) -> None:
        m.d.comb += [
            after.token_i.eq(token),
            after.token_i.valid.eq(token.valid & ~leaving),
            after.state_i.eq(before.state_o),
        ]
