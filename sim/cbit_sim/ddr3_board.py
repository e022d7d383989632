"""LiteDRAM's gateware of DDR3, from its registers to a chip's pins, as what a security processor levels."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from cbit.dram.spec import DramSpec
from cbit_sim.compiled import CompiledComponent
from cbit_sim.ddr3_chip import Ddr3Chip
from cbit_sim.verilog import build_folder

__all__ = ["Ddr3Board"]

_BEATS_A_CYCLE = 4
_BEATS_A_CLOCK = 2
_RESET_BEATS = 1 << 18
_DELAY_LINE_BEATS = 1 << 10
_COMMAND_PINS = ("chip_cs", "chip_we", "chip_cas", "chip_ras")
"""By the bits of a command."""

_NO_OPERATION = 0b0001


class Ddr3Board:
    """DRAM in surroundings of a firmware in this process, as of :class:`~cbit_sim.native_firmware.DramRegisters`.

    A chip of Python is given what its pins are, from the first write of a register on; its data are the gateware's.

    Parameters
    ----------
    memory : :class:`~cbit.dram.spec.DramSpec`
        DDR3.
    timer_hz : :class:`int`
        The clock that cycles of :meth:`wait` are of.
    lateness : :class:`int`
        As of :class:`~cbit_sim.gateware.ddr3_pins.Ddr3Pins`.

    Attributes
    ----------
    table : tuple of :class:`int`
        What the firmware is told.
    chip : :class:`~cbit_sim.ddr3_chip.Ddr3Chip`
    component : :class:`~cbit_sim.compiled.CompiledComponent`
        The gateware.
    opened : :class:`bool`
        Whether accesses are let through.
    ready_early : :class:`bool`
        Whether they were before the firmware said so, though the controller had the chip.
    """

    def __init__(self, memory: DramSpec, *, timer_hz: int, lateness: int):
        top: Any = import_module("cbit_sim.gateware.ddr3_pins").Ddr3Pins(memory, folder=build_folder(),
                                                                         lateness=lateness)
        phy = top.dram.controller.phy
        self.table = top.dram.table(timer_hz=timer_hz)
        self.chip = Ddr3Chip(clock_hz=2 * memory.clock_hz, cas_latency=phy["CL"], cas_write_latency=phy["CWL"])
        self.component = CompiledComponent(top, modules=top.other_verilog)
        self._beat_ns = 1e9 / (_BEATS_A_CYCLE * memory.clock_hz)
        self._beats_a_tick = _BEATS_A_CYCLE * memory.clock_hz / timer_hz
        self.opened = self.ready_early = False
        self._is_watched = False
        self.component.until("controller_rst", 0, limit=_RESET_BEATS)
        # The PHY resets the controller once more, when its delay line is set.
        self.component.step(_DELAY_LINE_BEATS)
        self.component.until("controller_rst", 0, limit=_RESET_BEATS)
        # From here on a cycle of the controller begins where steps of it do.
        self.component.until("controller_clk", 0, limit=_BEATS_A_CYCLE)
        self.component.until("controller_clk", 1, limit=_BEATS_A_CYCLE)

    def read(self, offset: int) -> int:
        """A register as it reads."""
        self._send({"ar": offset})
        return self._answer("r") & 0xFFFF_FFFF

    def write(self, offset: int, value: int) -> None:
        """A register is written."""
        self._send({"aw": offset, "w": value | 0xF << 32})
        self._answer("b")
        self._is_watched = True
        self._pass(1)

    def wait(self, cycles: int) -> None:
        """Time passes, in whole cycles of the controller."""
        self._pass(-(-round(cycles * self._beats_a_tick) // _BEATS_A_CYCLE))

    def open(self) -> None:
        """Accesses are let through."""
        self.opened, self.ready_early = True, bool(self.component.get("ready"))
        self.component.set("opened", 1)
        self._pass(1)

    def _send(self, payloads: dict[str, int]) -> None:
        for channel, payload in payloads.items():
            self.component.set(f"s_axil__{channel}__payload", payload)
            self.component.set(f"s_axil__{channel}__valid", 1)
        self._until(lambda: all(self.component.get(f"s_axil__{channel}__ready") for channel in payloads))
        for channel in payloads:
            self.component.set(f"s_axil__{channel}__valid", 0)

    def _answer(self, channel: str) -> int:
        self.component.set(f"s_axil__{channel}__ready", 1)
        answer = self._until(lambda: self.component.get(f"s_axil__{channel}__valid")
                             and self.component.get(f"s_axil__{channel}__payload") + 1)
        self.component.set(f"s_axil__{channel}__ready", 0)
        return answer - 1

    def _until(self, shown: Callable[[], int]) -> int:
        """Lets cycles pass up to the one in which something is shown, and that."""
        while not (found := shown()):
            self._pass(1)
        self._pass(1)
        return found

    def _pass(self, cycles: int) -> None:
        """Lets cycles of the controller pass, in which the chip is given what its pins are."""
        left = _BEATS_A_CYCLE * cycles
        while left:
            taken = self._next_command(left)
            self.chip.wait(taken * self._beat_ns)
            left -= taken
            if left and not self.component.get("chip_cs"):
                self._give()
                self.component.step(_BEATS_A_CLOCK)
                self.chip.wait(_BEATS_A_CLOCK * self._beat_ns)
                left -= _BEATS_A_CLOCK
        if self._is_watched:
            self.chip.set_pins(enabled=bool(self.component.get("chip_clk_en")),
                               unreset=bool(self.component.get("chip_rst")))

    def _next_command(self, limit: int) -> int:
        """Lets beats pass until the chip is selected; how many."""
        try:
            return self.component.until("chip_cs", 0, limit=limit)
        except TimeoutError:
            return limit

    def _give(self) -> None:
        bits = sum((1 - self.component.get(pin)) << bit for bit, pin in enumerate(_COMMAND_PINS))
        if self._is_watched and bits != _NO_OPERATION:
            self.chip.command(bits, self.component.get("chip_a"), self.component.get("chip_ba"))
