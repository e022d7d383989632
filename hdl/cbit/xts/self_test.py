"""The known-answer self-test of every AES core of an engine."""

from amaranth import Module, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.known_answer import known_answer
from cbit.axi.beat import BeatShape
from cbit.xts.lane import Direction

__all__ = ["SelfTest"]


class SelfTest(Component):
    """Asks each tweak engine for a tweak and the lanes for a beat in each direction, and compares the answers.

    The beat is the second of its line, where there is one, so that the multiplication by alpha has its part; each AES
    core of a lane gets another block.

    Runs once after reset, when the keys of :func:`~cbit.aes.known_answer.known_answer` are in slot 0. One core is asked
    after the other. A wrong answer, or one by a faulty round key, ends it at once, with ``failed``; one that never
    comes leaves it ``busy``.

    Latency: a cycle from ``keys_there`` on, that of each tweak engine and of each lane, and two for each of these.

    Parameters
    ----------
    key_bits : :class:`int`
        Bits of each key: 128 or 256.
    data_width : :class:`int`
        Bits of a beat: 128, 256 or 512.
    tweak_engines : :class:`int`
        How many there are.
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
    tweak_ask : ``Out(stream.Signature(0)).array(tweak_engines)``
        The tweak of line 0 is asked for.
    tweak_answer : ``In(stream.Signature(StructLayout({"data": 128, "fault": 1}), always_ready=True)).array(...)``
        It has come. ``fault``: a round key was faulty.
    ask : ``Out(stream.Signature(0)).array(len(directions))``
        The known beat is given to a lane: the plain one to be encrypted or the encrypted one to be decrypted.
    answer : ``In(stream.Signature(StructLayout({"data": data_width, "fault": 1}), always_ready=True)).array(...)``
        What came of it.
    """

    def __init__(self, *, key_bits: int, data_width: int, tweak_engines: int,
                 directions: tuple[Direction, ...]) -> None:
        beat = BeatShape(data_width)
        self.directions = directions
        self.known = known_answer(key_bits)
        self.number = min(1, beat.per_line - 1)
        place = slice(self.number * beat.bytes, (self.number + 1) * beat.bytes)
        self.plain, self.cipher = self.known.plain[place], self.known.cipher[place]
        asked = stream.Signature(unsigned(0))
        tweaked, answered = (stream.Signature(StructLayout({"data": width, "fault": 1}), always_ready=True)
                             for width in (128, data_width))
        super().__init__({
            "keys_there": In(1),
            "busy": Out(1, init=1),
            "failed": Out(1),
            "running": Out(1),
            "tweak_ask": Out(asked).array(tweak_engines),
            "tweak_answer": In(tweaked).array(tweak_engines),
            "ask": Out(asked).array(len(directions)),
            "answer": In(answered).array(len(directions)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        expected = [self.cipher if direction is Direction.ENCRYPT else self.plain for direction in self.directions]
        cores = [*((ask, answer, self.known.tweak) for ask, answer in zip(self.tweak_ask, self.tweak_answer)),
                 *zip(self.ask, self.answer, expected)]
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
        is_known = answer.payload.data == int.from_bytes(value, "little")
        m.d.sync += [came.eq(answer.valid), right.eq(is_known & ~answer.payload.fault)]
        return came, right
