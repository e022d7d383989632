"""A SoC whose firmware levels DRAM, with that DRAM's registers answered from outside."""

from collections.abc import Sequence

from amaranth.hdl import ClockSignal, Module
from amaranth.lib.wiring import Component, In, Out, connect

from cbit.config import EngineConfig
from cbit.dram.register_access import RegisterAccess
from cbit.psp.addresses import DRAM_ADDR_WIDTH
from cbit.soc.soc import Soc
from cbit_sim.gateware.dram import RandomDram

__all__ = ["LeveledTop"]


class LeveledTop(Component):
    """A SoC under one clock, with memory that is there once the firmware says so.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`
        The engine.
    memory_bytes : :class:`int`
        Bytes of DRAM. A power of two.
    table : sequence of :class:`int`
        The words of the map `dram_table`.

    Members
    -------
    asked : ``Out(1)``
        An access of a register waits.
    offset : ``Out(13)``, is_write : ``Out(1)``, written : ``Out(32)``
        Which; whether it is a write, and of what.
    answered : ``In(1)``, word : ``In(32)``
        It is done in this cycle; what is read.
    dram_open : ``Out(1)``
        The firmware has opened DRAM.
    is_early : ``Out(1)``
        DRAM has been asked for something before. Stays until reset.
    released, self_test_failed : ``Out(1)``
        Lights.
    entropy_seed : ``In(32)``
        Of the simulated entropy.
    """

    def __init__(self, config: EngineConfig, *, memory_bytes: int, table: Sequence[int]) -> None:
        self.memory_bytes = memory_bytes
        self.soc = Soc(config, memory_bytes=memory_bytes, firmware=b"", simulated_entropy=True, dram_table=table)
        super().__init__({
            "asked": Out(1), "offset": Out(DRAM_ADDR_WIDTH), "is_write": Out(1), "written": Out(32),
            "answered": In(1), "word": In(32),
            **{name: Out(1) for name in ("dram_open", "is_early", "released", "self_test_failed")},
            "entropy_seed": In(32),
        })

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.submodules.soc = soc = self.soc
        port = soc.m_axi.signature
        m.submodules.dram = dram = RandomDram(addr_width=port.addr_width, id_width=port.id_width,
                                              size_bytes=self.memory_bytes)
        m.submodules.registers = registers = RegisterAccess(addr_width=DRAM_ADDR_WIDTH)
        connect(m, soc.m_axi, dram.axi)
        connect(m, soc.m_axil_dram, registers.s_axil)
        bus = registers.bus
        m.d.comb += [
            self.asked.eq(bus.stb), self.offset.eq(bus.adr << 2), self.is_write.eq(bus.we), self.written.eq(bus.dat_w),
            bus.ack.eq(self.answered), bus.dat_r.eq(self.word),
            self.dram_open.eq(soc.dram_open), soc.memory_ready.eq(soc.dram_open),
            self.released.eq(soc.released), self.self_test_failed.eq(soc.self_test_failed),
            soc.rx.eq(1), soc.psp_clk.eq(ClockSignal()), soc.entropy_seed.eq(self.entropy_seed),
        ]
        with m.If(~self.dram_open & (soc.m_axi.aw.valid | soc.m_axi.w.valid | soc.m_axi.ar.valid)):
            m.d.sync += self.is_early.eq(1)
        return m
