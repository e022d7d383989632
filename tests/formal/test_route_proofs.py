"""Accesses go the way that was decided, and nothing is served or written under a key that is not there."""

from unittest import mock

import pytest
from amaranth import Module
from amaranth.hdl import Assert, Assume, Mux, Signal, Value
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In

from cbit.access.request import Route
from cbit.axi.ports import Response
from cbit.read import issue as read_issue
from cbit.read.credit import BeatCredit
from cbit.read.decrypt import ReadDecrypt
from cbit.read.entry import ReadKind
from cbit.read.issue import ReadIssue
from cbit.write.collect import WriteCollect
from cbit.write.gather import WriteGather
from cbit.write.issue import WriteIssue
from cbit.write.route import Way, WriteRoute
from cbit_sim.formal import DisprovedError, Engine, prove
from cbit_sim.free_inputs import connect_inputs, free_inputs
from cbit_sim.stream_contract import StreamContract, is_equal

C_BIT = 13
WIDTHS = {"c_bit": C_BIT, "id_width": 1, "slot_width": 1}
EACH_KIND = pytest.mark.parametrize("pipelined", [False, True])
MERGE_TAG = 8
LINES = 2


class Spec(Component):
    """A part of the engine with all inputs free; what it must keep is added by each of the specifications."""

    def __init__(self, design, **members):
        self.design = design
        super().__init__({**members, **free_inputs(design)})

    def elaborate(self, _platform):
        m = Module()
        m.submodules.design = self.design
        connect_inputs(m, self, self.design)
        self._claim(m, self.design)
        return m


class WriteRouteSpec(Spec):
    """Every access carries its route as its QoS, which nothing here looks at.

    What enters as a plain write was decided to be plain, and what enters as a line to be encrypted; each has the turn
    at the data of its way. All other turns lead nowhere, so that the data of a denied or discarded write go nowhere.
    """

    def _claim(self, m, route):
        request, plain, line, turn = route.i.payload, route.plain, route.line, route.turn
        m.d.comb += [
            Assume(request.attributes.qos == Value.cast(request.route)),
            Assert(~plain.valid | (plain.payload.attributes.qos == Route.PLAIN.value)),
            Assert(~line.valid | (line.payload.attributes.qos == Route.ENCRYPTED.value)),
            Assert(~(plain.valid & line.valid)),
            Assert(turn.valid | ~(plain.valid | line.valid)),
        ]
        way = Signal(Way)
        m.d.comb += [
            way.eq(Mux(plain.valid, Way.PLAIN, Mux(line.valid, Way.ENCRYPTED, Way.NOWHERE))),
            Assert(~turn.valid | is_equal(turn.payload.way, way)),
        ]


@EACH_KIND
def test_writes_go_the_way_that_was_decided(pipelined):
    route = WriteRoute(entries=4, data_width=128, pipelined=pipelined, **WIDTHS)
    prove(WriteRouteSpec(route), engine=Engine.REACHABILITY)


class RoutesDiscarded(WriteRoute):
    """A fault: a discarded write enters as a plain one."""

    def _meet(self, m, other, other_valid):
        super()._meet(m, other, other_valid)
        with m.If(~self.splitter.o.valid & (other.route == Route.DISCARDED)):
            m.d.comb += self.entrants.i.payload.way.eq(Way.PLAIN)


@EACH_KIND
def test_a_write_on_another_way_is_found(pipelined):
    with pytest.raises(DisprovedError):
        prove(WriteRouteSpec(RoutesDiscarded(entries=4, data_width=128, pipelined=pipelined, **WIDTHS)),
              engine=Engine.REACHABILITY)


class FreeCredit(BeatCredit):
    """Says whether there is room when it likes."""

    def elaborate(self, _platform):
        return Module()


