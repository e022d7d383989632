"""Whether writes are answered as they must be."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.axi.ports import Response, response_layout

from .expectations import PASSED_ON, Expectations
from .findings import Kind, finding_layout
from .locks import halves_layout

__all__ = ["WriteCheck", "expected_write_layout"]


def expected_write_layout(*, memory_width: int, region_width: int, capacity: int) -> StructLayout:
    """A write that is to be answered; ``number`` counts writes in the order of their data."""
    return StructLayout({"address": unsigned(memory_width), "touched": halves_layout(region_width=region_width),
                         "is_denied": unsigned(1), "number": unsigned(capacity.bit_length() + 1)})


class WriteCheck(Component):
    """Compares the answer to each write with what it must be.

    Latency: two cycles. Throughput: an answer a cycle. Stalls: none.

    Parameters
    ----------
    memory_width, region_width, id_width : :class:`int`
        Bits of an address of memory, of a region's number, and of an ID.
    ids, depth : :class:`int`
        As in :class:`~cbit.traffic.expectations.Expectations`.

    Members
    -------
    expect : ``In(stream.Signature({"id", "entry"}, always_ready=True))``
        A write that begins; its number is given here.
    asked_id, has_room, some, look, overdue, overdue_id
        As in :class:`~cbit.traffic.expectations.Expectations`.
    data_ended : ``In(1)``
        High in the cycle in which the last beat of a write is taken.
    i : ``In(stream.Signature(response_layout(...)))``
    ended : ``Out(stream.Signature(halves_layout(...), always_ready=True))``
    is_counted : ``Out(1)``
        High with each write that has ended.
    was_denied : ``Out(1)``
        Whether that one had to be.
    finding : ``Out(stream.Signature(finding_layout(...), always_ready=True))``
    """

    def __init__(self, *, memory_width: int, region_width: int, id_width: int, ids: int, depth: int) -> None:
        self.entry = expected_write_layout(memory_width=memory_width, region_width=region_width, capacity=ids * depth)
        self.expectations = Expectations(shape=self.entry, id_width=id_width, ids=ids, depth=depth)
        members = self.expectations.signature.members
        super().__init__({
            "expect": members["i"],
            **{name: members[name] for name in PASSED_ON},
            "data_ended": In(1),
            "i": In(stream.Signature(response_layout(id_width))),
            "ended": Out(stream.Signature(halves_layout(region_width=region_width), always_ready=True)),
            "is_counted": Out(1),
            "was_denied": Out(1),
            "finding": Out(stream.Signature(finding_layout(memory_width=memory_width, id_width=id_width),
                                            always_ready=True)),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.expectations = expectations = self.expectations
        begun, sent = Signal(self.entry["number"].shape), Signal(self.entry["number"].shape)
        connect(m, flipped(self.expect), expectations.i)
        m.d.comb += [
            *(getattr(expectations, name).eq(getattr(self, name)) for name in ("asked_id", "look")),
            *(getattr(self, name).eq(getattr(expectations, name))
              for name in ("has_room", "some", "overdue", "overdue_id")),
            expectations.i.payload.entry.number.eq(begun),
        ]
        m.d.sync += [begun.eq(begun + self.expect.valid), sent.eq(sent + self.data_ended)]
        answer, is_there = Signal.like(self.i.payload), Signal()
        m.d.comb += self.i.ready.eq(1)
        m.d.sync += [is_there.eq(self.i.valid), answer.eq(self.i.payload)]
        # Of all writes in flight those with their data sent are the older ones.
        entry = expectations.entry
        has_data = Signal()
        m.d.comb += has_data.eq((begun - entry.number)[:len(begun)] > (begun - sent)[:len(begun)])
        self._conclude(m, is_there, answer, expectations.is_expected, has_data)
        return m

    def _conclude(self, m: Module, is_there, answer, is_expected, has_data) -> None:
        entry, finding = self.expectations.entry, self.finding
        is_other_response = Mux(entry.is_denied, answer.resp != Response.SLVERR, answer.resp != Response.OKAY)
        kind = Signal(Kind)
        with m.If(~is_expected | ~has_data):
            m.d.comb += kind.eq(Kind.UNASKED)
        with m.Elif(is_other_response):
            m.d.comb += kind.eq(Kind.RESPONSE)
        m.d.comb += [
            self.expectations.id.eq(answer.id),
            self.expectations.remove.eq(is_there & is_expected),
            self.ended.valid.eq(is_there & is_expected & ~entry.is_denied),
            self.ended.payload.eq(entry.touched),
        ]
        m.d.sync += [
            self.is_counted.eq(is_there & is_expected),
            self.was_denied.eq(entry.is_denied),
            finding.valid.eq(is_there & (kind != Kind.NONE)),
            finding.payload.kind.eq(kind),
            finding.payload.is_write.eq(1),
            finding.payload.id.eq(answer.id),
            finding.payload.address.eq(entry.address),
        ]
