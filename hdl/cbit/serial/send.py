"""Sends writes to DRAM, in order."""

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import address_layout, write_data_layout
from cbit.serial.answers import ACCESSES, burst_layout
from cbit.serial.ports import LINE_BUFFERS, PLACE_BITS, entry_layout, line_place, result_layout

__all__ = ["COUNT_BITS", "SerialSend", "sending_layout"]

COUNT_BITS = 5
"""Of a count of blocks, twice as many as can be under way."""


def sending_layout(*, addr_width: int, id_width: int) -> StructLayout:
    """A burst to be sent, of write ``number``. A line has its blocks in ``buffer`` once ``count`` blocks have come from
    the ring; ``first`` is the first of its blocks, ``strobes`` has those that are written. ``is_partial``: nothing may
    pass it."""
    return StructLayout({
        "address": address_layout(addr_width=addr_width, id_width=id_width),
        "number": range(ACCESSES), "is_plain": unsigned(1), "is_final": unsigned(1), "is_partial": unsigned(1),
        "buffer": range(LINE_BUFFERS), "first": unsigned(2), "strobes": unsigned(4), "count": unsigned(COUNT_BITS)})


_CURRENT = StructLayout({"is_plain": 1, "buffer": range(LINE_BUFFERS), "number": 2, "left": 2, "strobes": 4})
"""The burst whose beats are sent."""


def _begin(m: Module, begins: Value, current, coming, in_vain: Signal) -> None:
    with m.If(begins):
        m.d.sync += [
            current.is_plain.eq(coming.is_plain), current.buffer.eq(coming.buffer), current.number.eq(coming.first),
            current.left.eq(coming.address.len[:2]), current.strobes.eq(coming.strobes & ~in_vain.replicate(4)),
        ]


