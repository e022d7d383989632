# amaranth: UnusedElaboratable=no
"""All of a board but its DRAM controller: the serial bridge, the engine, and an attacker at the DRAM."""

from collections.abc import Sequence

from amaranth.hdl import Module
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.axi.ports import Axi4Signature, AxiLiteSignature
from cbit.config import EngineConfig
from cbit.engine import Engine
from cbit.psp.addresses import DRAM_ADDR_WIDTH
from cbit.psp.gate import ManagerGate
from cbit.psp.merge import ManagerMerge
from cbit.psp.platform import Platform
from cbit.soc.bridge import Bridge

__all__ = ["DATA_WIDTH", "Soc"]

DATA_WIDTH = 128
"""Of the buses."""


class Soc(Component):
    """Bridge, engine (with its PSP where there is firmware), and an attacker's port at the DRAM.

    With firmware the PSP alone holds the keys, and the bridge has its mailbox; without, who has the serial line holds
    them, and the bridge has the engine's registers for them.

    Until ``memory_ready`` nothing goes to DRAM: accesses of the PSP wait, those of the bridge are refused.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`
        The engine, with ``data_width`` 128 and, with firmware, ``id_width`` 1 to 7.
    memory_bytes : :class:`int`
        Bytes of DRAM, from address 0 on. A multiple of 4096, at most ``2**c_bit``. Nothing of the bridge goes beyond.
    firmware, device_secret, simulated_entropy, dram_table
        As of :class:`~cbit.psp.platform.Platform`. A table only with firmware, which levels the DRAM.
    rate_bits, patience_bits : :class:`int`
        As of :class:`~cbit.soc.bridge.Bridge`.

    Members
    -------
    psp_clk : ``In(1)``
        With firmware, the security processor's clock.
    entropy_seed : ``In(32)``
        With firmware and simulated entropy, its seed.
    rx : ``In(1)``, tx : ``Out(1)``
        The serial line, high at rest. ``rx`` is asynchronous.
    memory_ready : ``In(1)``
        DRAM is initialized. Once it is high, it stays so until reset.
    m_axil_dram, dram_open
        With a table, as of :class:`~cbit.psp.platform.Platform`. ``memory_ready`` is to follow ``dram_open``.
    m_axi : ``Out(Axi4Signature(...))``
        To DRAM. IDs have one bit more than those of the engine or platform.
    released, violation, self_test_failed : ``Out(1)``
        Lights, as of :class:`~cbit.soc.looks.BoardState`.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    def __init__(self, config: EngineConfig, *, memory_bytes: int, firmware: bytes | None = None,
                 device_secret: bytes | None = None, simulated_entropy: bool = False,
                 dram_table: Sequence[int] | None = None, rate_bits: int = 18, patience_bits: int = 24) -> None:
        if config.data_width != DATA_WIDTH:
            raise ValueError(f"data_width must be {DATA_WIDTH} for a board, not {config.data_width}")
        if memory_bytes % 4096 or not 0 < memory_bytes <= 1 << config.c_bit:
            raise ValueError(f"memory_bytes must be a multiple of 4096 up to 2**{config.c_bit}, not {memory_bytes!r}")
        if dram_table is not None and firmware is None:
            raise ValueError("dram_table must be None without firmware, which follows it")
        self.config = config
        self.levels_dram = dram_table is not None
        self.has_psp = firmware is not None
        self.is_seeded = self.has_psp and simulated_entropy
        self.core = Engine(config) if firmware is None else Platform(
            config, firmware=firmware, memory_bytes=memory_bytes, device_secret=device_secret,
            simulated_entropy=simulated_entropy, dram_table=dram_table)
        raw_id_width = self.core.m_axi.signature.id_width
        self.bridge = Bridge(
            addr_width=config.addr_width, c_bit=config.c_bit, asid_count=config.asid_count, key_bits=config.key_bits,
            id_width=config.id_width, raw_id_width=raw_id_width, memory_bytes=memory_bytes, has_psp=self.has_psp,
            rate_bits=rate_bits, patience_bits=patience_bits)
        super().__init__({
            **({"psp_clk": In(1)} if self.has_psp else {}),
            **({"entropy_seed": In(32)} if self.is_seeded else {}),
            **({"m_axil_dram": Out(AxiLiteSignature(addr_width=DRAM_ADDR_WIDTH)), "dram_open": Out(1)}
               if self.levels_dram else {}),
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "memory_ready": In(1),
            "m_axi": Out(Axi4Signature(addr_width=config.addr_width, data_width=DATA_WIDTH,
                                       id_width=raw_id_width + 1)),
            "released": Out(1),
            "violation": Out(1),
            "self_test_failed": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.core = core = self.core
        m.submodules.bridge = bridge = self.bridge
        connect(m, bridge.m_axi, core.s_axi)
        connect(m, bridge.m_axil_host, core.s_axil_host)
        connect(m, bridge.m_axil_control, core.s_axil_mailbox if self.has_psp else core.s_axil_psp)
        m.d.comb += [
            bridge.rx.eq(self.rx), self.tx.eq(bridge.tx), bridge.memory_ready.eq(self.memory_ready),
            *(getattr(self, name).eq(getattr(bridge, name)) for name in ("released", "violation", "self_test_failed")),
        ]
        if self.has_psp:
            m.d.comb += [core.psp_clk.eq(self.psp_clk), core.wbinvd.eq(bridge.flush)]
        if self.is_seeded:
            m.d.comb += core.entropy_seed.eq(self.entropy_seed)
        if self.levels_dram:
            connect(m, core.m_axil_dram, flipped(self.m_axil_dram))
            m.d.comb += self.dram_open.eq(core.dram_open)
        self._join_memory(m)
        return m

    def _join_memory(self, m: Module) -> None:
        """The engine and the attacker, who are each other's equals at the DRAM."""
        signature = self.core.m_axi.signature
        m.submodules.merge = merge = ManagerMerge(
            addr_width=signature.addr_width, data_width=signature.data_width, id_width=signature.id_width,
            user_width=0)
        m.submodules.gate = gate = ManagerGate(signature=self.m_axi.signature)
        connect(m, self.core.m_axi, merge.s_axi[0])
        connect(m, self.bridge.m_axi_raw, merge.s_axi[1])
        connect(m, merge.m_axi, gate.i)
        connect(m, gate.o, flipped(self.m_axi))
        m.d.comb += gate.open.eq(self.memory_ready)
