"""AXI4's rules on the engine's channels of answers, at the parts that drive them."""

import pytest
from amaranth import Module
from amaranth.hdl import Assert, Assume, Signal
from amaranth.lib.wiring import Component

from cbit.read.deliver import ReadDeliver
from cbit.read.deny import DeniedReads
from cbit.write.respond import WriteRespond
from cbit_sim.formal import DisprovedError, Engine, prove
from cbit_sim.free_inputs import connect_inputs, free_inputs

EACH_KIND = pytest.mark.parametrize("pipelined", [False, True])

CLEAR_CYCLES = 4
"""A cycle for each ID after reset, and as many as an answer may take to be looked at."""


def keep(m, channel):
    """Asserts that ``VALID`` and the payload stay while ``READY`` is low (IHI 0022, A3.2.1)."""
    waits, shown = Signal(), Signal(channel.payload.shape())
    m.d.sync += [waits.eq(channel.valid & ~channel.ready), shown.eq(channel.payload)]
    with m.If(waits):
        m.d.comb += [Assert(channel.valid), Assert(channel.payload.as_value() == shown.as_value())]


class DenySpec(Component):
    """A denied read is answered once: all its beats, each of ones and with its error, the last marked, then no more."""

    def __init__(self, deny=DeniedReads):
        self.deny = deny(id_width=1, data_width=8)
        super().__init__(free_inputs(self.deny))

    def elaborate(self, _platform):
        m = Module()
        m.submodules.deny = deny = self.deny
        connect_inputs(m, self, deny)
        owed, read = Signal(9), Signal(deny.i.payload.shape())
        taken, beat = deny.o.valid & deny.o.ready, deny.o.payload
        with m.If(deny.i.valid & deny.i.ready):
            m.d.sync += [owed.eq(deny.i.payload.len + 1), read.eq(deny.i.payload)]
            m.d.comb += Assert(owed == 0)
        with m.Elif(taken):
            m.d.sync += owed.eq(owed - 1)
        keep(m, deny.o)
        m.d.comb += Assert(deny.is_busy == (owed != 0))
        with m.If(deny.o.valid):
            m.d.comb += [
                Assert(owed != 0),
                Assert(beat.last == (owed == 1)),
                Assert((beat.id == read.id) & (beat.resp == read.resp) & beat.data.all()),
            ]
        return m


def test_a_denied_read_gets_all_its_beats():
    prove(DenySpec(), engine=Engine.REACHABILITY)


class MarksEveryBeat(DeniedReads):
    """A fault: every beat is marked as the last."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.o.payload.last.eq(1)
        return m


def test_a_wrong_last_beat_is_found():
    with pytest.raises(DisprovedError):
        prove(DenySpec(MarksEveryBeat), engine=Engine.REACHABILITY)


class RespondSpec(Component):
    """An answer stays until it is taken, and there are no more of them than writes that are sent or refused.

    DRAM may answer whatever it likes, also what nobody has asked for, but not while the counts are cleared after a
    reset, which DRAM's port must see, too. Bursts enter where there is room, and are sent as they enter.
    """

    def __init__(self, respond=WriteRespond, *, pipelined):
        self.respond = respond(entries=2, id_width=1, pipelined=pipelined)
        super().__init__(free_inputs(self.respond))

    def elaborate(self, _platform):
        m = Module()
        m.submodules.respond = respond = self.respond
        connect_inputs(m, self, respond, but=(("sent",), ("send",)))
        clearing, owed = Signal(range(CLEAR_CYCLES + 1), init=CLEAR_CYCLES), Signal(3)
        with m.If(clearing != 0):
            m.d.sync += clearing.eq(clearing - 1)
        comes = (respond.enter & respond.sent.is_final) | (respond.refused.valid & respond.refused.ready)
        m.d.sync += owed.eq(owed + comes - (respond.b.valid & respond.b.ready))
        keep(m, respond.b)
        m.d.comb += [
            respond.sent.eq(self.sent),
            respond.sent.id.eq(respond.id),
            respond.sent.place.eq(respond.place),
            respond.send.eq(respond.enter),
            Assume((clearing == 0) | ~respond.dram_b.valid),
            Assume(~respond.enter | (respond.has_room & respond.id_has_room)),
            Assume(~respond.refused.valid | (respond.has_room & ~respond.enter)),
            Assert(~respond.b.valid | (owed != 0)),
        ]
        return m


@EACH_KIND
def test_writes_get_no_more_answers_than_they_are(pipelined):
    prove(RespondSpec(pipelined=pipelined), engine=Engine.REACHABILITY)


class AnswersUnasked(WriteRespond):
    """A fault: what DRAM answers unasked goes to the manager."""

    def _count(self, m, uncleared, arrived):
        place, _ = super()._count(m, uncleared, arrived)
        return place, arrived.valid & ~arrived.is_refusal


@EACH_KIND
def test_an_answer_too_many_is_found(pipelined):
    with pytest.raises(DisprovedError):
        prove(RespondSpec(AnswersUnasked, pipelined=pipelined), engine=Engine.REACHABILITY)


class DeliverSpec(Component):
    """What is offered to the manager stays until it is taken, whatever comes."""

    def __init__(self, deliver=ReadDeliver):
        self.deliver = deliver(data_width=128, id_width=1, plain_beats=4, decrypted_beats=4, patience=2, pipelined=True)
        super().__init__(free_inputs(self.deliver))

    def elaborate(self, _platform):
        m = Module()
        m.submodules.deliver = self.deliver
        connect_inputs(m, self, self.deliver)
        keep(m, self.deliver.r)
        return m


@pytest.mark.slow
def test_read_data_stay():
    prove(DeliverSpec(), engine=Engine.REACHABILITY)


class Wavers(ReadDeliver):
    """A fault: a beat is offered in every second cycle only."""

    def _repeat(self, m, chosen):
        super()._repeat(m, chosen)
        is_even = Signal()
        m.d.sync += is_even.eq(~is_even)
        m.d.comb += self.r.valid.eq(chosen.o.valid & is_even)


@pytest.mark.slow
def test_read_data_that_waver_are_found():
    with pytest.raises(DisprovedError):
        prove(DeliverSpec(Wavers), engine=Engine.REACHABILITY)