class ReadIssueSpec(Spec):
    """Every read carries its route as its QoS, those of partial writes a value of their own; nothing here looks at it.

    Each address that goes to DRAM is of the kind that the rest is told, in the same order, so that a denied read never
    goes there and beats of a private one are never taken for plain. It stays while DRAM is not ready.
    """

    def __init__(self, issue=ReadIssue, *, pipelined):
        with mock.patch.object(read_issue, "BeatCredit", FreeCredit):
            design = issue(addr_width=C_BIT + 2, data_width=128, places=2, beats=256, patience=2, pipelined=pipelined,
                           **WIDTHS)
        super().__init__(design, follow=In(1), fits=In(1), chunk_fits=In(1))

    def _claim(self, m, issue):
        request, merge = issue.i.payload, issue.merge.payload
        pipelined = issue.pipelined
        m.submodules.contract = contract = StreamContract(
            shape=issue.ar.payload.shape(), entry_shape=issue.sent.kind.shape(), agrees=self._agrees,
            capacity=2 * pipelined, latency=0)
        m.d.comb += [
            Assume(request.attributes.qos == Value.cast(request.route)),
            Assume(merge.attributes.qos == MERGE_TAG),
            issue.credit.fits.eq(self.fits),
            issue.credit.chunk_fits.eq(self.chunk_fits),
            contract.enters.eq(issue.send),
            contract.entry.eq(issue.sent.kind),
            contract.valid.eq(issue.ar.valid),
            contract.ready.eq(issue.ar.ready),
            contract.payload.eq(issue.ar.payload),
            contract.follow.eq(self.follow),
            Assert(~issue.denied.valid | (request.route == Route.DENIED) | (request.route == Route.DISCARDED)),
        ]
        if not pipelined:
            self._wait(m, issue)

    def _agrees(self, kind, address):
        return ((kind == ReadKind.PLAIN) == (address.qos == Route.PLAIN.value)) & (
            (kind == ReadKind.ENCRYPTED) == (address.qos == Route.ENCRYPTED.value)) & (
            (kind == ReadKind.MERGE) == (address.qos == MERGE_TAG))

    def _wait(self, m, issue):
        """What is offered stays, and what may be sent may be until something is sent."""
        for source in (issue.i, issue.merge):
            waits, offered = Signal(), Signal(source.payload.shape())
            m.d.sync += [waits.eq(source.valid & ~source.ready), offered.eq(source.payload)]
            m.d.comb += Assume(~waits | (source.valid & (source.payload.as_value() == offered.as_value())))
        for may in (issue.may_send, issue.may_decrypt, self.fits, self.chunk_fits):
            might = Signal()
            m.d.sync += might.eq(may & ~issue.send)
            m.d.comb += Assume(~might | may)
        is_denied, denied_id = Signal(), Signal.like(issue.denied_id)
        m.d.sync += [is_denied.eq(issue.denied_busy), denied_id.eq(issue.denied_id)]
        m.d.comb += Assume(~issue.denied_busy | (is_denied & (issue.denied_id == denied_id)))


@EACH_KIND
def test_reads_go_the_way_that_was_decided(pipelined):
    prove(ReadIssueSpec(pipelined=pipelined), engine=Engine.REACHABILITY)


class SendsDenied(ReadIssue):
    """A fault: a denied read that waits for its answer goes to DRAM as a plain one."""

    def _route_head(self, m, plain, *others):
        super()._route_head(m, plain, *others)
        with m.If(self.i.valid & (self.i.payload.route == Route.DENIED)):
            m.d.comb += plain.i.valid.eq(1)


@EACH_KIND
def test_a_denied_read_that_is_sent_is_found(pipelined):
    with pytest.raises(DisprovedError):
        prove(ReadIssueSpec(SendsDenied, pipelined=pipelined), engine=Engine.REACHABILITY)


