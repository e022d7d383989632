"""Collects the beats of an encrypted write into blocks."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.access.splitter import chunk_layout
from cbit.axi.ports import write_data_layout

from .entry import BLOCKS_PER_ENTRY, line_job_layout, place_of

__all__ = ["WriteGather", "fill_layout"]


def fill_layout(*, entries: int) -> StructLayout:
    """Bytes of a block; with ``is_end`` they are its last, and ``total`` has a bit for each byte that came."""
    return StructLayout({
        "place": range(BLOCKS_PER_ENTRY * entries),
        "data": unsigned(128),
        "strb": unsigned(16),
        "is_end": unsigned(1),
        "total": unsigned(16),
    })


class WriteGather(Component):
    """Gives each chunk an entry of the table and each beat its place in the entry's blocks.

    Narrow and FIXED beats gather in one block; where bytes come twice the last ones count.

    Latency: none. Throughput: one beat a cycle. Stalls: while the table is full or ``fill`` waits.

    Parameters
    ----------
    entries, c_bit, id_width, slot_width : :class:`int`
        Size of the table, and widths.

    Members
    -------
    chunk : ``In(stream.Signature(chunk_layout(...)))``
        Taken with its last beat.
    w : ``In(stream.Signature(write_data_layout(128)))``
    is_free : ``In(1)``
        Whether the table has room.
    allocated : ``In(range(entries))``
        The index of that room.
    job : ``Out(stream.Signature(line_job_layout(...), always_ready=True))``
        The chunk, in the cycle in which it takes its room, which may be before its first beat.
    fill : ``Out(stream.Signature(fill_layout(...)))``
    """

    def __init__(self, *, entries: int, c_bit: int, id_width: int, slot_width: int) -> None:
        widths = {"c_bit": c_bit, "id_width": id_width, "slot_width": slot_width}
        self.entries = entries
        super().__init__({
            "chunk": In(stream.Signature(chunk_layout(**widths))),
            "w": In(stream.Signature(write_data_layout(128))),
            "is_free": In(1),
            "allocated": In(range(entries)),
            "job": Out(stream.Signature(line_job_layout(entries=entries, **widths), always_ready=True)),
            "fill": Out(stream.Signature(fill_layout(entries=entries))),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        chunk, job, fill = self.chunk.payload, self.job.payload, self.fill.payload
        has_entry = Signal()
        entry = Signal(range(self.entries))
        index = Signal(range(self.entries))
        m.d.comb += [
            index.eq(Mux(has_entry, entry, self.allocated)),
            self.job.valid.eq(self.chunk.valid & ~has_entry & self.is_free),
            job.index.eq(index),
            *(job[field].eq(chunk[field]) for field in ("line", "slot", "id", "is_final", "attributes")),
            job.first_block.eq(chunk.first_byte[4:]),
            job.last_block.eq(chunk.last_byte[4:]),
        ]

        beat = Signal.like(chunk.beats)
        next_byte = Signal(6)
        byte = Signal(6)
        gathered = Signal(16)
        is_last = beat == chunk.beats
        m.d.comb += [
            byte.eq(Mux(beat == 0, chunk.first_byte, next_byte)),
            self.fill.valid.eq(self.w.valid & self.chunk.valid & (has_entry | self.is_free)),
            fill.place.eq(place_of(index, byte[4:])),
            fill.data.eq(self.w.payload.data),
            fill.strb.eq(self.w.payload.strb),
            fill.total.eq(gathered | self.w.payload.strb),
            self.w.ready.eq(self.fill.ready & self.chunk.valid & (has_entry | self.is_free)),
            self.chunk.ready.eq(self.fill.valid & self.fill.ready & is_last),
        ]
        after = Signal(7)
        m.d.comb += [
            after.eq(byte + (1 << chunk.size)),
            fill.is_end.eq(is_last | (~chunk.is_fixed & (after[4:] != byte[4:]))),
        ]

        with m.If(self.job.valid):
            m.d.sync += [has_entry.eq(1), entry.eq(self.allocated)]
        with m.If(self.fill.valid & self.fill.ready):
            m.d.sync += [
                beat.eq(beat + 1),
                next_byte.eq(Mux(chunk.is_fixed, byte, after)),
                gathered.eq(Mux(fill.is_end, 0, fill.total)),
            ]
            with m.If(is_last):
                m.d.sync += [beat.eq(0), has_entry.eq(0)]
        return m
