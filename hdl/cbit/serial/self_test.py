"""The known-answer self-test of the ring."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.aes.known_answer import known_answer
from cbit.serial.ports import TEST_PLACE, TurnSignature

__all__ = ["SELF_TEST_BLOCK", "SerialSelfTest", "known_cipher", "known_plain"]

SELF_TEST_BLOCK = 1
"""The block of the line that is asked for: not the first, so that the multiplication by alpha has its part."""


def known_plain(key_bits: int) -> int:
    """The block that is encrypted."""
    return _block(known_answer(key_bits).plain)


def known_cipher(key_bits: int) -> int:
    """What comes of it."""
    return _block(known_answer(key_bits).cipher)


def _block(line: bytes) -> int:
    return int.from_bytes(line[16 * SELF_TEST_BLOCK:16 * SELF_TEST_BLOCK + 16], "little")


class SerialSelfTest(Component):
    """Has a tweak made and a block encrypted and what comes of it decrypted, and compares both with what is known.

    Runs once after reset, when the keys of :func:`~cbit.aes.known_answer.known_answer` are in slot 0. A wrong answer,
    or one by a faulty round key, ends it at once, with ``failed``; one that never comes leaves it ``busy``. It sees a
    wrong tweak by the block that is encrypted with it.

    Latency: that of a tweak and of two blocks, and some cycles.

    Parameters
    ----------
    key_bits : :class:`int`
        Bits of each key: 128 or 256.
    compares : :class:`bool`
        Whether answers are compared here. If not, they come with ``is_right`` in place of ``data``.

    Members
    -------
    keys_there : ``In(1)``
        The round keys have come into use. Stays until ``busy`` falls.
    busy : ``Out(1)``
        High from reset until all is answered or one wrongly.
    failed : ``Out(1)``
        An answer was wrong. Stays until reset.
    running : ``Out(1)``
        The ring belongs to the self-test.
    load : ``Out(1)``
        Has :func:`known_plain` be the block that is encrypted.
    asks : ``Out(1)``
        The tweak of line 0 is asked for. Until it is this line's turn.
    turn : ``Out(TurnSignature())``
    answer : ``In(stream.Signature(StructLayout({"data": 128, "is_tweak": 1, "fault": 1}), always_ready=True))``
        What leaves the ring.
    """

    def __init__(self, *, key_bits: int, compares: bool = True) -> None:
        self.key_bits = key_bits
        self.compares = compares
        told = {"data": 128} if compares else {"is_right": 1}
        answer = StructLayout({**told, "is_tweak": 1, "fault": 1})
        super().__init__({
            "keys_there": In(1),
            "busy": Out(1, init=1),
            "failed": Out(1),
            "running": Out(1),
            "load": Out(1),
            "asks": Out(1),
            "turn": Out(TurnSignature()),
            "answer": In(stream.Signature(answer, always_ready=True)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        answer, decrypts, has_come, is_faulty = self.answer, Signal(), Signal(), Signal()
        is_right = Signal()
        is_expected = answer.payload.is_right if not self.compares else answer.payload.data == Mux(
            decrypts, known_plain(self.key_bits), known_cipher(self.key_bits))
        m.d.sync += [
            has_come.eq(answer.valid & ~answer.payload.is_tweak),
            is_right.eq(is_expected & ~answer.payload.fault & ~is_faulty),
            is_faulty.eq(is_faulty | (answer.valid & answer.payload.fault)),
        ]
        m.d.comb += [
            self.turn.feed.payload.decrypt.eq(decrypts),
            self.turn.feed.payload.number.eq(SELF_TEST_BLOCK),
            self.turn.feed.payload.place.eq(TEST_PLACE),
        ]
        # Once after reset: the tweak, the block there, and the same block back.
        with m.FSM():
            with m.State("WAIT"), m.If(self.keys_there & self.busy):
                m.d.sync += [self.running.eq(1), decrypts.eq(0)]
                m.next = "ASK"
            with m.State("ASK"):
                m.d.comb += [self.asks.eq(1), self.load.eq(1)]
                with m.If(self.turn.valid):
                    m.next = "FEED"
            with m.State("FEED"):
                m.d.comb += self.turn.feed.valid.eq(1)
                with m.If(self.turn.feed.ready):
                    m.next = "HEAR"
            with m.State("HEAR"), m.If(has_come):
                m.d.sync += decrypts.eq(1)
                m.next = "FEED"
                with m.If(~is_right | decrypts):
                    m.d.comb += self.turn.done.eq(1)
                    m.d.sync += [self.failed.eq(~is_right), self.busy.eq(0), self.running.eq(0)]
                    m.next = "WAIT"
        return m
