# amaranth: UnusedElaboratable=no
"""An engine with the security processor that runs it, each under its own clock."""

import dataclasses
from collections.abc import Sequence

from amaranth.hdl import ClockDomain, DomainRenamer, Module, ResetSignal, Signal
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import user_layout
from cbit.axi.ports import Axi4Signature, AxiLiteSignature
from cbit.config import EngineConfig, SBox
from cbit.engine import Engine
from cbit.psp.addresses import DRAM_ADDR_WIDTH
from cbit.psp.crossing import BusCrossing, ResetCrossing, StreamCrossing
from cbit.psp.gate import ManagerGate
from cbit.psp.mailbox import MAILBOX_ADDR_WIDTH
from cbit.psp.merge import ManagerMerge
from cbit.psp.psp import Psp
from cbit.psp.system import DEVELOPMENT_SECRET

__all__ = ["Platform"]

DATA_WIDTH = 128
"""Of the buses: that of the security processor's DMA."""


class Platform(Component):
    """An engine between the host's managers and DRAM, and the security processor that holds its keys.

    What the host reaches is memory by way of the engine, the engine's registers of the host, and the mailbox. The
    processor's part has a clock of its own, as fast or slow as one likes; its reset is this one's.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`
        The engine, with the width that IDs have for the host's managers, 1 to 7: the engine's are one bit wider.
    firmware : :class:`bytes`
        What the processor runs. Up to 64 KiB.
    memory_bytes : :class:`int`
        Bytes of DRAM, from address 0 on. A multiple of 4096.
    device_secret : :class:`bytes`
        The 32 bytes that tell this device from others. With simulated entropy, where no key is secret, they may be left
        out, and are :data:`~cbit.psp.system.DEVELOPMENT_SECRET`.
    simulated_entropy : :class:`bool`
        Whether the entropy source is one for simulations, which is known to all.
    dram_table : sequence of :class:`int` or :data:`None`
        As of :class:`~cbit.psp.psp.Psp`.

    Members
    -------
    psp_clk : ``In(1)``
        The security processor's clock.
    s_axi, m_axi, s_axil_host, irq
        As of :class:`~cbit.engine.Engine`. IDs of ``m_axi`` are one bit wider than those of ``s_axi``. While
        ``host_reset`` is high, ``s_axi`` takes nothing.
    s_axil_mailbox : ``In(AxiLiteSignature(addr_width=17))``
        The host's port of the mailbox.
    mailbox_irq : ``Out(1)``
        A command that asked for it has been answered, and the host has enabled that.
    host_reset : ``Out(1)``
        The host must not run: high from reset until the firmware releases it.
    tsme : ``In(1)``
        A strap: all accesses of the host are to be encrypted. Read at boot.
    wbinvd : ``In(1)``
        High for a cycle when every cache of the host has been written back and invalidated.
    m_axil_dram : ``Out(AxiLiteSignature(addr_width=13))``
        With a table, to the registers of the DRAM's controller: only the security processor reaches them.
    dram_open : ``Out(1)``
        With a table: DRAM is initialized. Low from reset until the firmware says so; until then ``m_axi`` must be held.
    entropy_seed, entropy_stuck
        As of :class:`~cbit.psp.psp.Psp`, if entropy is simulated. They do not change while the platform works.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    def __init__(self, config: EngineConfig, *, firmware: bytes, memory_bytes: int,
                 device_secret: bytes | None = None, simulated_entropy: bool = False,
                 dram_table: Sequence[int] | None = None):
        if config.data_width != DATA_WIDTH:
            raise ValueError(f"data_width must be {DATA_WIDTH} for a platform, not {config.data_width}")
        if memory_bytes > 1 << config.c_bit:
            raise ValueError(f"memory_bytes must be at most 2**{config.c_bit}, not {memory_bytes}")
        if device_secret is None:
            if not simulated_entropy:
                raise ValueError("device_secret must be given where entropy is not simulated, not None")
            device_secret = DEVELOPMENT_SECRET
        self.config = config
        self.simulated_entropy = simulated_entropy
        self.levels_dram = dram_table is not None
        self.engine = Engine(dataclasses.replace(config, id_width=config.id_width + 1))
        self.psp = Psp(firmware=firmware, device_secret=device_secret, memory_bytes=memory_bytes,
                       addr_width=config.addr_width, id_width=config.id_width, c_bit=config.c_bit,
                       asid_count=config.asid_count, simulated_entropy=simulated_entropy,
                       sbox=SBox.TABLE if config.sbox is SBox.TABLE else SBox.COMPOSITE, dram_table=dram_table)
        managers = Axi4Signature(addr_width=config.addr_width, data_width=config.data_width, id_width=config.id_width,
                                 user_width=user_layout(asid_width=config.asid_width).size)
        super().__init__({
            "psp_clk": In(1),
            "s_axi": In(managers),
            "m_axi": Out(self.engine.m_axi.signature),
            "s_axil_host": In(AxiLiteSignature(addr_width=12)),
            "s_axil_mailbox": In(AxiLiteSignature(addr_width=MAILBOX_ADDR_WIDTH)),
            "irq": Out(1),
            "mailbox_irq": Out(1),
            "host_reset": Out(1, init=1),
            "tsme": In(1),
            "wbinvd": In(1),
            **({"entropy_seed": In(32), "entropy_stuck": In(1)} if simulated_entropy else {}),
            **({"m_axil_dram": Out(AxiLiteSignature(addr_width=DRAM_ADDR_WIDTH)), "dram_open": Out(1)}
               if self.levels_dram else {}),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.domains.psp = domain = ClockDomain()
        domain.clk = self.psp_clk
        m.submodules.psp_reset = ResetCrossing(from_domain="sync", to_domain="psp")
        m.submodules.engine = engine = self.engine
        m.submodules.psp = DomainRenamer("psp")(self.psp)
        connect(m, engine.m_axi, flipped(self.m_axi))
        connect(m, flipped(self.s_axil_host), engine.s_axil_host)
        m.d.comb += self.irq.eq(engine.irq)
        self._join_managers(m)
        self._join_buses(m)
        self._join_wires(m)
        return m

    def _join_managers(self, m: Module) -> None:
        """The host's managers, and the security processor's DMA, to the engine."""
        signature = self.s_axi.signature.flip()
        m.submodules.merge = merge = ManagerMerge(
            addr_width=signature.addr_width, data_width=signature.data_width, id_width=signature.id_width,
            user_width=signature.user_width)
        m.submodules.dma_crossing = dma = BusCrossing(
            signature=self.psp.m_axi.signature, from_domain="psp", to_domain="sync")
        connect(m, self.psp.m_axi, dma.i)
        m.submodules.gate = gate = ManagerGate(signature=signature)
        m.d.comb += gate.open.eq(~self.host_reset)
        connect(m, flipped(self.s_axi), gate.i)
        connect(m, gate.o, merge.s_axi[0])
        connect(m, dma.o, merge.s_axi[1])
        connect(m, merge.m_axi, self.engine.s_axi)

    def _join_buses(self, m: Module) -> None:
        """The mailbox, and the engine's registers, which nobody but the security processor reaches."""
        m.submodules.mailbox_crossing = mailbox = BusCrossing(
            signature=AxiLiteSignature(addr_width=MAILBOX_ADDR_WIDTH), from_domain="sync", to_domain="psp")
        connect(m, flipped(self.s_axil_mailbox), mailbox.i)
        connect(m, mailbox.o, self.psp.s_axil_mailbox)
        m.submodules.engine_crossing = registers = BusCrossing(
            signature=AxiLiteSignature(addr_width=12), from_domain="psp", to_domain="sync")
        connect(m, self.psp.m_axil_engine, registers.i)
        connect(m, registers.o, self.engine.s_axil_psp)
        if self.levels_dram:
            m.submodules.dram_crossing = dram = BusCrossing(
                signature=self.psp.m_axil_dram.signature, from_domain="psp", to_domain="sync")
            connect(m, self.psp.m_axil_dram, dram.i)
            connect(m, dram.o, flipped(self.m_axil_dram))

    def _join_wires(self, m: Module) -> None:
        psp = self.psp
        m.submodules.flush_crossing = flush = StreamCrossing(shape=1, from_domain="sync", to_domain="psp")
        is_flushed = Signal()
        with m.If(self.wbinvd):
            m.d.sync += is_flushed.eq(1)
        with m.Elif(flush.i.ready):
            m.d.sync += is_flushed.eq(0)
        m.d.comb += [
            flush.i.valid.eq(is_flushed),
            flush.o.ready.eq(1),
            psp.cache_flushed.eq(flush.o.valid),
        ]
        if self.simulated_entropy:
            m.d.comb += [psp.entropy_seed.eq(self.entropy_seed), psp.entropy_stuck.eq(self.entropy_stuck)]
        m.submodules.tsme = FFSynchronizer(self.tsme, psp.tsme, o_domain="psp")
        m.submodules.engine_irq = FFSynchronizer(self.engine.irq, psp.engine_irq, o_domain="psp")
        # The reset counts at once, whenever the security processor's clock comes.
        is_up = ~ResetSignal("psp")
        m.submodules.host_reset = FFSynchronizer(~(psp.host_release & is_up), self.host_reset, init=1, reset_less=False)
        if self.levels_dram:
            m.submodules.dram_open = FFSynchronizer(psp.dram_open & is_up, self.dram_open, reset_less=False)
        m.submodules.mailbox_irq = FFSynchronizer(psp.mailbox_irq & is_up, self.mailbox_irq, reset_less=False)