class SerialSend(Component):
    """Sends plain bursts, whose beats it is given, and lines, whose blocks come from the ring to the store.

    A line of which a block could not be read or encrypted is sent with no strobe set.

    Latency: two cycles from ``i`` to ``aw`` if nothing is before it; to ``w`` one of a plain beat, two of a block.
    Throughput: a plain beat a cycle, a block every two.

    Parameters
    ----------
    addr_width, id_width : :class:`int`
        Widths.
    narrow : :class:`bool`
        Whether plain beats, too, are in the store, and what is stored stays until another block is wanted.

    Members
    -------
    i : ``In(stream.Signature(sending_layout(...)))``
        What comes next. Waits until the one before is on its way.
    idle : ``Out(1)``
        All has been sent.
    plain : ``In(stream.Signature(write_data_layout(128)))``
        The beats of plain bursts; if narrow without their data, and each taken when the store has read it.
    result : ``In(stream.Signature(result_layout(), always_ready=True))``
        What the ring stores.
    fresh, fails : ``In(1)``
        A line begins in ``buffer``, or cannot be written.
    buffer : ``In(range(LINE_BUFFERS))``
    send, sent_idle : ``Out``, ``In``
        As ``send`` and ``idle`` of :class:`~cbit.serial.answers.SerialAnswers`.
    aw, w : ``Out``
        To DRAM.
    wants, place, heard, stored
        Reads the store.
    is_beat : ``Out(1)``
        If narrow: the plain beat, whatever ``place`` says.
    """

    def __init__(self, *, addr_width: int, id_width: int, narrow: bool = False) -> None:
        self.narrow = narrow
        self.sending = sending_layout(addr_width=addr_width, id_width=id_width)
        super().__init__({
            "i": In(stream.Signature(self.sending)),
            "idle": Out(1),
            "plain": In(stream.Signature(write_data_layout(128))),
            "result": In(stream.Signature(result_layout(), always_ready=True)),
            "fresh": In(1),
            "fails": In(1),
            "buffer": In(range(LINE_BUFFERS)),
            "send": Out(stream.Signature(burst_layout(id_width=id_width))),
            "sent_idle": In(1),
            "aw": Out(stream.Signature(address_layout(addr_width=addr_width, id_width=id_width))),
            "w": Out(stream.Signature(write_data_layout(128))),
            "wants": Out(1),
            "place": Out(PLACE_BITS),
            "heard": In(1),
            "is_beat": Out(1),
            "stored": In(entry_layout()),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        coming, is_held, is_sending, fenced = Signal(self.sending), Signal(), Signal(), Signal()
        failed, count, ahead = Signal(LINE_BUFFERS), Signal(COUNT_BITS), Signal(COUNT_BITS)
        is_there, may_go, in_vain = Signal(), Signal(), Signal()
        buffer = self.result.payload.place[2:4]
        comes = self.result.valid & (self.result.payload.place[4:] == line_place(buffer, buffer)[4:])
        m.d.comb += [
            ahead.eq(count - coming.count),
            is_there.eq(coming.is_plain | ~ahead[-1]),
            may_go.eq(is_held & ~is_sending & is_there & (self.sent_idle | ~fenced)),
            in_vain.eq(failed.bit_select(coming.buffer, 1) & ~coming.is_plain),
            self.i.ready.eq(~is_held & ~self.aw.valid),
            self.idle.eq(~is_held & ~is_sending),
            self.aw.payload.eq(coming.address),
            self.send.valid.eq(may_go),
            self.send.payload.id.eq(coming.address.id), self.send.payload.number.eq(coming.number),
            self.send.payload.is_final.eq(coming.is_final), self.send.payload.is_plain.eq(coming.is_plain),
            self.send.payload.in_vain.eq(in_vain),
        ]
        with m.If(comes):
            m.d.sync += count.eq(count + 1)
            with m.If(self.result.payload.hide):
                m.d.sync += failed.bit_select(buffer, 1).eq(1)
        with m.If(self.fails | self.fresh):
            m.d.sync += failed.bit_select(self.buffer, 1).eq(self.fails)
        with m.If(self.aw.ready):
            m.d.sync += self.aw.valid.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [coming.eq(self.i.payload), is_held.eq(1)]
        begins = may_go & self.send.ready
        (self._write_narrow if self.narrow else self._write)(m, coming, is_sending, in_vain, begins)
        with m.If(may_go & self.send.ready):
            m.d.sync += [is_held.eq(0), self.aw.valid.eq(1), is_sending.eq(1), fenced.eq(coming.is_partial)]
        return m

    def _write(self, m: Module, coming, is_sending: Signal, in_vain: Signal, begins) -> None:
        """The beats of the burst whose turn it is."""
        current = Signal(_CURRENT)
        takes, w, may_load, is_last = Signal(), self.w, Signal(), Signal()
        line = ~current.is_plain
        strobe = current.strobes.bit_select(current.number, 1).replicate(16)
        m.d.comb += [
            may_load.eq(~w.valid | w.ready),
            self.wants.eq(is_sending & line & ~takes & may_load),
            self.place.eq(line_place(current.buffer, current.number)),
            self.plain.ready.eq(is_sending & current.is_plain & may_load),
            is_last.eq(Mux(line, current.left == 0, self.plain.payload.last)),
        ]
        m.d.sync += takes.eq(self.wants & self.heard)
        _begin(m, begins, current, coming, in_vain)
        with m.If(w.ready):
            m.d.sync += w.valid.eq(0)
        with m.If(takes | (self.plain.valid & self.plain.ready)):
            m.d.sync += [
                w.valid.eq(1), w.payload.last.eq(is_last), is_sending.eq(~is_last),
                w.payload.data.eq(Mux(line, self.stored.data, self.plain.payload.data)),
                w.payload.strb.eq(Mux(line, strobe, self.plain.payload.strb)),
                current.number.eq(current.number + 1), current.left.eq(current.left - 1),
            ]

    def _write_narrow(self, m: Module, coming, is_sending: Signal, in_vain: Signal, begins) -> None:
        """The same, whose data the store keeps."""
        current, w, takes, is_last = Signal(_CURRENT), self.w, Signal(), Signal()
        beside = Signal(StructLayout({"strb": 16, "last": 1}))
        strobe = current.strobes.bit_select(current.number, 1).replicate(16)
        m.d.comb += [
            self.is_beat.eq(current.is_plain),
            self.wants.eq(is_sending & ~takes & (~w.valid | w.ready) & (~current.is_plain | self.plain.valid)),
            self.place.eq(line_place(current.buffer, current.number)),
            self.plain.ready.eq(takes & current.is_plain),
            is_last.eq(Mux(current.is_plain, self.plain.payload.last, current.left == 0)),
            w.payload.data.eq(self.stored.data), w.payload.strb.eq(beside.strb), w.payload.last.eq(beside.last),
        ]
        m.d.sync += takes.eq(self.wants & self.heard)
        _begin(m, begins, current, coming, in_vain)
        with m.If(w.ready):
            m.d.sync += w.valid.eq(0)
        with m.If(takes):
            m.d.sync += [
                w.valid.eq(1), beside.last.eq(is_last), is_sending.eq(~is_last),
                beside.strb.eq(Mux(current.is_plain, self.plain.payload.strb, strobe)),
                current.number.eq(current.number + 1), current.left.eq(current.left - 1),
            ]
