"""The round keys that one AddRoundKey of a pipeline needs."""

from amaranth import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import Direction
from cbit.guard.shadows import unguarded
from cbit.stream.block_ram import BlockRam

__all__ = ["BLOCK_RAM_READ_CYCLES", "PreparedKeySignature", "RoundKeySignature", "RoundKeys", "write_every_cycles"]

BLOCK_RAM_READ_CYCLES = 2
"""Its own, and that of the register behind it."""

_HELD = unsigned(129)
"""A round key and its parity."""

_LUT_INPUTS = 4


class RoundKeySignature(wiring.Signature):
    """Writes one round key of one slot; nothing waits.

    Parameters
    ----------
    slots : :class:`int`
        Number of key slots.
    rounds : :class:`int`
        AES rounds: the round keys are 0 to ``rounds``.

    Members
    -------
    valid : ``Out(1)``
        Whether a round key is written in this cycle.
    slot : ``Out(range(slots))``
        Its slot.
    round : ``Out(range(rounds + 1))``
        Its number in the schedule of FIPS 197, 5.2.
    data : ``Out(128)``
        The round key; byte *i* is bits 8i+7..8i.
    """

    def __init__(self, *, slots: int, rounds: int) -> None:
        self.slots = slots
        self.rounds = rounds
        super().__init__({
            "valid": Out(1),
            "slot": Out(range(slots)),
            "round": Out(range(rounds + 1)),
            "data": Out(128),
        })

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RoundKeySignature) and (self.slots, self.rounds) == (other.slots, other.rounds)


class PreparedKeySignature(wiring.Signature):
    """Writes one round key of one slot, as the rounds of a pipeline add it; nothing waits.

    Parameters
    ----------
    slots, rounds
        As of :class:`RoundKeySignature`.

    Members
    -------
    valid : ``Out(rounds + 1)``
        Bit *r*: whether round key *r* is written in this cycle.
    slot : ``Out(range(slots))``
        Its slot.
    forward : ``Out(128)``
        What encryption adds.
    inverse : ``Out(128)``
        What decryption adds.
    forward_parity, inverse_parity : ``Out(1)``
        Whether an odd number of bits of it is set.
    """

    def __init__(self, *, slots: int, rounds: int) -> None:
        self.slots = slots
        self.rounds = rounds
        super().__init__({
            "valid": Out(rounds + 1),
            "slot": Out(range(slots)),
            "forward": Out(128),
            "inverse": Out(128),
            "forward_parity": Out(1),
            "inverse_parity": Out(1),
        })

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PreparedKeySignature) and (self.slots, self.rounds) == (other.slots, other.rounds)


def write_every_cycles(direction: Direction, read_cycles: int) -> int:
    """Round keys are written at least so many cycles apart: two where one block RAM takes the keys of both directions,
    one after the other, else one."""
    return 2 if read_cycles == BLOCK_RAM_READ_CYCLES and direction is Direction.BOTH else 1


