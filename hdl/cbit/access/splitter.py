"""Cuts an encrypted burst into chunks, each within one line of 64 bytes."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Burst

from .request import ATTRIBUTES, request_layout

__all__ = ["ChunkSplitter", "chunk_layout"]


def chunk_layout(*, c_bit: int, id_width: int, slot_width: int) -> StructLayout:
    """The part of an encrypted burst that lies in one line.

    ``line`` is the address without its 6 lowest bits. ``first_byte`` and ``last_byte`` are the places
    in the line of the first and the last beat, aligned to the beat; the blocks between them are
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


class ChunkSplitter(Component):
    """Turns each encrypted access into its chunks, in the order of its beats.

    INCR is cut at each boundary of 64 bytes, WRAP there and where it wraps, FIXED not at all. The
    access is taken at once, whether its first chunk is or not; what is left comes from registers.

    Latency: none for the first chunk, which is combinational. Throughput: one chunk a cycle. Stalls:
    a chunk stays while ``o`` waits; ``i`` waits only while chunks of an earlier access remain.

    Parameters
    ----------
    c_bit, id_width, slot_width : :class:`int`
        Widths of the request.

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

    def __init__(self, *, c_bit: int, id_width: int, slot_width: int) -> None:
        self.request_layout = request_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width)
        super().__init__({
            "i": In(stream.Signature(self.request_layout)),
            "o": Out(stream.Signature(chunk_layout(c_bit=c_bit, id_width=id_width, slot_width=slot_width))),
            "is_busy": Out(1),
            "busy_id": Out(id_width),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        rest = Signal(self.request_layout)
        rest_valid = Signal()
        beats_left = Signal(8)
        current = Signal(self.request_layout)
        current_left = Signal(8)
        chunk = self.o.payload
        m.d.comb += [
            current.eq(Mux(rest_valid, rest.as_value(), self.i.payload.as_value())),
            current_left.eq(Mux(rest_valid, beats_left, self.i.payload.len)),
            self.o.valid.eq(rest_valid | self.i.valid),
            self.i.ready.eq(~rest_valid),
            self.is_busy.eq(rest_valid),
            self.busy_id.eq(rest.id),
            self.drain_busy.eq(rest_valid & (rest.slot == self.drain_slot)),
        ]
        self._cut(m, current, current_left)

        next_address = self._address_after(m, current)
        with m.If(self.o.valid):
            m.d.sync += [rest.eq(current), rest_valid.eq(1), beats_left.eq(current_left)]
            with m.If(self.o.ready):
                m.d.sync += [
                    rest.addr.eq(next_address),
                    rest_valid.eq(~chunk.is_final),
                    beats_left.eq(current_left - chunk.beats - 1),
                ]
        return m

    def _cut(self, m: Module, current, current_left: Signal) -> None:
        """Sets the chunk that begins at ``current.addr`` with ``current_left + 1`` beats to come."""
        chunk = self.o.payload
        first_beat = Signal(6)
        limit_beat = Signal(6)
        line_beats = Signal(6)
        room = Signal(6)
        is_wrap = current.burst == Burst.WRAP
        m.d.comb += [
            first_beat.eq(current.addr[:6] >> current.size),
            line_beats.eq(63 >> current.size),
            limit_beat.eq(line_beats),
            room.eq(limit_beat - first_beat),
            *(chunk[field].eq(current[field]) for field in ("size", "slot", "id", "attributes")),
            chunk.line.eq(current.addr[6:]),
            chunk.first_byte.eq(first_beat << current.size),
            chunk.is_fixed.eq(current.burst == Burst.FIXED),
        ]
        with m.If(is_wrap & (current.len < line_beats)):
            m.d.comb += limit_beat.eq(first_beat | current.len)
        with m.If(chunk.is_fixed | (current_left <= room)):
            m.d.comb += [
                chunk.beats.eq(current_left),
                chunk.is_final.eq(1),
            ]
        with m.Else():
            m.d.comb += chunk.beats.eq(room)
        m.d.comb += chunk.last_byte.eq(chunk.first_byte + Mux(chunk.is_fixed, 0, chunk.beats << current.size))

    def _address_after(self, m: Module, current) -> Signal:
        """The address that follows the chunk; a burst stays within 4 KiB, a WRAP within its container."""
        chunk = self.o.payload
        container_mask = Signal(12)
        next_address = Signal.like(current.addr)
        after = Signal(12)
        m.d.comb += [
            after.eq((current.addr[6:12] << 6) + chunk.last_byte + (1 << current.size)),
            container_mask.eq(0xFFF),
            next_address.eq(current.addr),
            next_address[:12].eq((current.addr[:12] & ~container_mask) | (after & container_mask)),
        ]
        with m.If(current.burst == Burst.WRAP):
            m.d.comb += container_mask.eq(((current.len + 1) << current.size) - 1)
        return next_address
