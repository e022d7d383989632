"""A platform between a host and DRAM, under two clocks."""

from typing import Any

from cocotb.clock import Clock

from cbit_sim.clocked import Clocked, start_clock
from cbit_sim.dram import Dram, Personality
from cbit_sim.mailbox import Mailbox
from cbit_sim.manager import Manager
from cbit_sim.psp import HostPort
from cbit_sim.session import Session

__all__ = ["PSP_PERIOD_PS", "PlatformBed"]

PSP_PERIOD_PS = 2000

_DRAM = Personality(latency_cycles=(4, 12))


class PlatformBed:
    """Everything around a platform.

    Python works in cycles of the engine's clock only: where the security processor computes, a slow clock of the engine
    makes simulation fast.

    Parameters
    ----------
    dut
        cocotb's handle of the platform in its harness.
    session : :class:`~cbit_sim.session.Session`
        Configuration.
    size_bytes : :class:`int`
        Bytes of DRAM.
    engine_period_ps, psp_period_ps : :class:`int`
        Periods of the clocks.
    personality : :class:`~cbit_sim.dram.Personality`
        How DRAM behaves.
    seed : :class:`int`
        Of DRAM's choices; the entropy source's is one more.

    Attributes
    ----------
    clocked, manager, dram
        The parts on AXI4.
    mailbox, host
        The host's register ports.
    """

    def __init__(self, dut: Any, session: Session, *, size_bytes: int, engine_period_ps: int = PSP_PERIOD_PS,
                 psp_period_ps: int = PSP_PERIOD_PS, personality: Personality = _DRAM, seed: int = 0):
        self.dut = dut
        self._psp_period_ps = psp_period_ps
        for name in ("rst", "tsme", "wbinvd", "entropy_stuck"):
            getattr(dut, name).value = 0
        dut.entropy_seed.value = 1 + seed
        self._clocks: dict[str, Clock] = {}
        self.set_pace(engine_period_ps)
        self._clocks["psp_clk"] = start_clock(dut, "psp_clk", period_ps=psp_period_ps)
        self.clocked = Clocked(dut)
        self.clocked.held = True
        self.manager = Manager(dut, self.clocked)
        self.dram = Dram(dut, self.clocked, size_bytes=size_bytes, bus_bytes=int(session.config["data_width"]) // 8,
                         personality=personality, seed=seed)
        self.mailbox = Mailbox(dut)
        self.host = HostPort(dut)

    def set_pace(self, engine_period_ps: int) -> None:
        """Gives the engine's clock another period from now on."""
        self.stop_engine()
        self._clocks["clk"] = start_clock(self.dut, period_ps=engine_period_ps)

    def stop_engine(self) -> None:
        """Stops the engine's clock, and Python's models with it, until it is given a period again."""
        if "clk" in self._clocks:
            self._clocks.pop("clk").stop()

    async def reset(self, cycles: int = 1) -> None:
        """Resets the platform, and every model with it. DRAM keeps its bytes."""
        # What is driven at any other time than at an edge may last for less than a cycle.
        await self.clocked.cycles(1)
        self.dut.rst.value = 1
        self.clocked.held = True
        self.manager.reset()
        self.dram.reset()
        await self.clocked.cycles(cycles)
        self.dut.rst.value = 0
        await self.clocked.cycles(1)
        self.clocked.held = False