class RoundKeys(Component):
    """Holds, for each slot, the round keys of the steps that one AddRoundKey does.

    Step 0 of a cipher is its first AddRoundKey, step *r* that of round *r*. Encryption takes round key
    *r* in step *r*, decryption round key ``rounds - r`` (FIPS 197, 5.3).

    Latency: ``read_cycles``. A round key written in cycle *t* is read from *t* + ``write_every_cycles`` on. What
    is read in the very cycle in which it is written is undefined in block RAM.

    Parameters
    ----------
    direction : :class:`Direction`
        Whose keys are held.
    slots : :class:`int`
        Number of key slots.
    rounds : :class:`int`
        AES rounds.
    steps : :class:`tuple` of :class:`int`
        The step that is done in each pass.
    read_cycles : :class:`int`
        0 or 1 for distributed RAM, 1 with a register behind it; 2 for block RAM with a register behind it.
    fault_cycles : :class:`int`
        0 or 1: how many cycles after ``data`` ``faulty`` comes. With 1, no more than four bits are added in a cycle in
        which a key is read.

    Attributes
    ----------
    write_every_cycles : :class:`int`
        As :func:`write_every_cycles`.

    Members
    -------
    write : ``In(PreparedKeySignature(slots, rounds))``
        Every round key of the schedule; those of other steps are ignored.
    slot : ``In(range(slots))``
        The slot read.
    turn : ``In(range(len(steps)))``
        The pass read.
    decrypt : ``In(1)``
        The direction read; heeded with ``Direction.BOTH`` only.
    data : ``Out(128)``
        The round key.
    faulty : ``Out(1)``
        Its parity is not that with which it was written; ``fault_cycles`` after ``data``.
    """

    write: wiring.PureInterface
    slot: Signal
    turn: Signal
    decrypt: Signal
    data: Signal
    faulty: Signal

    def __init__(self, *, direction: Direction, slots: int, rounds: int, steps: tuple[int, ...],
                 read_cycles: int, fault_cycles: int = 0) -> None:
        assert read_cycles in (0, 1, 2)
        assert fault_cycles in (0, 1)
        self.direction = direction
        self.slots = slots
        self.rounds = rounds
        self.steps = steps
        self.read_cycles = read_cycles
        self.fault_cycles = fault_cycles
        self.write_every_cycles = write_every_cycles(direction, read_cycles)
        super().__init__({
            "write": In(PreparedKeySignature(slots=slots, rounds=rounds)),
            "slot": In(range(slots)),
            "turn": In(range(len(steps))),
            "decrypt": In(1),
            "data": Out(128),
            "faulty": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        held = self._hold_in_block_ram(m) if self.read_cycles == BLOCK_RAM_READ_CYCLES else self._hold_in_luts(m)
        if self.read_cycles:
            # Not reset: it follows the memory, which is not either, and holds nothing that that has not held before.
            taken = Signal(_HELD, reset_less=True)
            m.d.sync += taken.eq(held)
            held = taken
        m.d.comb += [self.data.eq(held[:128]), self.faulty.eq(self._added(m, held).xor())]
        return m

    def _added(self, m: Module, held: Value) -> Value:
        """Bits of the same parity as those of a key."""
        if not self.fault_cycles:
            return held
        count = -(-len(held) // _LUT_INPUTS)
        added = Signal(count, reset_less=True)
        unguarded(added)  # a flip of it is itself taken for a fault
        m.d.sync += added.eq(Cat(held[first::count].xor() for first in range(count)))
        return added

    def _hold_in_luts(self, m: Module) -> Value:
        held = []
        for name, writes, turn, key in self._writes(m):
            # Named, as otherwise the register behind it makes a block RAM of it.
            m.submodules[name] = memory = Memory(shape=_HELD, depth=len(self.steps) << len(self.slot), init=[],
                                                 attrs={"ram_style": "distributed"})
            read = memory.read_port(domain="comb")
            write = memory.write_port()
            m.d.comb += [
                read.addr.eq(Cat(self.slot, self.turn)),
                write.addr.eq(Cat(self.write.slot, turn)),
                write.data.eq(key),
                write.en.eq(writes),
            ]
            held.append(read.data)
        return Mux(self.decrypt, held[1], held[0]) if self.direction is Direction.BOTH else held[0]

    def _hold_in_block_ram(self, m: Module) -> Value:
        is_both = self.direction is Direction.BOTH
        m.submodules.memory = memory = BlockRam(
            width=_HELD.width, depth=len(self.steps) << len(self.slot) + is_both)
        (_, writes, turn, key), *others = self._writes(m)
        m.d.comb += [
            memory.read_address.eq(Cat(self.slot, self.decrypt, self.turn) if is_both else Cat(self.slot, self.turn)),
            memory.write_address.eq(Cat(self.write.slot, Const(0, 1), turn) if is_both else Cat(self.write.slot, turn)),
            memory.write_data.eq(key),
            memory.writes.eq(writes),
        ]
        for _, writes, turn, key in others:
            self._write_later(m, memory, writes, Cat(self.write.slot, Const(1, 1), turn), key)
        return memory.read_data

    @staticmethod
    def _write_later(m: Module, memory: BlockRam, writes: Value, address: Value, key: Value) -> None:
        late, late_address, late_key = Signal(), Signal.like(memory.write_address), Signal(_HELD, reset_less=True)
        m.d.sync += [late.eq(writes), late_address.eq(address), late_key.eq(key)]
        with m.If(late):
            m.d.comb += [memory.writes.eq(1), memory.write_address.eq(late_address), memory.write_data.eq(late_key)]

    def _writes(self, m: Module) -> list[tuple[str, Value, Signal, Value]]:
        """Of each direction that is held: its name, whether a key of it is written, that of which pass, the key and its
        parity."""
        numbers = {"forward": self.steps, "inverse": tuple(self.rounds - step for step in self.steps)}
        held = {"forward": self.direction.encrypts, "inverse": self.direction.decrypts}
        writes = []
        for name in (name for name, is_held in held.items() if is_held):
            turn = Signal(range(len(self.steps)), name=f"{name}_turn")
            for index, number in enumerate(numbers[name]):
                with m.If(self.write.valid[number]):
                    m.d.comb += turn.eq(index)
            is_written = Cat(self.write.valid[number] for number in numbers[name]).any()
            key = Cat(getattr(self.write, name), getattr(self.write, f"{name}_parity"))
            writes.append((name, is_written, turn, key))
        return writes
