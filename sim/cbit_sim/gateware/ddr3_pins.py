# amaranth: UnusedElaboratable=no
"""A controller of DDR3 as LiteDRAM makes it, from its registers to the pins by which a chip gets its commands."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, DomainRenamer, Elaboratable, IOPort, Module, ResetSignal
from amaranth.lib import io
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.dram.ddr3 import Ddr3
from cbit.dram.spec import DramSpec
from cbit_sim.cells import models
from cbit_sim.litedram_verilog import litedram_verilog

__all__ = ["Ddr3Pins"]

_ID_WIDTH = 4


class Ddr3Pins(Component):
    """The controller, and of a chip the burst that was written last.

    A cycle is a beat: half of one of the chip's clock, and a quarter of one of the controller's.

    Beside its members it has the pins of commands as ports, named ``chip_`` and as ``amaranth-boards`` does, with the
    levels that they have at the chip.

    Parameters
    ----------
    memory : :class:`~cbit.dram.spec.DramSpec`
        DDR3.
    folder : :class:`~pathlib.Path`
        Where what LiteDRAM generates is kept.
    lateness : :class:`int`
        How many beats of the PHY's pipeline there are beside its bitslip and its delay: what leveling finds.

    Members
    -------
    s_axil : ``In(AxiLiteSignature(addr_width=13))``
        The registers. It changes with the controller's clock.
    opened, ready
        As of :class:`~cbit.dram.ddr3.Ddr3`.
    controller_clk, controller_rst : ``Out(1)``
        The controller's clock and reset.
    """

    def __init__(self, memory: DramSpec, *, folder: Path, lateness: int):
        self.memory = memory
        self.lateness = lateness
        self.dram = Ddr3(memory, addr_width=memory.address_width, id_width=_ID_WIDTH, folder=folder)
        super().__init__({
            "s_axil": In(self.dram.s_axil.signature.flip()),
            "opened": In(1),
            "ready": Out(1),
            "controller_clk": Out(1),
            "controller_rst": Out(1),
        })

    @property
    def other_verilog(self) -> str:
        """What belongs to the top, and is no gateware of Amaranth's."""
        cells = Path(__file__).with_name("ddr3_cells.v").read_text(encoding="utf-8")
        numbers = {"DDR3_LATENESS": self.lateness, "DDR3_CAS_LATENCY_BEATS": 2 * self.dram.controller.cas_latency}
        defines = [f"`define {name} 6'd{number}" for name, number in numbers.items()]
        return "\n".join([*defines, litedram_verilog(self.dram.controller), models("FD1S3BX"), cells])

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        dram = self.dram
        m.domains.controller = domain = ClockDomain()
        m.submodules.dram = DomainRenamer("controller")(_OnBoard(dram, self._chip()))
        connect(m, flipped(self.s_axil), dram.s_axil)
        m.d.comb += [
            dram.crystal.eq(ClockSignal()), dram.hold.eq(ResetSignal()), domain.clk.eq(dram.clk),
            domain.rst.eq(dram.rst), dram.opened.eq(self.opened), self.ready.eq(dram.ready),
            self.controller_clk.eq(dram.clk), self.controller_rst.eq(dram.rst),
        ]
        return m

    def _chip(self) -> Any:
        """A board's resource of the chip."""
        width, port_width = self.memory.width, self.dram.controller.port_width
        widths = {"a": port_width("ddram_a"), "ba": port_width("ddram_ba"), "dm": width // 8, "dq": width,
                  **dict.fromkeys(("clk_en", "odt", "ras", "cas", "we", "cs", "rst", "clk"), 1)}
        ports = {name: io.SingleEndedPort(IOPort(count, name=f"chip_{name}")) for name, count in widths.items()}
        return SimpleNamespace(**ports, dqs=io.DifferentialPort(IOPort(width // 8, name="dqs_p"),
                                                                IOPort(width // 8, name="dqs_n")))


class _OnBoard(Elaboratable):
    """The controller, elaborated for a board with a chip."""

    def __init__(self, dram: Ddr3, chip: Any):
        self._dram, self._chip = dram, chip

    def elaborate(self, _platform: object) -> Module:
        board = SimpleNamespace(add_file=lambda *_: None, request=lambda *_, **__: self._chip)
        return self._dram.elaborate(board)
