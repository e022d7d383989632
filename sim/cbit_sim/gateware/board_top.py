"""A board at the end of a serial line, with DRAM, all of it gateware."""

from amaranth.hdl import ClockSignal, Module, Signal
from amaranth.lib.wiring import Component, In, Out, connect

from cbit.soc.soc import Soc
from cbit_sim.gateware.dram import RandomDram
from cbit_sim.gateware.serial_host import SerialHost

__all__ = ["BoardTop"]

_CYCLES_A_BIT = 8
_READY_CYCLES = 1000


class BoardTop(Component):
    """A SoC under one clock, with memory that answers late and in any order, and is ready after a thousand cycles.

    Parameters
    ----------
    soc : :class:`~cbit.soc.soc.Soc`
        With a security processor or without.
    memory_bytes : :class:`int`
        Bytes of DRAM. A power of two, and what the SoC takes for it.

    Members
    -------
    given, put, sending, received, is_received, take
        As of :class:`~cbit_sim.gateware.serial_host.SerialHost`.
    released, violation, self_test_failed : ``Out(1)``
        Lights.
    entropy_seed : ``In(32)``
        If entropy is simulated, its seed.
    """

    def __init__(self, soc: Soc, *, memory_bytes: int) -> None:
        self.soc = soc
        self.memory_bytes = memory_bytes
        self.has_psp = soc.has_psp
        self.is_seeded = soc.is_seeded
        self.serial = SerialHost(cycles_a_bit=_CYCLES_A_BIT)
        super().__init__({
            **{name: self.serial.signature.members[name]
               for name in ("given", "put", "sending", "received", "is_received", "take")},
            **{name: Out(1) for name in ("released", "violation", "self_test_failed")},
            **({"entropy_seed": In(32)} if soc.is_seeded else {}),
        })

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.submodules.serial, m.submodules.soc = serial, soc = self.serial, self.soc
        port = soc.m_axi.signature
        m.submodules.dram = dram = RandomDram(addr_width=port.addr_width, id_width=port.id_width,
                                              size_bytes=self.memory_bytes)
        connect(m, soc.m_axi, dram.axi)
        left = Signal(range(_READY_CYCLES), init=_READY_CYCLES - 1)
        m.d.sync += left.eq(left - (left != 0))
        m.d.comb += [
            serial.given.eq(self.given), serial.put.eq(self.put), serial.take.eq(self.take),
            self.sending.eq(serial.sending), self.received.eq(serial.received),
            self.is_received.eq(serial.is_received),
            soc.rx.eq(serial.tx), serial.rx.eq(soc.tx), soc.memory_ready.eq(left == 0),
            *(getattr(self, name).eq(getattr(soc, name)) for name in ("released", "violation", "self_test_failed")),
        ]
        if self.has_psp:
            m.d.comb += soc.psp_clk.eq(ClockSignal())
        if self.is_seeded:
            m.d.comb += soc.entropy_seed.eq(self.entropy_seed)
        return m
