"""Time, and what interrupts the processor."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.csr.map import register
from cbit.csr.word import RegisterSignature

__all__ = ["Interrupts"]


class Interrupts(wiring.Component):
    """The timer with its alarm, the interrupt of the processor, and events of the host's hardware.

    The alarm is set in the cycle after TIMER was what ALARM is; one that is written for a time that has passed comes
    after the timer has gone all around.

    Members
    -------
    command : ``In(1)``
        A command of the host waits.
    engine : ``In(1)``
        The engine's interrupt.
    cache_flushed : ``In(1)``
        High for a cycle when every cache of the host was written back and invalidated.
    irq : ``Out(1)``
        One of what waits is enabled.
    timer, alarm, interrupt_status, interrupt_enable, host_events : ``In(RegisterSignature(...))``
        The registers of these names.
    """

    command: In(1)
    engine: In(1)
    cache_flushed: In(1)
    irq: Out(1)
    timer: In(RegisterSignature(register("processor", "TIMER")))
    alarm: In(RegisterSignature(register("processor", "ALARM")))
    interrupt_status: In(RegisterSignature(register("processor", "INTERRUPT_STATUS")))
    interrupt_enable: In(RegisterSignature(register("processor", "INTERRUPT_ENABLE")))
    host_events: In(RegisterSignature(register("processor", "HOST_EVENTS")))

    def elaborate(self, _platform) -> Module:
        m = Module()
        cycles, is_flushed, enable = Signal(32), Signal(), Signal(3)
        m.d.sync += cycles.eq(cycles + 1)
        m.d.comb += [
            self.timer.value.cycles.eq(cycles),
            self.interrupt_status.value.command.eq(self.command),
            self.interrupt_status.value.alarm.eq(self._alarm(m, cycles)),
            self.interrupt_status.value.engine.eq(self.engine),
            self.interrupt_enable.value.eq(enable),
            self.host_events.value.cache_flushed.eq(is_flushed),
        ]
        m.d.sync += self.irq.eq((self.interrupt_status.value.as_value() & enable).any())
        with m.If(self.interrupt_enable.write):
            m.d.sync += enable.eq(self.interrupt_enable.data.as_value())
        with m.If(self.cache_flushed):
            m.d.sync += is_flushed.eq(1)
        with m.Elif(self.host_events.write):
            m.d.sync += is_flushed.eq(0)
        return m

    def _alarm(self, m: Module, cycles: Signal) -> Signal:
        """Whether the alarm is set."""
        time, waits, is_set = Signal(32), Signal(), Signal()
        m.d.comb += self.alarm.value.cycles.eq(time)
        with m.If(self.alarm.write):
            m.d.sync += [time.eq(self.alarm.data.cycles), waits.eq(1), is_set.eq(0)]
        with m.Elif(waits & (cycles == time)):
            m.d.sync += [waits.eq(0), is_set.eq(1)]
        return is_set
