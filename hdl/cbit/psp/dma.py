"""Moves bytes between the buffer and memory."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib.data import StructLayout, View
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.access.request import user_layout
from cbit.axi.ports import Axi4Signature, Burst, Response
from cbit.psp.beat_walk import BEAT_BYTES, BeatWalk
from cbit.psp.beat_words import BeatWords
from cbit.psp.buffer import BufferSignature, leaves_buffer
from cbit.psp.register_port import register_port

__all__ = ["Dma"]

MOST_BYTES = 4096
BURST_BEATS = 4
"""A burst stays in a line of 64 bytes, and so crosses no boundary of 4 KiB."""

NORMAL_MEMORY = 0b0010
"""AxCACHE: normal memory, not cached, answered by where it ends (IHI 0022, A4.4)."""


class Dma(Component):
    """Reads memory into the buffer or writes it from there, any bytes, under any ASID.

    It makes bursts of up to four whole beats within a line of 64 bytes, one after the other. Bytes outside the range
    are not written; those in its first and last 16 bytes are read, but not stored.

    Latency: one cycle; for each burst 2, and what memory takes from AR or from the last beat of W to the answer; for
    each beat of a read 5, of a write 6; of a read that fails 1, and 4 for each beat. Stalls: each cycle that the
    buffer lets it wait is one more.

    A start while it runs is refused. One with numbers that are out of range is not, but sets DMA_STATUS.ERROR and
    does nothing else: a length that is not 1 to 4096, bytes beyond the buffer or beyond the last address of memory's
    port, an offset that is not the address modulo 16, an ASID that AxUSER has no bits for. So does an answer other
    than OKAY; then no further burst is begun, and of a read all bytes of the range in the buffer are made zero.
    Address and ASID are not written while it runs.

    Parameters
    ----------
    addr_width : :class:`int`
        Bits of an address of memory, the C-bit included. 13 to 64.
    id_width : :class:`int`
        Bits of an ID. All bursts have ID 0.
    asid_width : :class:`int`
        Bits of an ASID on AxUSER. 1 to 10.

    Members
    -------
    dma_low, dma_high, dma_asid, dma_start, dma_status : ``In(register_port(...))``
        The registers.
    buffer : ``Out(BufferSignature())``
        One side.
    m_axi : ``Out(Axi4Signature(...))``
        The other, 128 bits wide, with AxUSER as :func:`~cbit.access.request.user_layout` has it. Accesses are data,
        neither privileged nor those of a device or a page table.

    Raises
    ------
    ValueError
        If a width is out of range.
    """

    def __init__(self, *, addr_width: int, id_width: int, asid_width: int) -> None:
        if addr_width not in range(13, 65):
            raise ValueError(f"addr_width must be 13 to 64, not {addr_width!r}")
        if asid_width not in range(1, 11):
            raise ValueError(f"asid_width must be 1 to 10, not {asid_width!r}")
        self.addr_width = addr_width
        self.id_width = id_width
        self.asid_width = asid_width
        self.user = user_layout(asid_width=asid_width)
        names = ("DMA_LOW", "DMA_HIGH", "DMA_ASID", "DMA_START", "DMA_STATUS")
        super().__init__({
            **{name.lower(): In(register_port(name)) for name in names},
            "buffer": Out(BufferSignature()),
            "m_axi": Out(Axi4Signature(addr_width=addr_width, data_width=8 * BEAT_BYTES, id_width=id_width,
                                       user_width=self.user.size)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        busy, error, goes = Signal(), Signal(), Signal()
        address = self._hold_address(m, busy)
        start, kept = self.dma_start, Signal.like(self.dma_start.data)
        m.d.comb += [
            start.refuse.eq(busy),
            self.dma_status.value.busy.eq(busy),
            self.dma_status.value.error.eq(error),
            goes.eq(start.write & ~self._is_out_of_range(address, start.data)),
        ]
        with m.If(start.write):
            m.d.sync += [error.eq(~goes), kept.eq(start.data)]
        m.submodules.walk = walk = BeatWalk()
        m.submodules.words = words = BeatWords()
        connect(m, words.buffer, flipped(self.buffer))
        m.d.comb += [
            walk.offset.eq(kept.offset), walk.length.eq(kept.length),
            words.place.eq(walk.place), words.strobes.eq(walk.strobes),
        ]
        burst = self._hold_burst(m, walk, address)
        self._collect_errors(m, error)
        self._move(m, walk, words, burst, is_write=kept.write, goes=goes, error=error, busy=busy)
        return m

    def _hold_address(self, m: Module, busy: Value) -> Value:
        """The registers that are only kept; returns the address."""
        for port in (self.dma_low, self.dma_high, self.dma_asid):
            held = Signal.like(port.data)
            m.d.comb += [port.refuse.eq(busy), port.value.eq(held)]
            with m.If(port.write):
                m.d.sync += held.eq(port.data)
        return Cat(self.dma_low.value.address, self.dma_high.value.address)

    def _is_out_of_range(self, address: Value, fields) -> Value:
        end = address[:self.addr_width] + fields.length
        return ((fields.length == 0) | (fields.length > MOST_BYTES) | leaves_buffer(fields.offset, fields.length)
                | address[self.addr_width:].any() | (end > 1 << self.addr_width)
                | (address[:4] != fields.offset[:4]) | self.dma_asid.value.asid[self.asid_width:].any())

    def _hold_burst(self, m: Module, walk: BeatWalk, address: Value) -> View:
        """The burst under way: where it begins, and how many beats of it come after the one at hand."""
        beat, burst = Signal(self.addr_width - 4), Signal(StructLayout({"begins": 1, "more": range(BURST_BEATS)}))
        first, length = Signal.like(beat), Signal.like(burst.more)
        to_line_end = ~beat[:2]
        for channel in (self.m_axi.aw, self.m_axi.ar):
            m.d.comb += [
                channel.payload.addr.eq(first << 4),
                channel.payload.len.eq(length),
                channel.payload.size.eq(BEAT_BYTES.bit_length() - 1),
                channel.payload.burst.eq(Burst.INCR),
                channel.payload.cache.eq(NORMAL_MEMORY),
                View(self.user, channel.payload.user).asid.eq(self.dma_asid.value.asid),
            ]
        with m.If(walk.begin):
            m.d.sync += beat.eq(address[4:self.addr_width])
        with m.If(walk.advance):
            m.d.sync += [beat.eq(beat + 1), burst.more.eq(burst.more - 1)]
        with m.If(burst.begins):
            after = Mux(walk.left > to_line_end, to_line_end, walk.left - 1)
            m.d.sync += [first.eq(beat), length.eq(after), burst.more.eq(after)]
        return burst

    def _collect_errors(self, m: Module, error: Signal) -> None:
        for channel in (self.m_axi.r, self.m_axi.b):
            with m.If(channel.valid & channel.ready & (channel.payload.resp != Response.OKAY)):
                m.d.sync += error.eq(1)

    def _move(self, m: Module, walk: BeatWalk, words: BeatWords, burst: View, *, is_write: Value, goes: Value,
              error: Value, busy: Value) -> None:
        axi = self.m_axi
        wipes, asks_to_write = Signal(), Signal()
        is_last = burst.more == 0
        m.d.comb += [
            words.i.eq(Mux(wipes, 0, axi.r.payload.data)),
            axi.w.payload.data.eq(words.o), axi.w.payload.strb.eq(walk.strobes), axi.w.payload.last.eq(is_last),
            axi.aw.valid.eq(asks_to_write),
        ]
        with m.If(axi.aw.ready):
            m.d.sync += asks_to_write.eq(0)

        # Bursts one after the other, beat by beat; of a read that fails the whole way again, with zeros.
        with m.FSM() as fsm:
            m.d.comb += busy.eq(~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.sync += wipes.eq(0)
                with m.If(goes):
                    m.next = "BEGIN"
            with m.State("BEGIN"):
                m.d.comb += [walk.begin.eq(1), words.take.eq(wipes)]
                m.next = "BURST"
                with m.If(wipes):
                    m.next = "STORE"
            with m.State("BURST"):
                m.d.comb += burst.begins.eq(1)
                m.next = "ASK"
                with m.If(is_write):
                    m.d.sync += asks_to_write.eq(1)
                    m.next = "FETCH"
            with m.State("ASK"):
                m.d.comb += axi.ar.valid.eq(1)
                with m.If(axi.ar.ready):
                    m.next = "RECEIVE"
            with m.State("RECEIVE"):
                m.d.comb += [axi.r.ready.eq(1), words.take.eq(axi.r.valid)]
                with m.If(axi.r.valid):
                    m.next = "STORE"
            with m.State("STORE"):
                m.d.comb += [words.store.eq(1), walk.advance.eq(words.done)]
                with m.If(words.done):
                    m.next = "RECEIVE"
                    with m.If(wipes):
                        m.next = "STORE"
                    with m.Elif(is_last):
                        m.next = "BURST"
                    with m.If(walk.left == 1):
                        m.next = "IDLE"
                    with m.If(is_last & error & ~wipes):
                        m.d.sync += wipes.eq(1)
                        m.next = "BEGIN"
            with m.State("FETCH"):
                m.d.comb += words.fetch.eq(1)
                with m.If(words.done):
                    m.next = "FETCHED"
            with m.State("FETCHED"):
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += [axi.w.valid.eq(1), walk.advance.eq(axi.w.ready)]
                with m.If(axi.w.ready):
                    m.next = "FETCH"
                    with m.If(is_last):
                        m.next = "RESPOND"
            with m.State("RESPOND"):
                m.d.comb += axi.b.ready.eq(1)
                with m.If(axi.b.valid):
                    m.next = "BURST"
                    with m.If((walk.left == 0) | (axi.b.payload.resp != Response.OKAY)):
                        m.next = "IDLE"