class ReadDecryptSpec(Spec):
    """A beat whose slot does not serve as it leaves the lane, that DRAM has not given or that has met a faulty round
    key leaves as all ones with an error; a partial write is told that it failed. A faulty round key is told exactly if
    the slot serves."""

    def _claim(self, m, decrypt):
        lane, tag = decrypt.lane_o, decrypt.lane_o.payload.tag
        is_error = (tag.resp == Response.SLVERR) | (tag.resp == Response.DECERR)
        came = StructLayout({"valid": 1, "failed": 1, "is_merge": 1, "key_fault": 1})
        seen, now = Signal(came), Signal(came)
        serves = decrypt.serving.bit_select(tag.slot, 1)
        m.d.comb += [now.valid.eq(lane.valid), now.is_merge.eq(tag.is_merge),
                     now.failed.eq(is_error | ~serves | lane.payload.fault),
                     now.key_fault.eq(lane.valid & lane.payload.fault & serves)]
        m.d["sync" if decrypt.pipelined else "comb"] += seen.eq(now)
        beat = decrypt.o.payload.beat
        m.d.comb += [
            Assert(decrypt.key_fault == seen.key_fault),
            Assert(decrypt.o.valid == (seen.valid & ~seen.is_merge)),
            Assert(decrypt.merged.valid == (seen.valid & seen.is_merge)),
            Assert(~decrypt.merged.valid | (decrypt.merged.payload.failed == seen.failed)),
        ]
        with m.If(decrypt.o.valid & seen.failed):
            m.d.comb += [Assert(beat.data.all()),
                         Assert((beat.resp == Response.SLVERR) | (beat.resp == Response.DECERR))]


@EACH_KIND
def test_a_block_without_its_key_leaves_as_ones(pipelined):
    prove(ReadDecryptSpec(ReadDecrypt(entries=2, data_width=128, id_width=1, slot_width=1, slots=2, places=2,
                                      pipelined=pipelined)),
          engine=Engine.REACHABILITY)


class WriteGatherSpec(Spec):
    """Only beats of encrypted writes bring bytes to a whole one, and begin or end one; only those of plain writes count
    as plain ones."""

    def _claim(self, m, gather):
        beat, had = gather.beat, Signal.like(gather.whole.strb)
        is_encrypted = beat.valid & (beat.payload.way == Way.ENCRYPTED)
        m.d.sync += had.eq(Mux(gather.event.is_whole, 0, gather.whole.strb))
        m.d.comb += [
            Assert(gather.whole.strb == (had | Mux(is_encrypted, beat.payload.strb, 0))),
            Assert(~gather.event.is_whole | is_encrypted),
            Assert(~gather.event.is_plain | (beat.valid & (beat.payload.way == Way.PLAIN))),
        ]


@pytest.mark.parametrize("data_width", [128, 512])
def test_a_denied_write_brings_no_bytes(data_width):
    prove(WriteGatherSpec(WriteGather(data_width=data_width, id_width=1)), engine=Engine.REACHABILITY)


