"""The memory bus without an engine in it."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cbit.axi.ports import Axi4Signature

__all__ = ["Wire"]


class Wire(wiring.Component):
    """Managers joined to DRAM by wires: what an engine's latency and bandwidth are measured against.

    Latency: none. Throughput: one beat a cycle each way. Stalls pass through. AxUSER ends here; everything else
    passes unchanged.

    Parameters
    ----------
    addr_width : :class:`int`
        Bits of an address.
    data_width : :class:`int`
        Bits of a beat.
    id_width : :class:`int`
        Bits of an ID.
    user_width : :class:`int`
        Bits of AxUSER on the managers' side.

    Members
    -------
    s_axi : ``In(Axi4Signature(...))``
        From the managers.
    m_axi : ``Out(Axi4Signature(...))``
        To DRAM, without AxUSER.
    """

    def __init__(self, *, addr_width: int, data_width: int, id_width: int, user_width: int):
        self.addr_width = addr_width
        self.data_width = data_width
        self.id_width = id_width
        self.user_width = user_width
        super().__init__({
            "s_axi": In(Axi4Signature(addr_width=addr_width, data_width=data_width, id_width=id_width,
                                      user_width=user_width)),
            "m_axi": Out(Axi4Signature(addr_width=addr_width, data_width=data_width, id_width=id_width)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        for source, sink in ((self.s_axi.aw, self.m_axi.aw), (self.s_axi.w, self.m_axi.w),
                             (self.s_axi.ar, self.m_axi.ar), (self.m_axi.b, self.s_axi.b),
                             (self.m_axi.r, self.s_axi.r)):
            m.d.comb += [sink.valid.eq(source.valid), source.ready.eq(sink.ready)]
            m.d.comb += [sink.payload[field].eq(source.payload[field]) for field in sink.payload.shape().members]
        return m
