"""A bridge between a serial line and memories, without an engine: who sees what it touches."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out, connect

from cbit.axi.ports import Response
from cbit.soc.bridge import Bridge
from cbit_sim.gateware.dram import RandomDram
from cbit_sim.gateware.serial_host import SerialHost

__all__ = ["HOST_WORD", "BridgeTop"]

HOST_WORD = 0x5AA5_0000
"""A register of the host reads as this and its offset; those past half of the space are refused."""

_WIDTHS = {"addr_width": 32, "c_bit": 31, "asid_count": 16, "key_bits": 128, "id_width": 4}
_MEMORY_BYTES = 1 << 16
_WORDS = 1024
_COUNT_BITS = 32


class BridgeTop(Component):
    """Memory of 64 KiB where the engine would be, and another where DRAM is; registers of control that keep what is
    written.

    Parameters
    ----------
    cycles_a_bit : :class:`int`
        The rate of the line.
    has_psp : :class:`bool`
        As of :class:`~cbit.soc.bridge.Bridge`.
    patience_bits : :class:`int`
        The same.

    Members
    -------
    given, put, sending, received, is_received, take
        As of :class:`~cbit_sim.gateware.serial_host.SerialHost`.
    pull : ``In(1)``
        Pulls the line to the bridge low, for who makes its levels by himself.
    tx : ``Out(1)``
        The line from the bridge.
    ready : ``In(1)``
        ``memory_ready``.
    mute : ``In(2)``
        Memory where the engine would be takes nothing, bit 0, or DRAM, bit 1.
    released, violation, self_test_failed : ``Out(1)``
        Of the bridge.
    accesses, raw_accesses : ``Out(32)``
        Cycles in which the port to the engine, or to DRAM, has offered an address or data.
    writes : ``Out(32)``
        Words written to registers.
    asid, attributes : ``Out(...)``
        Of the last access to the engine: ASID; npt_c, dma, walk and AxPROT.
    flushes : ``Out(32)``
    """

    def __init__(self, *, cycles_a_bit: int, has_psp: bool = False, patience_bits: int = 12) -> None:
        self.serial = SerialHost(cycles_a_bit=cycles_a_bit)
        self.bridge = Bridge(raw_id_width=4, memory_bytes=_MEMORY_BYTES, has_psp=has_psp, patience_bits=patience_bits,
                             **_WIDTHS)
        super().__init__({
            **{name: self.serial.signature.members[name]
               for name in ("given", "put", "sending", "received", "is_received", "take")},
            "pull": In(1), "tx": Out(1), "ready": In(1), "mute": In(2),
            **{name: Out(1) for name in ("released", "violation", "self_test_failed")},
            **{name: Out(_COUNT_BITS) for name in ("accesses", "raw_accesses", "writes", "flushes")},
            "asid": Out(4), "attributes": Out(6),
        })

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.submodules.serial, m.submodules.bridge = serial, bridge = self.serial, self.bridge
        m.d.comb += [
            serial.given.eq(self.given), serial.put.eq(self.put), serial.take.eq(self.take),
            self.sending.eq(serial.sending), self.received.eq(serial.received),
            self.is_received.eq(serial.is_received),
            bridge.rx.eq(serial.tx & ~self.pull), serial.rx.eq(bridge.tx), self.tx.eq(bridge.tx),
            bridge.memory_ready.eq(self.ready),
            *(getattr(self, name).eq(getattr(bridge, name)) for name in ("released", "violation", "self_test_failed")),
        ]
        with m.If(bridge.flush):
            m.d.sync += self.flushes.eq(self.flushes + 1)
        for number, (name, port, count) in enumerate((("memory", bridge.m_axi, self.accesses),
                                                      ("dram", bridge.m_axi_raw, self.raw_accesses))):
            m.d.sync += count.eq(count + self._join_memory(m, name, port, self.mute[number]))
        for channel in (bridge.m_axi.aw, bridge.m_axi.ar):
            with m.If(channel.valid):
                m.d.sync += [self.asid.eq(channel.payload.user[:4]),
                             self.attributes.eq(channel.payload.user[4:] | (channel.payload.prot << 3))]
        self._join_registers(m, bridge.m_axil_host, bridge.m_axil_control)
        return m
        return m

    def _join_memory(self, m: Module, name: str, port: Any, mute: Any) -> Any:
        """Memory at a port; whether the bridge offers anything there."""
        m.submodules[name] = dram = RandomDram(addr_width=_WIDTHS["addr_width"], id_width=_WIDTHS["id_width"],
                                               size_bytes=_MEMORY_BYTES)
        channels = [(getattr(port, channel), getattr(dram.axi, channel)) for channel in ("aw", "w", "ar")]
        for source, sink in channels:
            m.d.comb += [sink.valid.eq(source.valid & ~mute), source.ready.eq(sink.ready & ~mute)]
            m.d.comb += [sink.payload[field].eq(source.payload[field]) for field in sink.payload.shape().members]
        for answers, answered in ((dram.axi.b, port.b), (dram.axi.r, port.r)):
            connect(m, answers, answered)
        return channels[0][0].valid | channels[1][0].valid | channels[2][0].valid

    def _join_registers(self, m: Module, host: Any, control: Any) -> None:
        m.submodules.words = words = Memory(shape=32, depth=_WORDS, init=[])
        write, read = words.write_port(), words.read_port(domain="comb")
        answers_b, answers_r, answers_host = Signal(), Signal(), Signal()
        word, host_address = Signal(32), Signal(12)
        writes = control.aw.valid & control.w.valid & ~answers_b
        m.d.comb += [
            control.aw.ready.eq(writes), control.w.ready.eq(writes),
            write.addr.eq(control.aw.payload.addr >> 2), write.data.eq(control.w.payload.data), write.en.eq(writes),
            control.b.valid.eq(answers_b),
            read.addr.eq(control.ar.payload.addr >> 2), control.ar.ready.eq(~answers_r),
            control.r.valid.eq(answers_r), control.r.payload.data.eq(word),
            host.ar.ready.eq(~answers_host), host.r.valid.eq(answers_host),
            host.r.payload.data.eq(HOST_WORD | host_address),
            host.r.payload.resp.eq(Mux(host_address[-1], Response.DECERR, Response.OKAY)),
        ]
        m.d.sync += [
            self.writes.eq(self.writes + writes), answers_b.eq(writes | (answers_b & ~control.b.ready)),
            answers_r.eq(Mux(answers_r, ~control.r.ready, control.ar.valid)),
            answers_host.eq(Mux(answers_host, ~host.r.ready, host.ar.valid)),
        ]
        with m.If(~answers_r):
            m.d.sync += word.eq(read.data)
        with m.If(~answers_host):
            m.d.sync += host_address.eq(host.ar.payload.addr)
