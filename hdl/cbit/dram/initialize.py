"""Initializes an SDR SDRAM through the registers of its controller."""

import math
from collections.abc import Iterator, Mapping

from amaranth import Array, Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, Out

from .dfi import CAS, CKE, CONTROL, CS, RAS, SELECT_CONTROLLER, WE, Step, command

__all__ = ["REGISTER_WRITE", "SdrInitializer"]

REGISTER_WRITE = StructLayout({"address": unsigned(16), "data": unsigned(32)})
"""A write of a register: its address in bytes, and what it gets."""

_PRECHARGE, _REFRESH, _SET_MODE = CS | RAS | WE, CS | RAS | CAS, CS | RAS | CAS | WE
_ALL_BANKS = 1 << 10
_CAS_LATENCY_BIT = 4
_REFRESHES = 8
"""All chips are content with as many; some with two."""

_COMMAND_NS = 100
"""More than any chip takes for one of these commands: t_RFC is the longest, up to 80 ns."""


class SdrInitializer(Component):
    """Takes an SDR SDRAM from power-up to the state in which LiteDRAM's controller can work with it.

    It holds CKE high for the time of power-up, precharges all banks, refreshes eight times, and sets the mode: bursts
    of one, and the CAS latency. Then it hands the pins to the controller, and opens the controller's user port. From a
    reset it does so anew, whatever state the chip is in (JESD21-C, 3.11.5).

    Latency: ``power_up_us``, and some 1.5 microseconds or 200 cycles. Stalls: waits for each write of a register.

    Parameters
    ----------
    registers : mapping
        Name of each register of the controller to its address in bytes.
    cas_latency : :class:`int`
        Cycles. 2 or 3.
    clock_hz : :class:`int`
        The clock of ``sync``.
    power_up_us : :class:`int`
        How long the chip is given after a reset. Chips want 100 or 200.

    Members
    -------
    o : ``Out(stream.Signature(REGISTER_WRITE))``
        Writes of registers.
    done : ``Out(1)``
        High from the end on.

    Raises
    ------
    ValueError
        If the CAS latency is none that SDR SDRAM has, or the time is not positive.
    """

    def __init__(self, *, registers: Mapping[str, int], cas_latency: int, clock_hz: int,
                 power_up_us: int = 200) -> None:
        if cas_latency not in (2, 3):
            raise ValueError(f"cas_latency must be 2 or 3, not {cas_latency!r}")
        if power_up_us <= 0:
            raise ValueError(f"power_up_us must be positive, not {power_up_us!r}")
        self.registers = dict(registers)
        self.cas_latency = cas_latency
        self.clock_hz = clock_hz
        self.power_up_us = power_up_us
        super().__init__({"o": Out(stream.Signature(REGISTER_WRITE)), "done": Out(1)})

    def _cycles(self, nanoseconds: int) -> int:
        return math.ceil(nanoseconds * self.clock_hz / 1_000_000_000)

    def _command(self, bits: int, address: int = 0) -> Iterator[Step]:
        return command(bits, address=address, wait_cycles=self._cycles(_COMMAND_NS))

    def _steps(self) -> Iterator[Step]:
        # At once: until then the controller drives the pins, and refreshes a chip that may not yet be asked.
        yield Step(CONTROL, CKE, self._cycles(1000 * self.power_up_us))
        yield from self._command(_PRECHARGE, _ALL_BANKS)
        for _ in range(_REFRESHES):
            yield from self._command(_REFRESH)
        yield from self._command(_SET_MODE, self.cas_latency << _CAS_LATENCY_BIT)
        yield Step(CONTROL, SELECT_CONTROLLER)
        yield Step("ddrctrl_init_done", 1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        steps = [*self._steps()]
        step = Signal(range(len(steps)))
        wait = Signal(range(max(each.wait_cycles for each in steps) + 1))
        m.d.comb += [
            self.o.payload.address.eq(Array(self.registers[each.register] for each in steps)[step]),
            self.o.payload.data.eq(Array(each.data for each in steps)[step]),
        ]
        # Writes and waits, a step after the other.
        with m.FSM():
            with m.State("WRITE"):
                m.d.comb += self.o.valid.eq(1)
                m.d.sync += wait.eq(Array(each.wait_cycles for each in steps)[step])
                with m.If(self.o.ready):
                    m.next = "WAIT"
            with m.State("WAIT"):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 0):
                    m.d.sync += step.eq(step + 1)
                    m.next = "WRITE"
                    with m.If(step == len(steps) - 1):
                        m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
        return m
