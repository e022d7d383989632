"""What the security processor switches on, and when it may."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.access.request import MODE
from cbit.csr.map import register
from cbit.csr.word import RegisterSignature

__all__ = ["Switches"]


class Switches(wiring.Component):
    """Holds mode, lock and release. Lock and release stay until reset.

    Members
    -------
    control : ``In(RegisterSignature(...))``
        CONTROL of the security processor. Release is refused unless ``erased`` has been high since reset, and
        while ``self_test_busy`` or ``self_test_failed``.
    mode_register : ``In(RegisterSignature(...))``
        MODE of the security processor, refused once locked.
    erased : ``In(1)``
        No key of before the reset is left.
    self_test_busy : ``In(1)``
        The self-test is not done.
    self_test_failed : ``In(1)``
        It failed, or a register was upset, which is remembered until reset.
    key_fault : ``In(1)``
        A round key was faulty, which is remembered until reset.
    mode : ``Out(MODE)``
        The mode bits.
    locked : ``Out(1)``
        The mode is locked.
    released : ``Out(1)``
        Accesses are accepted. Falls with a failed self-test or an upset.
    failed : ``Out(1)``
        The self-test has failed, or a register was upset, since reset.
    faulted : ``Out(1)``
        A round key was faulty since reset.
    """

    control: In(RegisterSignature(register("psp", "CONTROL")))
    mode_register: In(RegisterSignature(register("psp", "MODE")))
    erased: In(1)
    self_test_busy: In(1)
    self_test_failed: In(1)
    key_fault: In(1)
    mode: Out(MODE)
    locked: Out(1)
    released: Out(1)
    failed: Out(1)
    faulted: Out(1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        may_release, release = Signal(), Signal()
        with m.If(self.erased):
            m.d.sync += may_release.eq(1)
        with m.If(self.self_test_failed):
            m.d.sync += self.failed.eq(1)
        with m.If(self.key_fault):
            m.d.sync += self.faulted.eq(1)
        m.d.comb += [
            self.released.eq(release & ~self.failed),
            self.control.value.release.eq(self.released),
            self.control.value.lock.eq(self.locked),
            self.control.refuse.eq(
                self.control.data.release & (~may_release | self.self_test_busy | self.self_test_failed | self.failed)),
            self.mode_register.refuse.eq(self.locked),
        ]
        with m.If(self.control.write):
            m.d.sync += [
                release.eq(release | self.control.data.release),
                self.locked.eq(self.locked | self.control.data.lock),
            ]
        for name in MODE.members:
            m.d.comb += self.mode_register.value[name].eq(self.mode[name])
            with m.If(self.mode_register.write):
                m.d.sync += self.mode[name].eq(self.mode_register.data[name])
        return m
