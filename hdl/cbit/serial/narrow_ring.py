"""AES by columns, for both directions and both keys of a slot, all but a few bits of it in block RAM."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import rounds_of
from cbit.aes.column import ROWS, ColumnRound
from cbit.keys.types import RoundKeyWordSignature
from cbit.serial.ring import order_layout
from cbit.stream.block_ram import BlockRam

__all__ = ["COLUMNS", "ROUND_CYCLES", "NarrowRing", "narrow_ring_cycles"]

COLUMNS = 4

ROUND_CYCLES = 6
"""Four columns, one after the other, and the way of the last one: state, S-box, and state again."""

_STEPS = 16
"""Round keys of a kind that there is room for."""


def narrow_ring_cycles(key_bits: int) -> int:
    """Cycles from the last ``gives`` to the first in which ``busy`` is low."""
    return 2 + ROUND_CYCLES * rounds_of(key_bits)


class NarrowRing(Component):
    """Encrypts or decrypts a block at a time, under one of the two keys of a slot (FIPS 197, 5.1 and 5.3).

    Latency: :func:`narrow_ring_cycles`. Throughput: a block in as many cycles and those in which it is given and read.
    Round keys are those of encryption for both directions; they are written while no block of their slot is inside.

    Parameters
    ----------
    key_bits : :class:`int`
        Bits of a key: 128 or 256.
    slots : :class:`int`
        Number of key slots.

    Members
    -------
    order : ``In(order_layout(slots))``
        What is to be done with the block. Stays from the first column that is given until ``busy`` has fallen.
    gives : ``In(1)``
        A column is given in the cycle after. All four are, in ascending order, then it begins.
    column : ``In(2)``
        Its number, or while nothing is given and ``busy`` is low that of the one to be read.
    block : ``In(32)``
        The column that is given; its first byte is bits 7..0.
    busy : ``Out(1)``
        High from the cycle after the last ``gives`` until the block is done.
    result : ``Out(32)``
        The column that was wanted in the cycle before.
    fault : ``Out(1)``
        A round key that the block met had another parity than when it was written.
    round_key : ``In(RoundKeyWordSignature(slots, key_bits))``
        One column a cycle, of encryption.
    """

    def __init__(self, *, key_bits: int, slots: int) -> None:
        self.key_bits = key_bits
        self.slots = slots
        self.rounds = rounds_of(key_bits)
        self.keys = BlockRam(width=33, depth=COLUMNS * _STEPS * 2 << (slots - 1).bit_length())
        super().__init__({
            "order": In(order_layout(slots=slots)),
            "gives": In(1),
            "column": In(2),
            "block": In(32),
            "busy": Out(1),
            "result": Out(32),
            "fault": Out(1),
            "round_key": In(RoundKeyWordSignature(slots=slots, key_bits=key_bits)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.round = aes_round = ColumnRound()
        order = self.order
        # A state is read from one half of its memory while the next is written to the other. The number is that of the
        # step: the first AddRoundKey, then the rounds.
        half, begins, runs, at, number = Signal(), Signal(), Signal(), Signal(3), Signal(range(self.rounds + 1))
        is_read, read_column, is_written, column = Signal(), Signal(2), Signal(), Signal(2)
        key = self._read_key(m, Mux(self.gives, self.column, read_column), number)
        is_first = Signal()
        m.d.comb += [
            self.busy.eq(begins | runs),
            aes_round.decrypt.eq(order.decrypt), aes_round.i.eq(self.result), aes_round.block.eq(self.block),
            aes_round.key.eq(key), aes_round.is_plain.eq(number == self.rounds),
        ]
        m.d.sync += [
            is_read.eq(runs & ~at[2]), read_column.eq(at),
            is_written.eq(is_read | self.gives), column.eq(Mux(self.gives, self.column, read_column)),
            aes_round.is_block.eq(self.gives), is_first.eq(self.gives & (self.column == 0)),
            begins.eq(self.gives & (self.column == COLUMNS - 1)),
        ]
        with m.If(is_written):
            m.d.sync += self.fault.eq(key.xor() ^ self._parity | (self.fault & ~is_first))
        for row in range(ROWS):
            shifted = at[:2] + Mux(order.decrypt, -row & 3, row)
            m.submodules[f"row_{row}"] = ram = BlockRam(width=8, depth=2 * COLUMNS)
            m.d.comb += [
                ram.read_address.eq(Cat(Mux(runs, shifted[:2], self.column), half)),
                self.result.word_select(row, 8).eq(ram.read_data),
                ram.write_address.eq(Cat(column, ~half)), ram.write_data.eq(aes_round.o.word_select(row, 8)),
                ram.writes.eq(is_written),
            ]
        with m.If(begins):
            m.d.sync += [runs.eq(1), half.eq(~half), at.eq(0), number.eq(1)]
        with m.If(runs):
            m.d.sync += at.eq(at + 1)
            with m.If(at == ROUND_CYCLES - 1):
                m.d.sync += [at.eq(0), half.eq(~half), number.eq(number + 1)]
                with m.If(number == self.rounds):
                    m.d.sync += [runs.eq(0), number.eq(0)]
        return m

    def _read_key(self, m: Module, column: Value, number: Signal) -> Value:
        """A column of the round key of a step, the cycle after; its parity is :attr:`_parity` then."""
        m.submodules.keys = keys = self.keys
        order, given = self.order, self.round_key
        step = Mux(order.decrypt, self.rounds - number, number)[:len(number)]
        given_column = Cat(given.columns[1] | given.columns[3], given.columns[2] | given.columns[3])
        m.d.comb += [
            keys.read_address.eq(_key_address(order.slot, order.tweak_key, step, column, slots=self.slots)),
            keys.write_address.eq(
                _key_address(given.slot, given.tweak_key, given.step, given_column, slots=self.slots)),
            keys.write_data.eq(Cat(given.data, given.data.xor())),
            keys.writes.eq(given.columns.any()),
        ]
        self._parity = keys.read_data[32]
        return keys.read_data[:32]


def _key_address(slot, tweak_key, step, column, *, slots: int) -> Value:
    """Where a word is."""
    parts = ((column, 2), (step, (_STEPS - 1).bit_length()), (tweak_key, 1), (slot, (slots - 1).bit_length()))
    return Cat(Cat(part, Const(0, width))[:width] for part, width in parts)
