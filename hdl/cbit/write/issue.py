"""Sends writes to DRAM: plain ones as they come, encrypted ones when all of their blocks are ready."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from cbit.access.request import request_layout
from cbit.axi.ports import Burst, address_layout, write_data_layout
from cbit.stream.arbiter import PatientArbiter
from cbit.stream.queue import ReservedQueue

from .entry import BLOCKS_PER_ENTRY, line_job_layout, place_of

__all__ = ["WriteIssue"]

PLAIN, ENCRYPTED = range(2)


class WriteIssue(Component):
    """Puts bursts on DRAM's AW and W, one after the other, plain ones first.

    A plain write goes when its first beat is there; its data pass unchanged. An encrypted write goes
    when all of its blocks are ready, and never waits within the burst. If it has failed its strobes
    are zero, so that DRAM answers and nothing is written.

    Latency: none. Throughput: one beat a cycle, also from burst to burst while DRAM takes addresses
    as fast as bursts. Stalls: ``aw`` and ``w`` do not wait for each other.

    Parameters
    ----------
    entries, addr_width, c_bit, id_width, slot_width, slots : :class:`int`
        Size of the table, widths, and number of slots.
    patience : :class:`int`
        How many plain bursts in a row may pass encrypted ones that wait.

    Members
    -------
    plain : ``In(stream.Signature(request_layout(...)))``
        A plain write, taken when all of it has gone.
    plain_w : ``In(stream.Signature(write_data_layout(128)))``
    plain_may_go : ``In(1)``
        Whether the table has room for it and nothing to wait for.
    plain_starts : ``Out(1)``
        High in the cycle in which it starts.
    job : ``In(stream.Signature(line_job_layout(...), always_ready=True))``
        A new encrypted write.
    may_go : ``In(entries)``
        Encrypted writes that overlap no earlier partial one any longer.
    is_ready, is_written : ``In(4 * entries)``
        For each place: whether the block may go; whether it is to be written.
    failed : ``In(entries)``
        Encrypted writes that must not be written.
    serving : ``In(slots)``
        Slots whose keys are there.
    place : ``Out(range(4 * entries))``
    ciphertext : ``In(128)``
        The ciphertext at ``place``.
    send : ``Out(1)``
        High in the cycle in which encrypted write ``send_index`` starts; ``send_failed`` if in vain.
    send_index : ``Out(range(entries))``
    send_failed : ``Out(1)``
    aw : ``Out(stream.Signature(address_layout(...)))``
    w : ``Out(stream.Signature(write_data_layout(128)))``
    """

    def __init__(self, *, entries: int, addr_width: int, c_bit: int, id_width: int, slot_width: int, slots: int,
                 patience: int) -> None:
        self.entries = entries
        self.patience = patience
        widths = {"c_bit": c_bit, "id_width": id_width, "slot_width": slot_width}
        blocks = BLOCKS_PER_ENTRY * entries
        self.job_layout = line_job_layout(entries=entries, **widths)
        super().__init__({
            "plain": In(stream.Signature(request_layout(**widths))),
            "plain_w": In(stream.Signature(write_data_layout(128))),
            "plain_may_go": In(1),
            "plain_starts": Out(1),
            "job": In(stream.Signature(self.job_layout, always_ready=True)),
            "may_go": In(entries),
            "is_ready": In(blocks),
            "is_written": In(blocks),
            "failed": In(entries),
            "serving": In(slots),
            "place": Out(range(blocks)),
            "ciphertext": In(128),
            "send": Out(1),
            "send_index": Out(range(entries)),
            "send_failed": Out(1),
            "aw": Out(stream.Signature(address_layout(addr_width=addr_width, id_width=id_width))),
            "w": Out(stream.Signature(write_data_layout(128))),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.arbiter = arbiter = PatientArbiter(count=2, patience=self.patience)
        m.submodules.jobs = jobs = ReservedQueue(shape=self.job_layout, depth=self.entries, bypass=False)
        is_begun = Signal()
        begun_choice = Signal(range(2))
        choice = Signal(range(2))
        starts = Signal()
        runs = Signal()
        ends = Signal()
        m.d.comb += [
            jobs.i.payload.eq(self.job.payload),
            jobs.i.valid.eq(self.job.valid),
            arbiter.requests[PLAIN].eq(~is_begun & self.plain.valid & self.plain_w.valid & self.plain_may_go),
            arbiter.requests[ENCRYPTED].eq(~is_begun & jobs.o.valid & self._all_ready(jobs.o.payload)),
            starts.eq(arbiter.valid),
            arbiter.taken.eq(starts),
            choice.eq(Mux(is_begun, begun_choice, arbiter.choice)),
            runs.eq(is_begun | starts),
        ]
        m.d.sync += is_begun.eq(runs & ~ends)
        with m.If(starts):
            m.d.sync += begun_choice.eq(choice)

        self._track_channels(m, runs, ends)
        with m.If(choice == PLAIN):
            self._send_plain(m, starts, runs, ends)
        with m.Else():
            self._send_encrypted(m, jobs.o, starts, runs, ends)
        return m

    def _all_ready(self, job):
        ready = self.is_ready.word_select(job.index, BLOCKS_PER_ENTRY)
        untouched = ((1 << job.first_block) - 1) | ~((2 << job.last_block) - 1)
        return (ready | untouched)[:BLOCKS_PER_ENTRY].all() & self.may_go.bit_select(job.index, 1)

    def _track_channels(self, m: Module, runs: Signal, ends: Signal) -> None:
        """The two channels go on by themselves; the burst ends when both have."""
        self._aw_done = Signal()
        self._w_done = Signal()
        aw_ends = Signal()
        w_ends = Signal()
        m.d.comb += [
            self.aw.valid.eq(runs & ~self._aw_done),
            aw_ends.eq(self._aw_done | self.aw.ready),
            w_ends.eq(self._w_done | (self.w.valid & self.w.ready & self.w.payload.last)),
            ends.eq(runs & aw_ends & w_ends),
        ]
        m.d.sync += [
            self._aw_done.eq(runs & aw_ends & ~ends),
            self._w_done.eq(runs & w_ends & ~ends),
        ]

    def _send_plain(self, m: Module, starts: Signal, runs: Signal, ends: Signal) -> None:
        request, address = self.plain.payload, self.aw.payload
        m.d.comb += [
            *(address[field].eq(request[field]) for field in ("id", "addr", "len", "size", "burst", "lock")),
            *(address[field].eq(request.attributes[field]) for field, _ in request.attributes.shape()),
            self.w.payload.eq(self.plain_w.payload),
            self.w.valid.eq(runs & ~self._w_done & self.plain_w.valid),
            self.plain_w.ready.eq(runs & ~self._w_done & self.w.ready),
            self.plain.ready.eq(ends),
            self.plain_starts.eq(starts),
        ]

    def _send_encrypted(self, m: Module, jobs, starts: Signal, runs: Signal, ends: Signal) -> None:
        job, address, beat = jobs.payload, self.aw.payload, self.w.payload
        sent_blocks = Signal(2)
        block = Signal(2)
        failed_at_start = Signal()
        is_written = Signal()
        m.d.comb += [
            address.id.eq(job.id),
            address.addr.eq((job.line << 6) | (job.first_block << 4)),
            address.len.eq(job.last_block - job.first_block),
            address.size.eq(4),
            address.burst.eq(Burst.INCR),
            *(address[field].eq(job.attributes[field]) for field, _ in job.attributes.shape()),
            jobs.ready.eq(ends),
            self.send.eq(starts),
            self.send_index.eq(job.index),
            self.send_failed.eq(Mux(starts, self.failed.bit_select(job.index, 1)
                                    | ~self.serving.bit_select(job.slot, 1), failed_at_start)),
            block.eq(job.first_block + sent_blocks),
            self.place.eq(place_of(job.index, block)),
            is_written.eq(self.is_written.bit_select(self.place, 1) & ~self.send_failed),
            self.w.valid.eq(runs & ~self._w_done),
            beat.data.eq(self.ciphertext & is_written.replicate(128)),
            beat.strb.eq(is_written.replicate(16)),
            beat.last.eq(block == job.last_block),
        ]
        m.d.sync += failed_at_start.eq(self.send_failed)
        with m.If(self.w.valid & self.w.ready):
            m.d.sync += sent_blocks.eq(Mux(beat.last, 0, sent_blocks + 1))
