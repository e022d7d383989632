"""A LiteDRAM controller of DDR3 behind a clean AXI4 port, which firmware initializes."""

from pathlib import Path
from typing import Any

from amaranth.hdl import Cat, Const, Instance, Module, Signal
from amaranth.lib import io
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.axi.ports import Axi4Signature, AxiLiteSignature
from cbit.psp.addresses import DRAM_ADDR_WIDTH

from .axi_port import DATA_WIDTH, axi_pins, bounds
from .generate import MODULE, generate
from .leveling import dram_table
from .pads import connect_output
from .register_access import RegisterAccess
from .spec import DramKind, DramSpec

__all__ = ["Ddr3"]

_OUTPUTS = {"a": "a", "ba": "ba", "dm": "dm", "cke": "clk_en", "odt": "odt", "ras_n": "ras", "cas_n": "cas",
            "we_n": "we"}
"""Pins to the names that boards of ``amaranth-boards`` have for them."""

_TIED_BY_SOME = {"cs_n": "cs", "reset_n": "rst"}
"""The same of pins that a board may have tied to the level at which the chip works."""


class Ddr3(Component):
    """DDR3 SDRAM under a LiteDRAM controller on an ECP5, which makes the clock of both.

    As :class:`~cbit.dram.litedram.LiteDram`, but for this: firmware initializes and levels the chip by the registers
    at ``s_axil``, as :meth:`table` tells, and says when it has. A reset loses what the chip holds.

    All but ``crystal``, ``hold``, ``clk`` and ``rst`` is in the domain ``sync``, whose clock and reset must be ``clk``
    and ``rst``. ``elaborate`` asks the platform for the resource ``ddr3``, named as in ``amaranth-boards``.

    Parameters
    ----------
    memory : :class:`~cbit.dram.spec.DramSpec`
        DDR3.
    addr_width, id_width : :class:`int`
        Of the port.
    folder : :class:`~pathlib.Path`
        Where what LiteDRAM generates is kept.

    Members
    -------
    crystal : ``In(1)``
        A clock of ``memory.crystal_hz``.
    hold : ``In(1)``
        While high, all is in reset. Asynchronous.
    clk, rst : ``Out(1)``
        Clock of ``memory.clock_hz``, and its reset, which begins at once and ends with that clock.
    s_axi : ``In(Axi4Signature(addr_width, data_width=128, id_width))``
        The memory, from address 0 on. Waits until ``ready``.
    s_axil : ``In(AxiLiteSignature(addr_width=13))``
        LiteDRAM's registers. Who reaches them can do to the chip what it wants.
    opened : ``In(1)``
        The chip is initialized. Once it is high it stays so until reset.
    ready : ``Out(1)``
        It is, and the controller has the chip.

    Raises
    ------
    ValueError
        If the memory is not DDR3, or LiteDRAM's chip has another size.
    cbit.dram.generate.DramGenerationError
        If LiteDRAM can not generate the controller.
    """

    def __init__(self, memory: DramSpec, *, addr_width: int, id_width: int, folder: Path) -> None:
        if memory.kind != DramKind.DDR3:
            raise ValueError(f"memory must be DDR3, not {memory.kind.value}")
        self.memory = memory
        self.addr_width = addr_width
        self.id_width = id_width
        self.controller = generate(memory, id_width=id_width, folder=folder)
        super().__init__({
            "crystal": In(1),
            "hold": In(1),
            "clk": Out(1),
            "rst": Out(1),
            "s_axi": In(Axi4Signature(addr_width=addr_width, data_width=DATA_WIDTH, id_width=id_width)),
            "s_axil": In(AxiLiteSignature(addr_width=DRAM_ADDR_WIDTH)),
            "opened": In(1),
            "ready": Out(1),
        })

    def table(self, *, timer_hz: int) -> tuple[int, ...]:
        """As of :func:`~cbit.dram.leveling.dram_table`."""
        return dram_table(self.memory, self.controller, timer_hz=timer_hz)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        platform.add_file(f"{MODULE}.v", self.controller.verilog)
        m.submodules.bounds = before = bounds(self.memory, addr_width=self.addr_width, id_width=self.id_width)
        m.submodules.registers = registers = RegisterAccess(addr_width=DRAM_ADDR_WIDTH)
        connect(m, flipped(self.s_axi), before.s_axi)
        connect(m, flipped(self.s_axil), registers.s_axil)
        is_done, has_failed = Signal(), Signal()
        m.d.comb += [self.ready.eq(self.opened & is_done & ~has_failed), before.enable.eq(self.ready)]
        m.submodules.controller = Instance(
            MODULE, i_clk=self.crystal, i_rst=self.hold, o_user_clk=self.clk, o_user_rst=self.rst,
            o_init_done=is_done, o_init_error=has_failed, **axi_pins(before.m_axi),
            **self._register_pins(registers), **self._chip_pins(m, platform.request("ddr3", dir="-")))
        return m

    def _register_pins(self, registers: RegisterAccess) -> dict[str, object]:
        """The controller's Wishbone port, whose addresses count words."""
        bus = registers.bus
        return {
            "i_wb_ctrl_cyc": bus.stb, "i_wb_ctrl_stb": bus.stb, "i_wb_ctrl_we": bus.we, "i_wb_ctrl_sel": bus.sel,
            "i_wb_ctrl_cti": Const(0, 3), "i_wb_ctrl_bte": Const(0, 2), "i_wb_ctrl_adr": Cat(bus.adr, Const(0, 19)),
            "i_wb_ctrl_dat_w": bus.dat_w, "o_wb_ctrl_dat_r": bus.dat_r, "o_wb_ctrl_ack": bus.ack,
            "o_wb_ctrl_err": registers.err,
        }

    def _chip_pins(self, m: Module, chip: Any) -> dict[str, object]:
        """The chip's pins. Those of data have their buffers within LiteDRAM, and a pair's second pin follows its first.
        """
        pins: dict[str, object] = {"io_ddram_dq": chip.dq.io, "io_ddram_dqs_p": chip.dqs.p,
                                   "i_ddram_dqs_n": Const(0, len(chip.dqs)), "i_ddram_clk_n": Const(0)}
        wired = _OUTPUTS | {pin: name for pin, name in _TIED_BY_SOME.items() if hasattr(chip, name)}
        for pin, name in wired.items():
            signal = Signal(self.controller.port_width(f"ddram_{pin}"), name=pin)
            connect_output(m, pin, getattr(chip, name), signal)
            pins[f"o_ddram_{pin}"] = signal
        clock = Signal(name="clk_p")
        m.submodules.clk_p_pins = buffer = io.Buffer("o", chip.clk)
        m.d.comb += buffer.o.eq(clock)
        return pins | {"o_ddram_clk_p": clock}
