"""SHA-256 of what lies in the buffer."""

from math import isqrt

from amaranth import Array, Cat, Const, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib.wiring import Component, In, Out

from cbit.psp.buffer import BufferSignature, leaves_buffer
from cbit.psp.register_port import register_port

__all__ = ["Sha256"]

BLOCK_WORDS = 16
ROUNDS = 64
STATE_WORDS = 8


def _cube_root_fraction(number: int) -> int:
    """The first 32 bits of the fraction of a number's cube root."""
    scaled, low, high = number << 96, 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle ** 3 <= scaled else (low, middle)
    return low & 0xFFFF_FFFF


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found if prime <= isqrt(candidate)):
            found.append(candidate)
        candidate += 1
    return found


CONSTANTS = [_cube_root_fraction(prime) for prime in _primes(ROUNDS)]
"""K of each round (FIPS 180-4, 4.2.2)."""


def _rotations(word: Value, *amounts: int, shift: int | None = None) -> Value:
    """The XOR of a word rotated right by each amount, and, where given, of it shifted right (FIPS 180-4, 4.1.2)."""
    result = word >> shift if shift is not None else Const(0, 32)
    for amount in amounts:
        result ^= word.rotate_right(amount)
    return result


class Sha256(Component):
    """Hashes blocks of the buffer into SHA_STATE (FIPS 180-4, 6.2).

    Latency: 8 cycles, and 74 for each block, from the write of SHA_START to the fall of SHA_STATUS.BUSY. Stalls: each
    cycle that the buffer lets it wait is one more. The words of a block are big-endian, in order of address.

    A start is refused while it runs and if the blocks do not lie in the buffer or at a word; SHA_STATE is not written
    while it runs, and reads as any value. What is left of the last block shows nowhere.

    Members
    -------
    sha_state, sha_start, sha_status : ``In(register_port(...))``
        The registers.
    buffer : ``Out(BufferSignature())``
        Where the blocks are.
    """

    sha_state: In(register_port("SHA_STATE"))
    sha_start: In(register_port("SHA_START"))
    sha_status: In(register_port("SHA_STATUS"))
    buffer: Out(BufferSignature())

    def elaborate(self, _platform) -> Module:
        m = Module()
        busy, rotates, runs_rounds = Signal(), Signal(), Signal()
        step, blocks = Signal(range(STATE_WORDS)), Signal(8)
        start = self.sha_start
        m.d.comb += [
            self.sha_status.value.busy.eq(busy),
            start.refuse.eq(busy | (start.data.blocks == 0) | start.data.offset[:2].any()
                            | leaves_buffer(start.data.offset, start.data.blocks << 6)),
        ]
        added, is_added, is_last = self._schedule(m, runs_rounds)
        adds_state = Signal()
        self._work(m, added=added, round_goes=is_added, rotates=rotates, adds_state=adds_state, busy=busy)
        m.d.comb += busy.eq(rotates | runs_rounds)
        with m.If(rotates):
            m.d.sync += step.eq(step + 1)

        # From the state to the working variables; each block's rounds; the sums of both, which are the new state.
        with m.FSM():
            with m.State("IDLE"):
                with m.If(start.write):
                    m.d.sync += [blocks.eq(start.data.blocks), self.buffer.address.eq(start.data.offset >> 2)]
                    m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += rotates.eq(1)
                with m.If(step == STATE_WORDS - 1):
                    m.next = "ROUNDS"
            with m.State("ROUNDS"):
                m.d.comb += runs_rounds.eq(1)
                with m.If(is_last):
                    m.d.sync += blocks.eq(blocks - 1)
                    m.next = "ADD"
            with m.State("ADD"):
                m.d.comb += [rotates.eq(1), adds_state.eq(1)]
                with m.If(step == STATE_WORDS - 1):
                    with m.If(blocks == 0):
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "ROUNDS"
        return m

    def _schedule(self, m: Module, runs: Value) -> tuple[Value, Value, Value]:
        """The message schedule (FIPS 180-4, 6.2.2, step 1): K + W of a round, whether it is there, and whether it is
        that of the last round."""
        # What it was before counts only beside a valid bit, which is reset.
        window = [Signal(32, name=f"word_{number}", reset_less=True) for number in range(BLOCK_WORDS)]
        added = Signal(32, reset_less=True)
        asked, number = Signal(range(BLOCK_WORDS + 1)), Signal(range(ROUNDS + 1))
        arrives, advances, is_added = Signal(), Signal(), Signal()
        word = Signal(32)
        constants = Array(Const(constant, 32) for constant in CONSTANTS)
        read = self.buffer.read_data
        m.d.comb += [
            self.buffer.valid.eq(runs & (asked != BLOCK_WORDS)),
            advances.eq(Mux(number < BLOCK_WORDS, arrives, runs & (number != ROUNDS))),
            word.eq(Mux(number < BLOCK_WORDS, Cat(read.word_select(3 - byte, 8) for byte in range(4)),
                        (_rotations(window[14], 17, 19, shift=10) + window[9])
                        + (_rotations(window[1], 7, 18, shift=3) + window[0]))),
        ]
        m.d.sync += [arrives.eq(self.buffer.valid & self.buffer.ready), is_added.eq(advances)]
        with m.If(self.buffer.valid & self.buffer.ready):
            m.d.sync += [asked.eq(asked + 1), self.buffer.address.eq(self.buffer.address + 1)]
        with m.If(advances):
            m.d.sync += [entry.eq(following) for entry, following in zip(window, [*window[1:], word])]
            m.d.sync += [added.eq(constants[number[:6]] + word), number.eq(number + 1)]
        with m.If(~runs):
            m.d.sync += [asked.eq(0), number.eq(0)]
        return added, is_added, is_added & (number == ROUNDS)

    def _work(self, m: Module, *, added: Value, round_goes: Value, rotates: Value, adds_state: Value,
              busy: Value) -> None:
        """The working variables, and the state that comes by beside them (FIPS 180-4, 6.2.2, steps 2 to 4)."""
        port = self.sha_state
        state = [Signal(32, name=f"state_{number}") for number in range(STATE_WORDS)]
        variables = [Signal(32, name=name) for name in "abcdefgh"]
        a, b, c, d, e, f, g, h = variables
        chosen, majority = (e & f) | (~e & g), (a & b) | (c & (a | b))
        first, second, sum_word = Signal(32), Signal(32), Signal(32)
        m.d.comb += [
            first.eq((h + added) + (_rotations(e, 6, 11, 25) + chosen)),
            second.eq(_rotations(a, 2, 13, 22) + majority),
            sum_word.eq(state[-1] + Mux(adds_state, h, 0)),
            port.refuse.eq(busy),
            port.value.eq(Cat(state)),
        ]
        with m.If(round_goes | rotates):
            m.d.sync += [variable.eq(before) for variable, before in zip(variables[1:], variables)]
            m.d.sync += [
                a.eq(Mux(round_goes, first + second, sum_word)),
                e.eq(d + Mux(round_goes, first, 0)),
            ]
        for number, word in enumerate(state):
            with m.If(rotates):
                m.d.sync += word.eq(state[number - 1] if number else sum_word)
            with m.If(port.write & (port.index == number)):
                m.d.sync += word.eq(port.data.as_value())
