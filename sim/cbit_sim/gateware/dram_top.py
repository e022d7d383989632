"""An engine between its managers and a memory controller, with the chip at the controller's pins."""

import math
from importlib import import_module
from pathlib import Path
from typing import Any

from amaranth import ClockSignal
from amaranth.hdl import Instance, Module
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import user_layout
from cbit.axi.ports import Axi4Signature, AxiLiteSignature
from cbit.axi.wire import Wire
from cbit.config import EngineConfig
from cbit.dram.litedram import LiteDram
from cbit.dram.spec import DramSpec
from cbit_sim.cells import PIN_REGISTERS, models
from cbit_sim.litedram_verilog import litedram_verilog

__all__ = ["POWER_UP_US", "TIMES_NS", "DramTop"]

POWER_UP_US = 2
"""Simulations do not wait as long as chips do."""

TIMES_NS = {"RP": 20, "RCD": 20, "RAS": 44, "RC": 66, "RFC": 66, "RRD": 15, "WR": 15, "REFRESH": 7812.5}
"""From the data sheet of a Micron MT48LC16M16A2-75. Other chips may want less, and LiteDRAM knows that."""


class DramTop(Component):
    """An engine or a wire, LiteDRAM, and an SDR SDRAM that notes what breaks its rules.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`
        Of the engine.
    has_engine : :class:`bool`
        Whether the engine is there, or the wire.
    memory : :class:`~cbit.dram.spec.DramSpec`
        The chip.
    folder : :class:`~pathlib.Path`
        Where what LiteDRAM generates is kept.

    Members
    -------
    s_axi, s_axil_psp, s_axil_host, irq
        As of the engine; of the wire ``s_axi`` alone.
    memory_ready : ``Out(1)``
        The chip is initialized.
    memory_errors : ``Out(16)``
        Rules that have been broken, a bit each: `sdram.v`.
    memory_refreshes : ``Out(32)``
        Refreshes that the chip has had.
    """

    def __init__(self, config: EngineConfig, *, has_engine: bool, memory: DramSpec, folder: Path) -> None:
        self.config = config
        self.has_engine = has_engine
        self.memory = memory
        self.dram = LiteDram(memory, addr_width=config.addr_width, id_width=config.id_width, folder=folder,
                             power_up_us=POWER_UP_US)
        widths = {"addr_width": config.addr_width, "data_width": config.data_width, "id_width": config.id_width}
        lite = AxiLiteSignature(addr_width=12)
        super().__init__({
            "s_axi": In(Axi4Signature(user_width=user_layout(asid_width=config.asid_width).size, **widths)),
            **({"s_axil_psp": In(lite), "s_axil_host": In(lite), "irq": Out(1)} if has_engine else {}),
            "memory_ready": Out(1),
            "memory_errors": Out(16),
            "memory_refreshes": Out(32),
        })

    @property
    def other_verilog(self) -> str:
        """What belongs to the top, and is no gateware of Amaranth's."""
        chip = Path(__file__).with_name("sdram.v").read_text(encoding="utf-8")
        return "\n".join([litedram_verilog(self.dram.controller), models(*PIN_REGISTERS), chip])

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.submodules.core = core = self._core()
        m.submodules.dram = dram = self.dram
        connect(m, flipped(self.s_axi), core.s_axi)
        connect(m, core.m_axi, dram.s_axi)
        if self.has_engine:
            connect(m, flipped(self.s_axil_psp), core.s_axil_psp)
            connect(m, flipped(self.s_axil_host), core.s_axil_host)
            m.d.comb += self.irq.eq(core.irq)
        m.d.comb += self.memory_ready.eq(dram.ready)
        pads = dram.pads
        m.submodules.chip = Instance(
            "sdram", **self._chip_parameters(), i_clk=~ClockSignal(),
            **{f"i_{name}": getattr(pads, name) for name in ("cke", "cs_n", "ras_n", "cas_n", "we_n", "a", "ba", "dm")},
            i_dq_i=pads.dq_o, i_dq_driven=pads.dq_oe, o_dq_o=pads.dq_i,
            o_errors=self.memory_errors, o_refreshes=self.memory_refreshes)
        return m

    def _core(self) -> Any:
        config = self.config
        if self.has_engine:
            return import_module("cbit.engine").Engine(config)
        return Wire(addr_width=config.addr_width, data_width=config.data_width, id_width=config.id_width,
                    user_width=config.asid_width + 3)

    def _chip_parameters(self) -> dict[str, int]:
        signature = self.dram.pads.signature
        columns = self.memory.memory_bytes * 8 // self.memory.width >> signature.row_width + signature.bank_width
        cycle_ns = 1e9 / self.memory.clock_hz
        return {
            "p_ROW_BITS": signature.row_width, "p_BANK_BITS": signature.bank_width,
            "p_COLUMN_BITS": columns.bit_length() - 1, "p_BYTES": self.memory.width // 8,
            "p_CAS_LATENCY": self.dram.controller.cas_latency,
            "p_POWER_UP": math.floor(1000 * POWER_UP_US / cycle_ns),
            **{f"p_{name}": math.ceil(time / cycle_ns) for name, time in TIMES_NS.items()},
        }
