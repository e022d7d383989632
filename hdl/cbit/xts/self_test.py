"""The known-answer self-test of every AES core of an engine."""

from amaranth import Module, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.known_answer import known_answer
from cbit.xts.lane import Direction

__all__ = ["SelfTest"]


class SelfTest(Component):
    """Asks the tweak engine for a tweak and the lanes for a block in each direction, and compares the answers.

    Runs once after reset, when the keys of :func:`~cbit.aes.known_answer.known_answer` are in slot 0. One core is asked
    after the other. A wrong answer, or one by a faulty round key, ends it at once, with ``failed``; one that never
    comes leaves it ``busy``.

    Latency: a cycle from ``keys_there`` on, that of the tweak engine and of each lane, and two for each of these.

    Parameters
    ----------
    key_bits : :class:`int`
        Bits of each key: 128 or 256.
    directions : :class:`tuple` of :class:`~cbit.xts.lane.Direction`
        What the lanes can do, each ``ENCRYPT`` or ``DECRYPT``, in the order in which they are asked.

    Members
    -------
    keys_there : ``In(1)``
        The round keys have come into use. Stays until ``busy`` falls.
    busy : ``Out(1)``
        High from reset until all have answered or one wrongly.
    failed : ``Out(1)``
        An answer was wrong. Stays until reset.
    running : ``Out(1)``
        The cores belong to the self-test.
    tweak_ask : ``Out(stream.Signature(0))``
        The tweak of line 0 is asked for.
    tweak_answer : ``In(stream.Signature(StructLayout({"block": 128, "fault": 1}), always_ready=True))``
        It has come. ``fault``: a round key was faulty.
    ask : ``Out(stream.Signature(0)).array(len(directions))``
        The known block is given to a lane: the plain one to be encrypted or the encrypted one to be decrypted.
    answer : ``In(stream.Signature(StructLayout({"block": 128, "fault": 1}), always_ready=True)).array(...)``
        What came of it.
    """

    def __init__(self, *, key_bits: int, directions: tuple[Direction, ...]) -> None:
        self.directions = directions
        self.known = known_answer(key_bits)
        asked = stream.Signature(unsigned(0))
        answered = stream.Signature(StructLayout({"block": 128, "fault": 1}), always_ready=True)
        super().__init__({
            "keys_there": In(1),
            "busy": Out(1, init=1),
            "failed": Out(1),
            "running": Out(1),
            "tweak_ask": Out(asked),
            "tweak_answer": In(answered),
            "ask": Out(asked).array(len(directions)),
            "answer": In(answered).array(len(directions)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        expected = [self.known.cipher if direction is Direction.ENCRYPT else self.known.plain
                    for direction in self.directions]
        cores = [(self.tweak_ask, self.tweak_answer, self.known.tweak), *zip(self.ask, self.answer, expected)]
        with m.FSM():
            with m.State("WAIT"), m.If(self.keys_there & self.busy):
                m.d.sync += self.running.eq(1)
                m.next = "ASK_0"
            for number, (ask, answer, value) in enumerate(cores):
                came, right = self._compare(m, answer, value)
                with m.State(f"ASK_{number}"):
                    m.d.comb += ask.valid.eq(1)
                    with m.If(ask.ready):
                        m.next = f"HEAR_{number}"
                with m.State(f"HEAR_{number}"), m.If(came):
                    is_end = ~right | (number == len(cores) - 1)
                    m.d.sync += [self.failed.eq(~right), self.busy.eq(~is_end), self.running.eq(~is_end)]
                    m.next = f"ASK_{number + 1}" if number + 1 < len(cores) else "WAIT"
                    with m.If(~right):
                        m.next = "WAIT"
        return m

    @staticmethod
    def _compare(m: Module, answer: stream.Interface, value: bytes) -> tuple[Value, Value]:
        """Whether the answer has come and is right, each a cycle later."""
        came, right = Signal(), Signal()
        is_known = answer.payload.block == int.from_bytes(value, "little")
        m.d.sync += [came.eq(answer.valid), right.eq(is_known & ~answer.payload.fault)]
        return came, right
