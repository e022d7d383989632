"""Finds out, of each write, for which earlier ones it has to wait."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout, View
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.beat import BLOCKS_PER_LINE, BeatShape
from cbit.guard.shadows import unguarded
from cbit.stream.stage import Stage

from .entry import NUMBER_BITS, PAGE_CLASS_BITS, near_bits
from .gather import event_layout
from .route import LINE_CLASS_BITS

__all__ = ["WriteHazards", "mark_layout", "record_layout"]


def mark_layout(*, entries: int) -> StructLayout:
    """What a plain write waits for: until the line ``sent`` is sent, and until the line ``settled`` is settled."""
    return StructLayout({
        "waits_sent": unsigned(1),
        "sent": unsigned(near_bits(entries)),
        "waits_settled": unsigned(1),
        "settled": unsigned(near_bits(entries)),
        "page_class": unsigned(PAGE_CLASS_BITS),
    })


def record_layout(*, entries: int, data_width: int) -> StructLayout:
    """A line of which all data have come: a bit for each block that is written, and for each beat that is partial.

    If ``waits``, the partial ones are read when the line ``settled`` is settled. A line that ``is_held`` goes to DRAM
    when all before it are settled.
    """
    return StructLayout({
        "written": unsigned(BLOCKS_PER_LINE),
        "partial": unsigned(BeatShape(data_width).per_line),
        "waits": unsigned(1),
        "settled": unsigned(near_bits(entries)),
        "is_held": unsigned(1),
    })


class WriteHazards(Component):
    """Remembers the last line of each class of beats, of each ID, and with a partial beat, of each class of pages.

    Beats, and pages, of one class are taken for the same: that costs time, now and then, and harms nothing. Only what
    came before an event counts for it.

    Latency: from ``event`` to ``mark`` none, or if pipelined two cycles; from a line's last beat to ``record`` four,
    or five. Throughput: one event a cycle. Stalls: none.

    Parameters
    ----------
    entries, data_width, id_width : :class:`int`
        Lines in flight, and widths of a beat and of an ID.
    pipelined : :class:`bool`
        Whether registers part the steps from an event to its mark.

    Members
    -------
    event : ``In(event_layout(...))``
    sent, settled : ``In(near_bits(entries))``
        As in :class:`~cbit.write.progress.WriteProgress`.
    mark : ``Out(stream.Signature(mark_layout(...), always_ready=True))``
        For each plain write.
    record : ``Out(stream.Signature(record_layout(...), always_ready=True))``
        For each line.
    """

    def __init__(self, *, entries: int, data_width: int, id_width: int, pipelined: bool) -> None:
        self.near = near_bits(entries)
        self.beat = BeatShape(data_width)
        self.id_width = id_width
        self.pipelined = pipelined
        self.event_layout = event_layout(data_width=data_width, id_width=id_width)
        record = record_layout(entries=entries, data_width=data_width)
        super().__init__({
            "event": In(self.event_layout),
            "sent": In(self.near),
            "settled": In(self.near),
            "mark": Out(stream.Signature(mark_layout(entries=entries), always_ready=True)),
            "record": Out(stream.Signature(record, always_ready=True)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        self._mark_plain(m)
        self._record_line(m, *self._meet(m, *self._exchange(m)))
        return m

    def _is_near(self, number, previous):
        """Whether line ``previous`` is so near before ``number`` that it may not be settled."""
        back = (number - previous - 1)[:NUMBER_BITS]
        return ~back[self.near - 1:].any()

    def _is_open(self, previous, border):
        """Whether a line that is near is at ``border``, what has been sent or settled, or behind."""
        return ~(previous - border)[self.near - 1]

    def _part(self, m: Module, name: str, **fields) -> View:
        """The fields, a cycle later if pipelined."""
        stage = Stage(shape=StructLayout({field: unsigned(len(value)) for field, value in fields.items()}),
                      registered=self.pipelined)
        m.submodules[name] = stage
        m.d.comb += [stage.advance.eq(1), *(stage.i[field].eq(value) for field, value in fields.items())]
        return stage.o

    def _last_line_of(self, m: Module, name: str, key: Signal, changes) -> Signal:
        """The number of the last line that had ``key``, remembered from events in which it ``changes``."""
        m.submodules[name] = memory = Memory(shape=unsigned(NUMBER_BITS), depth=1 << len(key), init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        m.d.comb += [
            write.addr.eq(key),
            write.data.eq(self.event.number),
            write.en.eq(changes),
            read.addr.eq(key),
        ]
        return read.data

    def _mark_plain(self, m: Module) -> None:
        event, mark = self.event, self.mark.payload
        found = self._part(
            m, "found", valid=event.is_plain, number=event.number, page_class=event.page_class,
            of_id=self._last_line_of(m, "by_id", event.id, event.is_whole),
            of_page=self._last_line_of(m, "by_page", event.page_class, event.is_whole & event.is_partial))
        near = self._part(
            m, "near", valid=found.valid, page_class=found.page_class,
            of_id=found.of_id[:self.near], id_is_near=self._is_near(found.number, found.of_id),
            of_page=found.of_page[:self.near], page_is_near=self._is_near(found.number, found.of_page))
        m.d.comb += [
            self.mark.valid.eq(near.valid),
            mark.waits_sent.eq(near.id_is_near & self._is_open(near.of_id, self.sent)),
            mark.sent.eq(near.of_id),
            mark.waits_settled.eq(near.page_is_near & self._is_open(near.of_page, self.settled)),
            mark.settled.eq(near.of_page),
            mark.page_class.eq(near.page_class),
        ]

    def _exchange(self, m: Module) -> tuple[View, View]:
        """Puts a beat's line in its class's place, and shows two cycles later the beat and what was there before."""
        last = StructLayout({"number": unsigned(NUMBER_BITS), "is_partial": unsigned(1)})
        m.submodules.by_beat = memory = Memory(shape=last, depth=self.beat.per_line << LINE_CLASS_BITS, init=[])
        write, read = memory.write_port(), memory.read_port()
        delayed, event = Signal(self.event_layout), Signal(self.event_layout)
        # Counts only beside the event, which is reset; and block RAM has no reset.
        previous = Signal(last, reset_less=True)
        unguarded(previous)  # a register of the block RAM
        m.d.comb += [
            # The beats of one line are of different classes.
            write.addr.eq(Cat(self.event.beat, self.event.line_class)),
            write.data.number.eq(self.event.number),
            write.data.is_partial.eq(self.event.is_partial),
            write.en.eq(self.event.is_whole & self.event.written.any()),
            read.addr.eq(write.addr),
        ]
        m.d.sync += [delayed.eq(self.event), event.eq(delayed), previous.eq(read.data)]
        return event, previous

    def _meet(self, m: Module, event: View, previous: View) -> tuple[View, View]:
        """What is known a cycle later of the beat and the line before it, and whether it meets that, two cycles later:
        if it is not settled."""
        number = Signal(self.near)
        m.d.comb += number.eq(previous.number)
        fields = {"is_whole": unsigned(1), "written": unsigned(self.beat.blocks), "is_partial": unsigned(1),
                  "is_last": unsigned(1), "beat": unsigned(self.beat.number_bits)}
        beat = StructLayout(fields | {"back": unsigned(self.near - 1), "previous": unsigned(self.near),
                                      "meets": unsigned(1), "meets_partial": unsigned(1)})
        near, met = Signal(beat), Signal(beat)
        m.d.sync += [
            *(near[field].eq(event[field]) for field in fields),
            near.back.eq(event.number - previous.number - 1),
            near.previous.eq(number),
            near.meets.eq(event.written.any() & self._is_near(event.number, previous.number)),
            near.meets_partial.eq(previous.is_partial),
            met.eq(near),
            met.meets.eq(near.meets & self._is_open(near.previous, self.settled)),
        ]
        return near, met

    def _record_line(self, m: Module, near: View, met: View) -> None:
        """Gathers what is known of a line's beats; of several lines that it meets the last counts."""
        record = Signal(self.record.payload.shape())
        gathered = Signal(record.shape())
        least_back = Signal.like(met.back)
        bit = Signal(self.beat.per_line)
        waits, is_nearer = Signal(), Signal()
        # The comparison with what will be the least is made a cycle ahead: with both that it can be.
        was_nearer, is_below_last, is_below_least = Signal(), Signal(), Signal()
        m.d.comb += [
            bit.eq(1 << met.beat),
            waits.eq(met.is_whole & met.meets & met.is_partial),
            is_nearer.eq(waits & (~gathered.waits | Mux(was_nearer, is_below_last, is_below_least))),
            record.written.eq(gathered.written | Cat(met.written & one.replicate(self.beat.blocks) for one in bit)),
            record.partial.eq(gathered.partial | Mux(met.is_partial, bit, 0)),
            record.waits.eq(gathered.waits | waits),
            record.settled.eq(Mux(is_nearer, met.previous, gathered.settled)),
            record.is_held.eq(gathered.is_held | (met.meets & met.meets_partial)),
        ]
        m.d.sync += [
            was_nearer.eq(is_nearer),
            is_below_last.eq(near.back < met.back),
            is_below_least.eq(near.back < least_back),
        ]
        with m.If(met.is_whole):
            m.d.sync += gathered.eq(record)
            with m.If(is_nearer):
                m.d.sync += least_back.eq(met.back)
            with m.If(met.is_last):
                m.d.sync += gathered.eq(0)
        self._give(m, met.is_whole & met.is_last, record)

    def _give(self, m: Module, valid, record) -> None:
        """Gives the record, a cycle later if pipelined."""
        m.submodules.given = given = Stage(
            shape=StructLayout({"valid": unsigned(1), "record": record.shape()}), registered=self.pipelined)
        m.d.comb += [
            given.advance.eq(1),
            given.i.valid.eq(valid),
            given.i.record.eq(record),
            self.record.valid.eq(given.o.valid),
            self.record.payload.eq(given.o.record),
        ]
