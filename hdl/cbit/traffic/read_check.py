"""Whether reads are answered as they must be."""

from amaranth import Array, Cat, Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.axi.ports import Response, read_data_layout

from .burst import BEAT_BYTES, BYTE_BITS, BeatPlace, burst_layout
from .expectations import PASSED_ON, Expectations
from .findings import Kind, finding_layout
from .locks import halves_layout
from .write_data import shadow_write_layout

__all__ = ["ReadCheck", "expected_read_layout"]

DATA_BITS = 8 * BEAT_BYTES


def expected_read_layout(*, region_width: int, offset_width: int, place_width: int, asid_width: int) -> StructLayout:
    """A read that is to be answered.

    ``is_hidden``
        It must not show what was written.
    ``is_seal``
        It shows memory as it is, after a fill under the key of ``slot``.
    """
    return StructLayout({
        "burst": burst_layout(region_width=region_width, offset_width=offset_width),
        "place": unsigned(place_width),
        "slot": unsigned(asid_width),
        "is_denied": unsigned(1),
        "is_hidden": unsigned(1),
        "is_seal": unsigned(1),
    })


class ReadCheck(Component):
    """Compares each beat of each read with what was written, of which it keeps a copy in block RAM.

    Latency: four cycles. Throughput: a beat a cycle, of any IDs in turn. Stalls: none.

    Parameters
    ----------
    region_width, offset_width, place_width, asid_width, id_width : :class:`int`
        Bits of what :func:`expected_read_layout` has, and of an ID.
    ids, depth : :class:`int`
        As in :class:`~cbit.traffic.expectations.Expectations`.

    Members
    -------
    expect : ``In(stream.Signature({"id", "entry"}, always_ready=True))``
        A read that begins.
    asked_id, has_room, some, look, overdue, overdue_id
        As in :class:`~cbit.traffic.expectations.Expectations`.
    written : ``In(stream.Signature(shadow_write_layout(...), always_ready=True))``
        Bytes that are in memory from now on.
    i : ``In(stream.Signature(read_data_layout(...)))``
    ended : ``Out(stream.Signature(halves_layout(...), always_ready=True))``
    is_counted : ``Out(1)``
        High with each read that has ended.
    was_denied, was_hidden : ``Out(1)``
        Whether that one had to be.
    compared : ``Out(range(17))``
        Bytes of a beat of a read that need not be denied.
    finding : ``Out(stream.Signature(finding_layout(...), always_ready=True))``
    """

    def __init__(self, *, region_width: int, offset_width: int, place_width: int, asid_width: int, id_width: int,
                 ids: int, depth: int) -> None:
        region = {"region_width": region_width, "offset_width": offset_width}
        self.region_width = region_width
        self.offset_width = offset_width
        self.block_width = region_width + offset_width - BYTE_BITS
        self.entry = expected_read_layout(place_width=place_width, asid_width=asid_width, **region)
        self.expectations = Expectations(shape=self.entry, id_width=id_width, ids=ids, depth=depth)
        self.place = BeatPlace(**region)
        self.seal = StructLayout({"data": DATA_BITS, "slot": asid_width, "place": place_width})
        members = self.expectations.signature.members
        memory_width = place_width + region_width + offset_width
        super().__init__({
            "expect": members["i"],
            **{name: members[name] for name in PASSED_ON},
            "written": In(stream.Signature(shadow_write_layout(block_width=self.block_width), always_ready=True)),
            "i": In(stream.Signature(read_data_layout(id_width, DATA_BITS))),
            "ended": Out(stream.Signature(halves_layout(region_width=region_width), always_ready=True)),
            "is_counted": Out(1),
            "was_denied": Out(1),
            "was_hidden": Out(1),
            "compared": Out(range(BEAT_BYTES + 1)),
            "finding": Out(stream.Signature(finding_layout(memory_width=memory_width, id_width=id_width),
                                            always_ready=True)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.expectations = expectations = self.expectations
        m.submodules.place = self.place
        connect(m, flipped(self.expect), expectations.i)
        beat, is_there = Signal.like(self.i.payload), Signal()
        m.d.comb += [
            *(getattr(expectations, name).eq(getattr(self, name)) for name in ("asked_id", "look")),
            *(getattr(self, name).eq(getattr(expectations, name))
              for name in ("has_room", "some", "overdue", "overdue_id")),
            self.i.ready.eq(1),
        ]
        m.d.sync += [is_there.eq(self.i.valid), beat.eq(self.i.payload)]
        found = Signal(StructLayout({
            "is_there": 1, "is_expected": 1, "is_first": 1, "is_last": 1, "lanes": BEAT_BYTES,
            "byte": self.offset_width, "entry": self.entry, "beat": self.i.payload.shape()}))
        self._find(m, is_there, beat, found)
        self._compare(m, found)
        return m

    def _find(self, m: Module, is_there: Signal, beat, found) -> None:
        """Which beat of which read it is: registered in ``found``, beside the copy's block."""
        expectations, place = self.expectations, self.place
        entry = expectations.entry
        progress = Array(Signal(8, name=f"progress{number}") for number in range(expectations.ids))
        index = progress[beat.id[:expectations.index_width]]
        is_last, goes_on = Signal(), Signal()
        m.d.comb += [
            expectations.id.eq(beat.id),
            place.burst.eq(entry.burst),
            place.index.eq(index),
            is_last.eq(index == entry.burst.len),
            goes_on.eq(is_there & expectations.is_expected),
            expectations.remove.eq(goes_on & is_last),
        ]
        with m.If(goes_on):
            m.d.sync += index.eq(Mux(is_last, 0, index + 1))
        m.d.sync += [
            found.is_there.eq(is_there),
            found.is_expected.eq(expectations.is_expected),
            found.is_first.eq(index == 0),
            found.is_last.eq(is_last),
            found.lanes.eq(place.half_lanes),
            found.byte.eq(place.byte),
            found.entry.eq(entry),
            found.beat.eq(beat),
        ]

    def _shadow(self, m: Module) -> Signal:
        """What has been written to the block that is found, when it is in ``found``."""
        m.submodules.shadow = memory = Memory(shape=unsigned(DATA_BITS), depth=1 << self.block_width, init=[])
        write, read = memory.write_port(granularity=8), memory.read_port()
        m.d.comb += [
            write.addr.eq(self.written.payload.block),
            write.data.eq(self.written.payload.data),
            write.en.eq(Mux(self.written.valid, self.written.payload.strb, 0)),
            read.addr.eq(self.place.block),
        ]
        return read.data

    def _seals(self, m: Module, found, is_raw: Signal):
        """What was seen of the region at its last look."""
        m.submodules.seals = memory = Memory(shape=self.seal, depth=1 << self.region_width, init=[])
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            write.addr.eq(found.entry.burst.region),
            write.data.data.eq(found.beat.data),
            write.data.slot.eq(found.entry.slot),
            write.data.place.eq(found.entry.place),
            write.en.eq(is_raw),
            read.addr.eq(self.expectations.entry.burst.region),
        ]
        return read.data

    def _compare(self, m: Module, found) -> None:
        entry, beat, finding = found.entry, found.beat, self.finding
        expected, lanes = Signal(DATA_BITS), Signal(BEAT_BYTES)
        is_raw, is_equal, is_repeated = Signal(), Signal(), Signal()
        is_other_response = Mux(entry.is_denied, beat.resp != Response.SLVERR, beat.resp != Response.OKAY)
        shadow, seal = self._shadow(m), self._seals(m, found, is_raw)
        is_same_again = (seal.slot == entry.slot) & (seal.place == entry.place)
        m.d.comb += [
            expected.eq(Mux(entry.is_denied, (1 << DATA_BITS) - 1, shadow)),
            lanes.eq(found.lanes | Mux(entry.is_denied, (1 << BEAT_BYTES) - 1, 0)),
            is_equal.eq(~Cat((expected.word_select(lane, 8) != beat.data.word_select(lane, 8)) & lanes[lane]
                             for lane in range(BEAT_BYTES)).any()),
            is_raw.eq(found.is_there & found.is_expected & entry.is_seal & entry.is_hidden & found.is_first),
            is_repeated.eq(is_raw & ~is_same_again & (seal.data == beat.data)),
        ]
        kind = Signal(Kind)
        with m.If(~found.is_expected):
            m.d.comb += kind.eq(Kind.UNASKED)
        with m.Elif(is_other_response):
            m.d.comb += kind.eq(Kind.RESPONSE)
        with m.Elif(beat.last != found.is_last):
            m.d.comb += kind.eq(Kind.LAST)
        with m.Elif(entry.is_hidden & is_equal):
            m.d.comb += kind.eq(Kind.EXPOSED)
        with m.Elif(is_repeated):
            m.d.comb += kind.eq(Kind.REPEATED)
        with m.Elif(~entry.is_hidden & ~is_equal):
            m.d.comb += kind.eq(Kind.DATA)
        is_end = found.is_there & found.is_expected & found.is_last
        m.d.comb += [
            self.ended.valid.eq(is_end & ~entry.is_denied),
            self.ended.payload.region.eq(entry.burst.region),
            self.ended.payload.halves.eq(entry.burst.halves),
        ]
        m.d.sync += [
            self.is_counted.eq(is_end),
            self.was_denied.eq(entry.is_denied),
            self.was_hidden.eq(entry.is_hidden),
            self.compared.eq(Mux(found.is_there & found.is_expected & ~entry.is_denied, sum(found.lanes), 0)),
            finding.valid.eq(found.is_there & (kind != Kind.NONE)),
            finding.payload.kind.eq(kind),
            finding.payload.id.eq(beat.id),
            finding.payload.address.eq(Cat(found.byte, entry.burst.region, entry.place)),
            finding.payload.expected.eq(expected),
            finding.payload.got.eq(beat.data),
        ]
