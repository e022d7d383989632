"""What the registers tell of the board: for its lights, and for who asks for memory."""

from amaranth import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.data import View
from amaranth.lib.wiring import Component, In, Out

from cbit.csr.map import Register, register
from cbit.csr.word import register_layout

__all__ = ["LOOKS", "BoardState", "looked_at"]

LOOKS = 2
"""Registers that are looked at: the first is one of control, the second one of the host."""

_FIRST_ERROR_BITS = 3


def looked_at(*, has_psp: bool) -> tuple[Register, Register]:
    """The registers, in order."""
    return (register("mailbox", "BOOT_STATUS") if has_psp else register("psp", "STATUS"),
            register("host", "VIOLATION_STATUS"))


class BoardState(Component):
    """Keeps what the last look at each register has shown. A look that fails shows nothing released.

    Parameters
    ----------
    has_psp : :class:`bool`
        As of :func:`looked_at`.

    Members
    -------
    number : ``In(range(LOOKS))``
        Which register is looked at.
    data : ``In(stream.Signature(8, always_ready=True))``
        Its bytes, from the least significant.
    end : ``In(1)``
        All bytes have come.
    is_good : ``In(1)``
        While ``end``, whether the look has not failed.
    released : ``Out(1)``
        The engine accepts accesses, or the security processor has released the host.
    violation : ``Out(1)``
        A denied access is recorded.
    self_test_failed : ``Out(1)``
        The engine's self-test has failed, or the security processor has stopped with an error.
    """

    def __init__(self, *, has_psp: bool) -> None:
        self.has_psp = has_psp
        super().__init__({
            "number": In(range(LOOKS)),
            "data": In(stream.Signature(8, always_ready=True)),
            "end": In(1),
            "is_good": In(1),
            "released": Out(1),
            "violation": Out(1),
            "self_test_failed": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        word = Signal(32)
        control, host = (View(register_layout(looked), word) for looked in looked_at(has_psp=self.has_psp))
        has_failed = control.code[-_FIRST_ERROR_BITS:].all() if self.has_psp else control.self_test_failed
        with m.If(self.data.valid):
            m.d.sync += word.eq(Cat(word[8:], self.data.payload))
        with m.If(self.end & (self.number == 0)):
            m.d.sync += self.released.eq(control.released & self.is_good)
            with m.If(self.is_good):
                m.d.sync += self.self_test_failed.eq(has_failed)
        with m.If(self.end & self.is_good & (self.number == 1)):
            m.d.sync += self.violation.eq(host.valid)
        return m
