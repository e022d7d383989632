"""Gives the write data to the access they belong to."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.access.request import Route, request_layout
from cbit.access.splitter import ChunkSplitter, chunk_layout
from cbit.axi.ports import response_layout, write_data_layout

__all__ = ["WriteRoute"]


class WriteRoute(Component):
    """Takes writes in order and gives each its data: to the plain way, to encryption, or to nobody.

    A write has the beats that its address promises. WLAST of the managers is not heeded, lest a wrong one give a
    write's data to the next; on the plain way it is set anew.

    Latency: none. Throughput: one beat a cycle. Stalls: data that come before their address wait.

    Parameters
    ----------
    c_bit, id_width, slot_width : :class:`int`
        Widths of the request.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
        Decided writes.
    w : ``In(stream.Signature(write_data_layout(128)))``
    plain : ``Out(stream.Signature(request_layout(...)))``
        A plain write, to be taken when its last beat has been.
    plain_w : ``Out(stream.Signature(write_data_layout(128)))``
    chunk : ``Out(stream.Signature(chunk_layout(...)))``
        A chunk of an encrypted write, to be taken with its last beat.
    chunk_w : ``Out(stream.Signature(write_data_layout(128)))``
    refused : ``Out(stream.Signature(response_layout(...)))``
        The answer to a write that goes nowhere, once all its beats have been taken.
    refused_busy, refused_id : ``In``
        Whether such an answer is on its way, and its ID, of which no other write may pass.
    drain_slot, drain_busy : ``In``, ``Out``
        As in :class:`~cbit.access.splitter.ChunkSplitter`.
    """

    def __init__(self, *, c_bit: int, id_width: int, slot_width: int) -> None:
        self.splitter = ChunkSplitter(c_bit=c_bit, id_width=id_width, slot_width=slot_width)
        request = request_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width)
        chunk = chunk_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width)
        super().__init__({
            "i": In(stream.Signature(request)),
            "w": In(stream.Signature(write_data_layout(128))),
            "plain": Out(stream.Signature(request)),
            "plain_w": Out(stream.Signature(write_data_layout(128))),
            "chunk": Out(stream.Signature(chunk)),
            "chunk_w": Out(stream.Signature(write_data_layout(128))),
            "refused": Out(stream.Signature(response_layout(id_width))),
            "refused_busy": In(1),
            "refused_id": In(id_width),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.splitter = splitter = self.splitter
        request = self.i.payload
        blocked = Signal()
        beat = Signal.like(request.len)
        is_last = beat == request.len
        m.d.comb += [
            blocked.eq(self.refused_busy & (self.refused_id == request.id)),
            splitter.drain_slot.eq(self.drain_slot),
            self.drain_busy.eq(splitter.drain_busy),
            splitter.i.payload.eq(request),
            self.chunk.payload.eq(splitter.o.payload),
            self.chunk.valid.eq(splitter.o.valid),
            splitter.o.ready.eq(self.chunk.ready),
            self.plain.payload.eq(request),
            self.plain_w.payload.eq(self.w.payload),
            self.plain_w.payload.last.eq(is_last),
            self.chunk_w.payload.eq(self.w.payload),
            self.refused.payload.id.eq(request.id),
            self.refused.payload.resp.eq(request.resp),
        ]
        with m.If(splitter.is_busy):
            self._join(m, self.chunk_w)
        with m.Elif(self.i.valid & ~blocked):
            with m.Switch(request.route):
                with m.Case(Route.PLAIN):
                    m.d.comb += [self.plain.valid.eq(1), self.i.ready.eq(self.plain.ready)]
                    self._join(m, self.plain_w)
                with m.Case(Route.ENCRYPTED):
                    m.d.comb += [splitter.i.valid.eq(1), self.i.ready.eq(splitter.i.ready)]
                    self._join(m, self.chunk_w)
                with m.Default():
                    is_end = self.w.valid & is_last
                    m.d.comb += [
                        self.refused.valid.eq(is_end),
                        self.w.ready.eq(self.refused.ready),
                        self.i.ready.eq(is_end & self.refused.ready),
                    ]
            with m.If(self.w.valid & self.w.ready & (request.route != Route.ENCRYPTED)):
                m.d.sync += beat.eq(Mux(is_last, 0, beat + 1))
        return m

    def _join(self, m: Module, beats) -> None:
        m.d.comb += [beats.valid.eq(self.w.valid), self.w.ready.eq(beats.ready)]
