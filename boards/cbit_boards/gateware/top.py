# amaranth: UnusedElaboratable=no
"""A board from its pins inward: clocks, the SoC, and the memory behind it."""

from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Module, ResetSignal
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import connect

from cbit.dram.pads import connect_pads
from cbit_boards.board import Board, Pin
from cbit_boards.gateware.ecp5_pll import Ecp5Pll
from cbit_boards.gateware.whole_beats import WholeBeats

__all__ = ["BoardTop"]


class BoardTop(Elaboratable):
    """All that is on a board's FPGA. It has no ports but those that it asks the platform for.

    Parameters
    ----------
    board : :class:`~cbit_boards.board.Board`
    soc : :class:`~cbit.soc.soc.Soc`
        Or what has its members.
    memory
        What stands behind it: a :class:`~cbit.dram.litedram.LiteDram`, :class:`~cbit.dram.ddr3.Ddr3` or
        :class:`~cbit_boards.gateware.on_chip_memory.OnChipMemory`.
    """

    def __init__(self, board: Board, *, soc: Any, memory: Any):
        self.board = board
        self.soc = soc
        self.memory = memory

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        if self.board.domains:
            self._make_clocks(m, platform)
        m.submodules.soc = soc = self.soc
        m.submodules.memory = memory = self.memory
        if self.board.has_byte_masks:
            connect(m, soc.m_axi, memory.s_axi)
        else:
            signature = soc.m_axi.signature
            m.submodules.whole_beats = whole = WholeBeats(addr_width=signature.addr_width, id_width=signature.id_width)
            connect(m, soc.m_axi, whole.s_axi)
            connect(m, whole.m_axi, memory.s_axi)
        m.d.comb += soc.memory_ready.eq(memory.ready)
        if self.board.levels_dram:
            connect(m, soc.m_axil_dram, memory.s_axil)
            m.d.comb += memory.opened.eq(soc.dram_open)
        if self.board.psp_clock_hz is not None:
            m.d.comb += soc.psp_clk.eq(ClockSignal("security"))
        self._join_line(m, platform)
        for output, pin in self.board.lights.items():
            _drive(m, output, _port(platform, pin), getattr(soc, output))
        for pin, level in self.board.levels.items():
            _drive(m, "_".join(filter(None, (pin.resource, pin.part))), _port(platform, pin), -level)
        if hasattr(memory, "pads"):
            self._join_chip(m, platform.request("sdram", dir="-"))
        return m

    def _make_clocks(self, m: Module, platform: Any) -> None:
        """The domains, from the PLL and, for DDR3, its controller's. Each is in reset until its PLL is locked, and
        again, at once, whenever it is not; and that controller's also with the other."""
        m.submodules.pll = pll = Ecp5Pll(self.board.dividers)
        m.submodules.crystal = crystal = io.Buffer("i", platform.request(platform.default_clk, dir="-"))
        m.d.comb += pll.clk.eq(crystal.i)
        for name, clk in zip(self.board.domains, pll.o):
            domain = ClockDomain(name)
            m.domains += domain
            m.d.comb += domain.clk.eq(clk)
            m.submodules[f"{name}_reset"] = ResetSynchronizer(~pll.locked, domain=name)
        if self.board.levels_dram:
            memory = self.memory
            m.domains.sync = ClockDomain()
            m.d.comb += [
                memory.crystal.eq(crystal.i),
                memory.hold.eq(~pll.locked),
                ClockSignal().eq(memory.clk),
                ResetSignal().eq(memory.rst),
            ]

    def _join_line(self, m: Module, platform: Any) -> None:
        """The serial line."""
        uart = platform.request("uart", dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.d.comb += self.soc.rx.eq(rx.i)
        _drive(m, "tx", uart.tx, self.soc.tx)

    def _join_chip(self, m: Module, chip: Any) -> None:
        """The SDRAM, whose clock leaves by the same kind of register as its other pins."""
        connect_pads(m, self.memory.pads, chip, has_byte_masks=self.board.has_byte_masks)
        m.submodules.chip_clk = clk = io.DDRBuffer("o", chip.clk, o_domain="sdram")
        m.d.comb += [clk.o[0].eq(1), clk.o[1].eq(0)]


def _port(platform: Any, pin: Pin) -> Any:
    """The port of a pin that is named."""
    resource = platform.request(pin.resource, pin.number, dir="-")
    return getattr(resource, pin.part) if pin.part else resource


def _drive(m: Module, name: str, port: Any, value: Any) -> None:
    """An output pin that shows a value. Whether the pin is low for it is the platform's to know."""
    m.submodules[name] = pin = io.Buffer("o", port)
    m.d.comb += pin.o.eq(value)
