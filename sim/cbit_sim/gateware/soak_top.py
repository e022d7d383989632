"""An engine between traffic and DRAM, all of it gateware."""

from importlib import import_module
from typing import Any

from amaranth.hdl import Module
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.axi.ports import AxiLiteSignature
from cbit.axi.wire import Wire
from cbit.config import EngineConfig
from cbit.traffic.findings import COUNT_BITS
from cbit.traffic.generator import COUNTS, TrafficGenerator
from cbit_sim.gateware.dram import RandomDram
from cbit_sim.gateware.guests import guests_of

__all__ = ["SoakTop"]

_DRAM_BYTES = 1 << 16
_MOST_IDS = 16


class SoakTop(Component):
    """The traffic generator, an engine or a wire, and DRAM of 64 KiB. Addresses are those of all memory that the C-bit
    leaves; DRAM knows only their low bits.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`
        Of the engine.
    has_engine : :class:`bool`
        Whether the engine is there, or the wire.

    Members
    -------
    run, seed, clear, idle, errors, error_kinds
        As of :class:`~cbit.traffic.generator.TrafficGenerator`; and each of its ``counts``, and of its first error as
        ``error_kind`` and so on, by its name.
    s_axil_psp : ``In(AxiLiteSignature(addr_width=12))``
        If there is an engine.
    """

    def __init__(self, config: EngineConfig, *, has_engine: bool) -> None:
        self.config = config
        self.has_engine = has_engine
        self.traffic = TrafficGenerator(
            addr_width=config.addr_width, c_bit=config.c_bit, id_width=config.id_width, asid_count=config.asid_count,
            guests=guests_of(config), ids=min(_MOST_IDS, 1 << config.id_width))
        error = self.traffic.first_error.shape().members
        super().__init__({
            **{name: In(len(getattr(self.traffic, name))) for name in ("run", "seed", "clear")},
            **{name: Out(len(getattr(self.traffic, name))) for name in ("idle", "errors", "error_kinds")},
            **{name: Out(COUNT_BITS) for name in COUNTS.members},
            **{f"error_{name}": Out(shape) for name, shape in error.items()},
            **({"s_axil_psp": In(AxiLiteSignature(addr_width=12))} if has_engine else {}),
        })

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.traffic = traffic = self.traffic
        m.submodules.dram = dram = RandomDram(addr_width=config.addr_width, id_width=config.id_width,
                                              size_bytes=_DRAM_BYTES)
        m.submodules.core = core = self._core()
        connect(m, traffic.axi, core.s_axi)
        connect(m, core.m_axi, dram.axi)
        if self.has_engine:
            connect(m, flipped(self.s_axil_psp), core.s_axil_psp)
        m.d.comb += [
            *(getattr(traffic, name).eq(getattr(self, name)) for name in ("run", "seed", "clear")),
            *(getattr(self, name).eq(getattr(traffic, name)) for name in ("idle", "errors", "error_kinds")),
            *(getattr(self, name).eq(traffic.counts[name]) for name in COUNTS.members),
            *(getattr(self, f"error_{name}").eq(traffic.first_error[name])
              for name in traffic.first_error.shape().members),
        ]
        return m

    def _core(self) -> Any:
        config = self.config
        if self.has_engine:
            return import_module("cbit.engine").Engine(config)
        return Wire(addr_width=config.addr_width, data_width=config.data_width, id_width=config.id_width,
                    user_width=config.asid_width + 3)
