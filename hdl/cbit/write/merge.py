"""Completes the blocks of which a write gives only some bytes."""

from amaranth import Module, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.read.decrypt import merged_layout
from cbit.read.entry import merge_request_layout
from cbit.stream.queue import ReservedQueue

from .entry import BLOCKS_PER_ENTRY, line_job_layout
from .gather import fill_layout

__all__ = ["WriteMerge"]


class WriteMerge(Component):
    """Keeps the plaintext blocks of encrypted writes, and reads from DRAM what is missing in them.

    A block that is wholly written is complete at once, one of which no byte is written is complete and
    stays as it is, any other when the rest has been read. If that read fails, nothing of its line is
    written.

    Latency: a block is complete one cycle after its last bytes. Throughput: one beat a cycle. Stalls:
    ``fill`` waits in a cycle of ``merged``, which never waits.

    Parameters
    ----------
    entries, c_bit, id_width, slot_width : :class:`int`
        Size of the table, and widths.

    Members
    -------
    job : ``In(stream.Signature(line_job_layout(...), always_ready=True))``
        A new write, before or with its first bytes.
    fill : ``In(stream.Signature(fill_layout(...)))``
    partial : ``Out(1)``
        High in the cycle in which a partial block of write ``partial_index`` has been filled.
    partial_index : ``Out(range(entries))``
    may_read : ``In(entries)``
        Writes that overlap nothing earlier any longer.
    request : ``Out(stream.Signature(merge_request_layout(...)))``
    merged : ``In(stream.Signature(merged_layout(...), always_ready=True))``
    place : ``In(range(4 * entries))``
    block : ``Out(128)``
        The plaintext at ``place``.
    is_complete, is_written : ``Out(4 * entries)``
        For each place: whether the block is complete; whether it is to be written.
    failed : ``Out(entries)``
        Writes for which a read has failed.
    """

    def __init__(self, *, entries: int, c_bit: int, id_width: int, slot_width: int) -> None:
        widths = {"c_bit": c_bit, "id_width": id_width, "slot_width": slot_width}
        self.entries = entries
        self.blocks = BLOCKS_PER_ENTRY * entries
        self.request_layout = merge_request_layout(blocks=self.blocks, **widths)
        super().__init__({
            "job": In(stream.Signature(line_job_layout(entries=entries, **widths), always_ready=True)),
            "fill": In(stream.Signature(fill_layout(entries=entries))),
            "partial": Out(1),
            "partial_index": Out(range(entries)),
            "may_read": In(entries),
            "request": Out(stream.Signature(self.request_layout)),
            "merged": In(stream.Signature(merged_layout(blocks=self.blocks), always_ready=True)),
            "place": In(range(self.blocks)),
            "block": Out(128),
            "is_complete": Out(self.blocks),
            "is_written": Out(self.blocks),
            "failed": Out(entries),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        fill, merged = self.fill.payload, self.merged.payload
        filled = Signal()
        m.d.comb += [
            self.fill.ready.eq(~self.merged.valid),
            filled.eq(self.fill.valid & self.fill.ready),
        ]
        self._elaborate_memory(m, filled)
        self._elaborate_requests(m, filled)

        with m.If(self.job.valid):
            m.d.sync += [
                self.is_complete.word_select(self.job.payload.index, BLOCKS_PER_ENTRY).eq(0),
                self.failed.bit_select(self.job.payload.index, 1).eq(0),
            ]
        with m.If(filled & fill.is_end):
            m.d.sync += [
                self.is_complete.bit_select(fill.place, 1).eq(fill.total.all() | ~fill.total.any()),
                self.is_written.bit_select(fill.place, 1).eq(fill.total.any()),
            ]
        with m.If(self.merged.valid):
            m.d.sync += self.is_complete.bit_select(merged.place, 1).eq(1)
            with m.If(merged.failed):
                m.d.sync += self.failed.bit_select(merged.place[2:], 1).eq(1)
        return m

    def _elaborate_memory(self, m: Module, filled: Signal) -> None:
        """The bytes, and a strobe for each: what was written stays when the rest is merged in."""
        fill, merged = self.fill.payload, self.merged.payload
        m.submodules.plaintext = plaintext = Memory(shape=unsigned(128), depth=self.blocks, init=[])
        m.submodules.strobes = strobes = Memory(shape=unsigned(16), depth=self.blocks, init=[])
        write = plaintext.write_port(granularity=8)
        read = plaintext.read_port(domain="comb")
        strobe_write = strobes.write_port()
        strobe_read = strobes.read_port(domain="comb")
        m.d.comb += [
            read.addr.eq(self.place),
            self.block.eq(read.data),
            strobe_write.addr.eq(fill.place),
            strobe_write.data.eq(fill.total),
            strobe_write.en.eq(filled & fill.is_end),
            strobe_read.addr.eq(merged.place),
        ]
        with m.If(self.merged.valid):
            m.d.comb += [write.addr.eq(merged.place), write.data.eq(merged.data), write.en.eq(~strobe_read.data)]
        with m.Else():
            m.d.comb += [
                write.addr.eq(fill.place),
                write.data.eq(fill.data),
                write.en.eq(fill.strb & filled.replicate(16)),
            ]

    def _elaborate_requests(self, m: Module, filled: Signal) -> None:
        """Reads wait in order until nothing earlier is under way to their line."""
        fill = self.fill.payload
        m.submodules.requests = requests = ReservedQueue(shape=self.request_layout, depth=self.blocks, bypass=False)
        job = Signal(self.job.payload.shape())
        current = Signal(self.job.payload.shape())
        m.d.comb += current.eq(job)
        with m.If(self.job.valid):
            m.d.comb += current.eq(self.job.payload)
            m.d.sync += job.eq(self.job.payload)

        request, head = requests.i.payload, requests.o.payload
        may_read = self.may_read.bit_select(head.place[2:], 1)
        m.d.comb += [
            self.partial.eq(filled & fill.is_end & fill.total.any() & ~fill.total.all()),
            self.partial_index.eq(fill.place[2:]),
            requests.i.valid.eq(self.partial),
            *(request[field].eq(current[field]) for field in ("line", "slot", "id", "attributes")),
            request.block.eq(fill.place[:2]),
            request.place.eq(fill.place),
            self.request.payload.eq(head),
            self.request.valid.eq(requests.o.valid & may_read),
            requests.o.ready.eq(self.request.ready & may_read),
        ]
