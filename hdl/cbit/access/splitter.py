"""Cuts an encrypted burst into chunks, each within one line of 64 bytes."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.beat import BeatShape
from cbit.axi.ports import Burst

from .request import ATTRIBUTES, beat_mask, request_layout

__all__ = ["ChunkSplitter", "chunk_layout"]


def chunk_layout(*, c_bit: int, id_width: int, slot_width: int) -> StructLayout:
    """The part of an encrypted burst that lies in one line.

    ``line`` is the address without its 6 lowest bits. ``first_byte`` and ``last_byte`` are the places
    in the line of the first and the last beat, aligned to the beat; what lies between them is
    touched. ``beats`` is one less than their number. With ``is_fixed`` all beats are at ``first_byte``.
    ``is_final`` marks the burst's last chunk.
    """
    return StructLayout({
        "line": unsigned(c_bit - 6),
        "first_byte": unsigned(6),
        "last_byte": unsigned(6),
        "beats": unsigned(6),
        "size": unsigned(3),
        "is_fixed": unsigned(1),
        "is_final": unsigned(1),
        "slot": unsigned(slot_width),
        "id": unsigned(id_width),
        "attributes": ATTRIBUTES,
    })


def _cut_layout(chunk: StructLayout) -> StructLayout:
    """A chunk, and what is needed for the ``after`` chunks that follow it.

    ``base`` and ``reach`` are the places in the line of the first and the last beat of a chunk that is neither the
    first nor the final one; the burst's last beat is ``end`` bytes behind ``base``. ``line_mask`` has the bits of the
    line that count. ``next_is_final`` tells whether ``after`` is one.
    """
    return StructLayout({"chunk": chunk, "after": 6, "next_is_final": 1, "base": 6, "reach": 6, "end": 6,
                         "line_mask": 6})


class ChunkSplitter(Component):
    """Turns each encrypted access into its chunks, in the order of its beats.

    INCR is cut at each boundary of 64 bytes, WRAP there and where it wraps, FIXED not at all. The
    access is taken at once, whether its first chunk is or not; what is left comes from registers.

    Latency: if pipelined, a cycle, and ``o`` comes from registers; otherwise none for the first chunk,
    which is combinational. Throughput: one chunk a cycle. Stalls: a chunk stays while ``o`` waits; ``i``
    waits only while chunks of an earlier access remain, and if pipelined not for the cycle in which the
    final one is taken.

    Parameters
    ----------
    c_bit, id_width, slot_width : :class:`int`
        Widths of the request.
    data_width : :class:`int`
        Bits of a beat on the bus: 128, 256 or 512.
    pipelined : :class:`bool`
        Whether the first chunk comes from registers, too.

    Members
    -------
    i : ``In(stream.Signature(request_layout(...)))``
        Encrypted accesses that AXI4 allows.
    o : ``Out(stream.Signature(chunk_layout(...)))``
    is_busy : ``Out(1)``
        High while chunks of an access already taken remain.
    busy_id : ``Out(id_width)``
        That access's ID.
    drain_slot : ``In(slot_width)``
    drain_busy : ``Out(1)``
        High while an access under ``drain_slot`` is being cut.
    """

    def __init__(self, *, c_bit: int, id_width: int, slot_width: int, data_width: int, pipelined: bool = False) -> None:
        self.data_width = data_width
        self.pipelined = pipelined
        self.request_layout = request_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width)
        self.chunk_layout = chunk_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width)
        super().__init__({
            "i": In(stream.Signature(self.request_layout)),
            "o": Out(stream.Signature(self.chunk_layout)),
            "is_busy": Out(1),
            "busy_id": Out(id_width),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        layout = _cut_layout(self.chunk_layout)
        held, current, following = Signal(layout), Signal(layout), Signal(layout)
        held_valid, is_done = Signal(), Signal()
        first = Signal(layout)
        self._begin(m, self.i.payload, first)
        self._follow(m, current, following)
        m.d.comb += [
            is_done.eq(self.o.ready & current.chunk.is_final),
            self.o.payload.eq(current.chunk),
            self.is_busy.eq(held_valid),
            self.busy_id.eq(held.chunk.id),
            self.drain_busy.eq(held_valid & (held.chunk.slot == self.drain_slot)),
        ]
        if self.pipelined:
            m.d.comb += [
                current.eq(held),
                self.o.valid.eq(held_valid),
                self.i.ready.eq(~held_valid | is_done),
            ]
            with m.If(self.i.ready):
                m.d.sync += [held.eq(first), held_valid.eq(self.i.valid)]
            with m.Elif(self.o.ready):
                m.d.sync += held.eq(following)
        else:
            m.d.comb += [
                current.eq(Mux(held_valid, held.as_value(), first.as_value())),
                self.o.valid.eq(held_valid | self.i.valid),
                self.i.ready.eq(~held_valid),
            ]
            with m.If(self.o.valid):
                m.d.sync += [held.eq(Mux(self.o.ready, following.as_value(), current.as_value())),
                             held_valid.eq(~is_done)]
        return m

    def _begin(self, m: Module, request, cut) -> None:
        """Sets the first chunk of a burst. A WRAP stays in its container, and any chunk in its line."""
        chunk, extent = cut.chunk, request.extent
        address, mask = request.addr[:6], Signal(6)
        container = Signal(12)
        is_wrap, is_whole = request.burst == Burst.WRAP, extent.chunks_after == 0
        room = Mux(is_wrap, request.len, 63) & (63 >> request.size) & ~(address >> request.size)
        m.d.comb += [
            mask.eq(beat_mask(request.size, widest=BeatShape(self.data_width).size)),
            container.eq(Mux(is_wrap, request.len[:4] << request.size, 0xFFF)),
            *(chunk[field].eq(request[field]) for field in ("size", "slot", "id", "attributes")),
            chunk.line.eq(request.addr[6:]),
            chunk.first_byte.eq(address & ~mask),
            chunk.last_byte.eq(Mux(is_whole, extent.last_byte, cut.reach)),
            chunk.beats.eq(Mux(is_whole, request.len, room)),
            chunk.is_fixed.eq(request.burst == Burst.FIXED),
            chunk.is_final.eq(is_whole),
            cut.after.eq(extent.chunks_after),
            cut.next_is_final.eq(extent.chunks_after == 1),
            cut.base.eq(address & ~container & ~mask),
            cut.reach.eq((address | container) & ~mask),
            cut.end.eq(extent.last_byte & container),
            cut.line_mask.eq(container[6:]),
        ]

    def _follow(self, m: Module, cut, following) -> None:
        """Sets the chunk after another one of its burst: a whole line, or what is left."""
        chunk = following.chunk
        line = cut.chunk.line[:6]
        m.d.comb += [
            following.eq(cut),
            following.after.eq(cut.after - 1),
            following.next_is_final.eq(cut.after == 2),
            chunk.line[:6].eq((line & ~cut.line_mask) | ((line + 1) & cut.line_mask)),
            chunk.first_byte.eq(cut.base),
            chunk.last_byte.eq(Mux(cut.next_is_final, cut.base | cut.end, cut.reach)),
            chunk.beats.eq(Mux(cut.next_is_final, cut.end, 63) >> cut.chunk.size),
            chunk.is_final.eq(cut.next_is_final),
        ]
