"""The round keys that one AddRoundKey of a pipeline needs."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.cipher import Direction

__all__ = ["PreparedKeySignature", "RoundKeySignature", "RoundKeys"]


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
    """

    def __init__(self, *, slots: int, rounds: int) -> None:
        self.slots = slots
        self.rounds = rounds
        super().__init__({
            "valid": Out(rounds + 1),
            "slot": Out(range(slots)),
            "forward": Out(128),
            "inverse": Out(128),
        })

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PreparedKeySignature) and (self.slots, self.rounds) == (other.slots, other.rounds)


class RoundKeys(Component):
    """Holds, for each slot, the round keys of the steps that one AddRoundKey does.

    Step 0 of a cipher is its first AddRoundKey, step *r* that of round *r*. Encryption takes round key
    *r* in step *r*, decryption round key ``rounds - r`` (FIPS 197, 5.3).

    Latency: one cycle if ``registered``, else none. A round key written in cycle *t* is read from *t* + 1
    on.

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
    registered : :class:`bool`
        Whether ``data`` is a register.

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
    """

    write: wiring.PureInterface
    slot: Signal
    turn: Signal
    decrypt: Signal
    data: Signal

    def __init__(self, *, direction: Direction, slots: int, rounds: int, steps: tuple[int, ...],
                 registered: bool) -> None:
        self.direction = direction
        self.slots = slots
        self.rounds = rounds
        self.steps = steps
        self.registered = registered
        super().__init__({
            "write": In(PreparedKeySignature(slots=slots, rounds=rounds)),
            "slot": In(range(slots)),
            "turn": In(range(len(steps))),
            "decrypt": In(1),
            "data": Out(128),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        match self.direction:
            case Direction.ENCRYPT:
                data = self._hold_forward(m)
            case Direction.DECRYPT:
                data = self._hold_inverse(m)
            case Direction.BOTH:
                data = Mux(self.decrypt, self._hold_inverse(m), self._hold_forward(m))
        if self.registered:
            # Not reset: it follows the memory, which is not either, and holds nothing that that has not held before.
            taken = Signal(128, reset_less=True)
            m.d.sync += taken.eq(data)
            data = taken
        m.d.comb += self.data.eq(data)
        return m

    def _hold_forward(self, m: Module) -> Signal:
        return self._hold(m, "forward", self.steps, self.write.forward)

    def _hold_inverse(self, m: Module) -> Signal:
        return self._hold(m, "inverse", tuple(self.rounds - step for step in self.steps), self.write.inverse)

    def _hold(self, m: Module, name: str, key_numbers: tuple[int, ...], key: Signal) -> Signal:
        depth = len(key_numbers) << len(self.slot)
        # Named, as otherwise the register behind it makes a block RAM of it.
        m.submodules[name] = memory = Memory(shape=unsigned(128), depth=depth, init=[],
                                             attrs={"ram_style": "distributed"})
        read = memory.read_port(domain="comb")
        write = memory.write_port()
        turn = Signal(range(len(key_numbers)))
        m.d.comb += [
            read.addr.eq(Cat(self.slot, self.turn)),
            write.addr.eq(Cat(self.write.slot, turn)),
            write.data.eq(key),
            write.en.eq(Cat(self.write.valid[number] for number in key_numbers).any()),
        ]
        for index, number in enumerate(key_numbers):
            with m.If(self.write.valid[number]):
                m.d.comb += turn.eq(index)
        return read.data
