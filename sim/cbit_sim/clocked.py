"""The clock of a simulated design, and models that are stepped together at each of its edges.

One coroutine steps all channels of all ports: this is several times faster than a coroutine for each channel, which is
how general bus models work, and it gives every model the same notion of a cycle.
"""

from collections.abc import Callable
from typing import Any, Protocol

import cocotb
from cocotb.clock import Clock
from cocotb.handle import Immediate
from cocotb.triggers import Event, RisingEdge

from cbit_sim.signals import word_reader, word_writer

__all__ = ["CLOCK_NS", "Clocked", "start_clock"]

CLOCK_NS = 2
"""Period of the clock."""


class Step(Protocol):
    """Something that does its work of one cycle."""

    def step(self) -> None: ...


def start_clock(dut: Any, name: str = "clk", *, period_ps: int = 1000 * CLOCK_NS) -> Clock:
    """Starts a clock, which runs in the simulator, with no Python in its cycles."""
    clock = Clock(getattr(dut, name), period_ps, "ps", impl="gpi", set_action=Immediate)
    clock.start()
    return clock


class Clocked:
    """Steps models at every rising edge of a clock, in the order in which they were added.

    What a step reads of the design are the values before the edge; what it drives appears after it.

    Parameters
    ----------
    dut
        cocotb's handle of the design in its harness.

    Attributes
    ----------
    cycle : :class:`int`
        Edges seen.
    held : :class:`bool`
        Whether models are not stepped, as while the design is in reset.
    seen, drive : :class:`int`
        Handshakes that the design has shown at the edge, and those that it is to see: :mod:`cbit_sim.harness`.
    on_error : callable or :data:`None`
        Called with an exception of a step, after which the others are ``held``; without it the simulation fails.
    """

    def __init__(self, dut: Any):
        self.cycle = 0
        self.held = False
        self.seen = 0
        self.drive = 0
        self.on_error: Callable[[Exception], None] | None = None
        self._driven = 0
        self._look = word_reader(dut.seen)
        self._put = word_writer(dut.drive)
        self._edge = RisingEdge(dut.clk)
        self._steps: list[Callable[[], None]] = []
        self._waiting: list[tuple[Callable[[], bool], Event]] = []
        self._task = cocotb.start_soon(self._run())

    def add(self, model: Step, *, first: bool = False) -> None:
        """Steps a model from now on, after all others, or before them where it is to be ``first``."""
        self._steps.insert(0 if first else len(self._steps), model.step)

    def stop(self) -> None:
        """Steps nothing any longer."""
        self._task.cancel()

    def flush(self) -> None:
        """Drives what a model has changed in ``drive`` outside of its step."""
        if self.drive != self._driven:
            self._driven = self.drive
            self._put(self._driven)

    async def until(self, condition: Callable[[], bool], limit: int) -> None:
        """Waits until a condition holds after some edge.

        Raises
        ------
        TimeoutError
            If it does not within ``limit`` cycles.
        """
        deadline = self.cycle + limit
        event = Event()
        self._waiting.append((lambda: condition() or self.cycle >= deadline, event))
        await event.wait()
        if not condition():
            raise TimeoutError(f"nothing came of {limit} cycles of waiting, at cycle {self.cycle}")

    async def cycles(self, count: int) -> None:
        """Waits for a number of cycles."""
        last = self.cycle + count
        await self.until(lambda: self.cycle >= last, count + 1)

    def _step(self) -> None:
        try:
            for step in self._steps:
                step()
        except Exception as error:
            if self.on_error is None:
                raise
            self.held = True
            self.on_error(error)

    async def _run(self) -> None:
        await self._edge
        # Icarus loses what is driven before time begins.
        self._put(self._driven)
        while True:
            await self._edge
            self.cycle += 1
            if not self.held:
                self.seen = self._look()
                self._step()
                self.flush()
            if self._waiting:
                met = [entry for entry in self._waiting if entry[0]()]
                for entry in met:
                    self._waiting.remove(entry)
                    entry[1].set()
