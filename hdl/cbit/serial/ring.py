"""Two AES rounds in a ring, for both directions and both keys of a slot."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import Direction, rounds_of
from cbit.aes.mixing import mixing_of
from cbit.aes.sbox import SubBytes
from cbit.aes.transform import inverse_shift_rows, shift_rows
from cbit.config import SBox
from cbit.guard.shadows import unguarded
from cbit.keys.types import RoundKeyWordSignature

__all__ = ["ENTRY_CYCLES", "AesRing", "order_layout", "ring_cycles"]

ENTRY_CYCLES = 2
"""From the order of a block to the block itself, while its first round key is read."""

ROUND_CYCLES = 2
"""The address register and the output register of the S-boxes' block RAMs."""


def order_layout(*, slots: int) -> data.StructLayout:
    """What is to be done with a block: under which key of which slot, and whether to decrypt it."""
    return data.StructLayout({"slot": range(slots), "tweak_key": 1, "decrypt": 1})


def ring_cycles(key_bits: int) -> int:
    """Cycles from the order of a block to the cycle in which it leaves."""
    return ENTRY_CYCLES + ROUND_CYCLES * rounds_of(key_bits)


class _ColumnKeys(Component):
    """Every other round key of all slots, in a block RAM for each column, read within two cycles, with its parity.

    Parameters
    ----------
    slots, key_bits : :class:`int`
        As of :class:`AesRing`.
    remainder : :class:`int`
        Those of even steps, 0, or of odd ones, 1.
    """

    def __init__(self, *, slots: int, key_bits: int, remainder: int) -> None:
        self.slots = slots
        self.remainder = remainder
        self.passes = rounds_of(key_bits) // 2 + 1
        # Nothing is read while it is written, so that nothing need look for that.
        self.memories = [Memory(shape=unsigned(33), depth=self.passes << (slots - 1).bit_length() + 2, init=[],
                               attrs={"ram_style": "block", "no_rw_check": 1}) for _ in range(4)]
        super().__init__({
            "write": In(RoundKeyWordSignature(slots=slots, key_bits=key_bits)),
            "order": In(order_layout(slots=slots)),
            "number": In(range(self.passes)),
            "data": Out(128),
            "faulty": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        write = self.write
        held = []
        for column in range(4):
            m.submodules[f"column_{column}"] = memory = self.memories[column]
            read, entry = memory.read_port(domain="comb"), memory.write_port()
            # Not reset: registers of a block RAM are not either.
            found, taken = Signal(33, reset_less=True), Signal(33, reset_less=True)
            unguarded(found, taken)
            m.d.comb += [
                read.addr.eq(Cat(self.order.slot, self.order.tweak_key, self.order.decrypt, self.number)),
                entry.addr.eq(Cat(write.slot, write.tweak_key, write.inverse, write.step[1:])),
                entry.data.eq(Cat(write.data, write.data.xor())),
                entry.en.eq(write.columns[column] & (write.step[0] == self.remainder)),
            ]
            m.d.sync += [found.eq(read.data), taken.eq(found)]
            held.append(taken)
        m.d.comb += [
            self.data.eq(Cat(word[:32] for word in held)),
            self.faulty.eq(Cat(word.xor() for word in held).any()),
        ]
        return m


class AesRing(Component):
    """Encrypts or decrypts blocks (FIPS 197, 5.1 and 5.3.5), each under one of the two keys of a slot.

    A block is ordered two cycles before it is given, so that its first round key is there when it enters. A ring of
    four registers and two rounds holds four blocks; each goes around as often as there are pairs of rounds, and leaves
    its place free for one turn.

    Latency: :func:`ring_cycles` from the order to ``result``, 22 with AES-128 and 30 with AES-256. Throughput: a block
    every 6 cycles on average, or every 8. Stalls: an order waits for a free place; ``result`` never waits. In order.

    Round keys are written in any order, while no block of their slot is inside; one is used from the next cycle on.

    Parameters
    ----------
    key_bits : :class:`int`
        Bits of a key: 128 or 256.
    slots : :class:`int`
        Number of key slots.

    Members
    -------
    valid, ready : ``In(1)``, ``Out(1)``
        A block is ordered; it is taken.
    order : ``In(order_layout(slots))``
    block : ``In(128)``
        The block ordered :data:`ENTRY_CYCLES` ago; byte *i* is bits 8i+7..8i.
    leaves_soon : ``Out(1)``
        A block leaves two cycles from now.
    leaves : ``Out(1)``
        A block leaves.
    result : ``Out(128)``
        The block that leaves.
    fault : ``Out(1)``
        In the cycle after: a round key that it met had another parity than when it was written.
    round_key : ``In(RoundKeyWordSignature(slots, key_bits))``
    """

    def __init__(self, *, key_bits: int, slots: int) -> None:
        self.key_bits = key_bits
        self.slots = slots
        self.turns = rounds_of(key_bits) // 2
        self.keys = [_ColumnKeys(slots=slots, key_bits=key_bits, remainder=1 - number) for number in range(2)]
        super().__init__({
            "valid": In(1),
            "ready": Out(1),
            "order": In(order_layout(slots=slots)),
            "block": In(128),
            "leaves_soon": Out(1),
            "leaves": Out(1),
            "result": Out(128),
            "fault": Out(1),
            "round_key": In(RoundKeyWordSignature(slots=slots, key_bits=key_bits)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        token = data.StructLayout({"order": order_layout(slots=self.slots), "turn": range(self.turns)})
        # What a token says counts only where it is valid, which is reset.
        tokens = [Signal(token, name=f"token_{number}", reset_less=True) for number in range(2 * ROUND_CYCLES)]
        valids, faults = Signal(len(tokens)), Signal(len(tokens), reset_less=True)
        entering, first = Signal(token), Signal(token)
        state, mixed, plain = [Signal(128, name=f"state_{number}") for number in range(2)], [], []
        keys = self.keys
        for number in range(2):
            self._round(m, number, state[number], (first, tokens[1])[number].order.decrypt, mixed, plain)

        # The token at an S-box's output tells which key is added there; the one before it asks for that.
        ordered, enters = Signal(token, reset_less=True), Signal(ENTRY_CYCLES)
        m.d.comb += [
            self.ready.eq(~valids[1]),
            keys[0].order.eq(first.order), keys[0].number.eq(first.turn),
            keys[1].order.eq(Mux(valids[1], tokens[1].order.as_value(), self.order.as_value())),
            keys[1].number.eq(Mux(valids[1], tokens[1].turn + 1, 0)),
            state[1].eq(mixed[0]),
            first.eq(tokens[3]), first.turn.eq(tokens[3].turn + 1),
            state[0].eq(mixed[1]),
            self.leaves_soon.eq(valids[1] & (tokens[1].turn == self.turns - 1)),
            self.leaves.eq(valids[3] & (tokens[3].turn == self.turns - 1)),
            self.result.eq(plain[1]),
            self.fault.eq(faults[0]),
        ]
        m.d.sync += [
            enters.eq(Cat(self.valid & self.ready, enters)),
            entering.eq(ordered), entering.turn.eq(0), ordered.order.eq(self.order),
        ]
        with m.If(enters[1]):
            m.d.comb += [first.eq(entering), state[0].eq(self.block ^ keys[1].data)]
        m.d.sync += [
            *(after.eq(before) for before, after in zip([first, *tokens], tokens)),
            valids.eq(Cat(enters[1] | (valids[3] & ~self.leaves), valids)),
            faults.eq(Cat(keys[1].faulty | (faults[3] & ~enters[1]), faults[0], faults[1] | keys[0].faulty, faults[2])),
        ]
        return m

    def _round(self, m: Module, number: int, state: Signal, decrypt: Value, mixed: list[Value],
               plain: list[Value]) -> None:
        mixing = mixing_of(Direction.BOTH)
        m.submodules[f"sub_bytes_{number}"] = sub_bytes = SubBytes(
            direction=Direction.BOTH, sbox=SBox.BLOCK_RAM, stages=ROUND_CYCLES, images=mixing.images)
        m.submodules[f"keys_{number}"] = keys = self.keys[number]
        wiring.connect(m, wiring.flipped(self.round_key), keys.write)
        m.d.comb += [
            sub_bytes.i.eq(Mux(decrypt, inverse_shift_rows(state), shift_rows(state))),
            sub_bytes.decrypt.eq(decrypt),
        ]
        mixed.append(_mixed(m, sub_bytes.o) ^ keys.data)
        plain.append(_plain(sub_bytes.o) ^ keys.data)


def _mixed(m: Module, images: Value) -> Value:
    """MixColumns (FIPS 197, 5.1.3), of sums that two bits of a column share: each of the S-boxes' images, of which the
    second comes from two rows down, goes through two levels of LUT4."""
    columns = []
    for column in range(4):
        words = [images.word_select(4 * column + row, 16) for row in range(4)]
        rows = [words[row][:8] ^ words[(row + 2) % 4][8:] for row in range(4)]
        pairs = [Signal(8) for _ in range(4)]
        m.d.comb += [pair.eq(rows[row] ^ rows[(row + 1) % 4]) for row, pair in enumerate(pairs)]
        columns += [_doubled(pairs[row]) ^ rows[(row + 1) % 4] ^ pairs[(row + 2) % 4] for row in range(4)]
    return Cat(columns)


def _plain(images: Value) -> Value:
    """The state as it is without MixColumns: the two images of a byte are five and four times it, or it and zero."""
    return Cat(images.word_select(byte, 16)[:8] ^ images.word_select(byte, 16)[8:] for byte in range(16))


def _doubled(byte: Value) -> Value:
    """Two times a byte in GF(2^8) (FIPS 197, 4.2.1)."""
    return Cat(0, byte[:7]) ^ Mux(byte[7], 0x1B, 0)