class LetsBytesThrough(WriteGather):
    """A fault: bytes count whatever the way of their beat."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.whole.strb.eq(self.beat.payload.strb)
        return m


def test_bytes_of_a_denied_write_are_found():
    with pytest.raises(DisprovedError):
        prove(WriteGatherSpec(LetsBytesThrough(data_width=128, id_width=1)), engine=Engine.REACHABILITY)


class HandsOutAnyway(ReadDecrypt):
    """A fault: what leaves is not covered with ones."""

    def _sort_out(self, m):
        super()._sort_out(m)
        m.d.comb += self.o.payload.beat.data.eq(m.submodules.done.o.data)


@EACH_KIND
def test_a_block_that_is_handed_out_anyway_is_found(pipelined):
    with pytest.raises(DisprovedError):
        prove(ReadDecryptSpec(HandsOutAnyway(entries=2, data_width=128, id_width=1, slot_width=1, slots=2, places=2,
                                             pipelined=pipelined)), engine=Engine.REACHABILITY)


class WriteCollectSpec(Spec):
    """A line of which a beat has failed or met a faulty round key, or whose slot does not serve as one leaves the
    lane, or if pipelined a cycle later, is said to have failed; each line once, in order. A faulty round key is told
    exactly if the slot serves.
    """

    def __init__(self, design):
        super().__init__(design, follow=In(1))

    def _claim(self, m, collect):
        valid, fault, tag = Signal(), Signal(), Signal(collect.lane_o.payload.tag.shape())
        m.d["sync" if collect.pipelined else "comb"] += [
            valid.eq(collect.lane_o.valid), fault.eq(collect.lane_o.payload.fault), tag.eq(collect.lane_o.payload.tag)]
        failed, has_failed, key_fault = Signal(), Signal(), Signal()
        serves = collect.serving.bit_select(tag.slot, 1)
        m.d.comb += failed.eq(has_failed | tag.failed | fault | ~serves)
        m.d["sync" if collect.pipelined else "comb"] += key_fault.eq(valid & fault & serves)
        m.d.comb += Assert(collect.key_fault == key_fault)
        with m.If(valid):
            m.d.sync += has_failed.eq(failed & ~tag.is_last)
        m.submodules.contract = contract = StreamContract(
            shape=collect.done.payload.shape(), capacity=LINES, latency=int(collect.pipelined))
        in_flight = Signal(range(LINES + 1))
        ends, taken = valid & tag.is_last, collect.done.valid & collect.done.ready
        m.d.sync += in_flight.eq(in_flight + ends - taken)
        m.d.comb += [
            Assume(~ends | (in_flight != LINES)),
            contract.enters.eq(ends),
            contract.entry.failed.eq(failed),
            contract.entry.is_held.eq(tag.is_held),
            contract.valid.eq(collect.done.valid),
            contract.ready.eq(collect.done.ready),
            contract.payload.eq(collect.done.payload),
            contract.follow.eq(self.follow),
        ]


@EACH_KIND
def test_a_line_without_its_key_fails(pipelined):
    prove(WriteCollectSpec(WriteCollect(entries=LINES, data_width=128, slot_width=1, slots=2, pipelined=pipelined)),
          engine=Engine.REACHABILITY)


class JudgesLastBeat(WriteCollect):
    """A fault: a line has failed if its last beat has."""

    def _judge(self, m, arrived):
        super()._judge(m, arrived)
        m.d.comb += m.submodules.lines.i.payload.failed.eq(m.submodules.verdict.o.failed)


@EACH_KIND
def test_a_line_that_is_judged_by_one_block_is_found(pipelined):
    with pytest.raises(DisprovedError):
        prove(WriteCollectSpec(JudgesLastBeat(entries=LINES, data_width=128, slot_width=1, slots=2,
                                              pipelined=pipelined)), engine=Engine.REACHABILITY)


class WriteIssueSpec(Spec):
    """If all lines have failed, no beat of one writes a byte, and none of its ciphertext leaves.

    The lowest two bits of data, which nothing here looks at, tell a plain beat, two, from one of ciphertext, one. If
    pipelined the claim is for the bits ``looked_at`` of strobes and data, which all pass alike: the queue in which
    beats leave is too large for all at once.
    """

    def __init__(self, issue=WriteIssue, *, pipelined):
        self.looked_at = ((0, 15), (0, 2, 127)) if pipelined else (range(16), range(128))
        super().__init__(issue(entries=4, addr_width=C_BIT + 2, data_width=128, c_bit=C_BIT, id_width=1, patience=2,
                               pipelined=pipelined))

    def _claim(self, m, issue):
        beat, (lanes, bits) = issue.w.payload, self.looked_at
        m.d.comb += [
            Assume(issue.done.payload.failed),
            Assume(issue.cipher.payload.data[:2] == 1),
            Assume(issue.plain_w.payload.data[:2] == 2),
        ]
        for brings in (*(beat.strb[lane] for lane in lanes), *(beat.data[bit] for bit in bits)):
            m.d.comb += Assert(~issue.w.valid | beat.data[1] | ~brings)


@EACH_KIND
def test_a_failed_line_writes_nothing(pipelined):
    prove(WriteIssueSpec(pipelined=pipelined), engine=Engine.REACHABILITY)


class WritesFailedLines(WriteIssue):
    """A fault: the strobes of a failed line are those of one that is whole."""

    def _offer(self, m, valid, beat):
        is_line, written = m.submodules.turns.o.payload.is_line, Signal.like(beat)
        m.d.comb += written.eq(beat)
        with m.If(is_line):
            m.d.comb += written.strb.eq(self.cipher.payload.written.replicate(16))
        return super()._offer(m, valid, written)


@EACH_KIND
def test_a_failed_line_that_is_written_is_found(pipelined):
    with pytest.raises(DisprovedError):
        prove(WriteIssueSpec(WritesFailedLines, pipelined=pipelined), engine=Engine.REACHABILITY)
