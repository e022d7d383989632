"""Two managers on one port keep AXI4's rules there, and data of writes follow their addresses, whatever one does."""

import pytest
from amaranth import Module
from amaranth.hdl import Assert, Assume, Mux, Signal
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component

from cbit.psp.merge import ManagerMerge
from cbit_sim.formal import DisprovedError, Engine, prove
from cbit_sim.free_inputs import connect_inputs, free_inputs

WRITES = 2


def waits(m, channel):
    """Whether a channel has waited, and with what."""
    waited, shown = Signal(), Signal(channel.payload.shape())
    m.d.sync += [waited.eq(channel.valid & ~channel.ready), shown.eq(channel.payload)]
    return waited, channel.valid & (channel.payload.as_value() == shown.as_value())


class MergeSpec(Component):
    """Data come in the order of addresses, as many as these say; answers show nowhere but where they go.

    Each manager marks its addresses and data with its number. ``w.last`` of both is free. If managers and memory keep
    what they offer, so does each side; but if the first ``wavers``, it may take back or change what it offers at any
    time, and nothing is said of what waits for memory or the first one.
    """

    def __init__(self, merge=ManagerMerge, *, wavers=False):
        self.merge = merge(addr_width=1, data_width=8, id_width=1, user_width=0, writes=WRITES)
        self.wavers = wavers
        super().__init__(free_inputs(self.merge))

    def elaborate(self, _platform):
        m = Module()
        m.submodules.merge = merge = self.merge
        connect_inputs(m, self, merge)
        joined = merge.m_axi
        for number, manager in enumerate(merge.s_axi):
            m.d.comb += [
                Assume((manager.aw.payload.addr == number) & (manager.ar.payload.addr == number)),
                Assume(manager.w.payload.data == number),
            ]
            for channel, source in ((manager.b, joined.b), (manager.r, joined.r)):
                m.d.comb += [
                    Assert(channel.valid == (source.valid & (source.payload.id[-1] == number))),
                    Assert(channel.valid | (channel.payload.as_value() == 0)),
                ]
            if not (self.wavers and number == 0):
                self._keep(m, Assume, manager.aw, manager.w, manager.ar)
        if not self.wavers:
            self._keep(m, Assume, joined.b, joined.r)
            self._keep(m, Assert, joined.aw, joined.w, joined.ar, *(
                channel for manager in merge.s_axi for channel in (manager.b, manager.r)))
        for channel in (joined.aw, joined.ar):
            m.d.comb += Assert(~channel.valid | (channel.payload.id[-1] == channel.payload.addr))
        self._follow_data(m, joined)
        return m

    def _keep(self, m, says, *channels):
        for channel in channels:
            waited, stays = waits(m, channel)
            m.d.comb += says(~waited | stays)

    def _follow_data(self, m, joined):
        """Keeps the addresses that were taken, and how many beats the first of them has had."""
        taken = Signal(ArrayLayout(StructLayout({"addr": 1, "len": 8}), WRITES))
        count, beat = Signal(range(WRITES + 1)), Signal(8)
        comes, goes = joined.aw.valid & joined.aw.ready, joined.w.valid & joined.w.ready
        ends = goes & (beat == taken[0].len)
        first = joined.w.payload
        m.d.comb += [
            Assert(~joined.w.valid | ((count != 0) & (first.data == taken[0].addr))),
            Assert(~joined.w.valid | (first.last == (beat == taken[0].len))),
            Assert(~comes | (count != WRITES)),
        ]
        with m.If(goes):
            m.d.sync += beat.eq(Mux(ends, 0, beat + 1))
        m.d.sync += count.eq(count + comes - ends)
        with m.If(ends):
            m.d.sync += taken[0].eq(taken[1])
        for place in range(WRITES):
            with m.If(comes & (count - ends == place)):
                m.d.sync += [taken[place].addr.eq(joined.aw.payload.addr), taken[place].len.eq(joined.aw.payload.len)]
        # A write whose address has been taken has its data shown as soon as its manager offers them.
        for number, manager in enumerate(self.merge.s_axi):
            is_next = (count != 0) & (taken[0].addr == number)
            m.d.comb += Assert(~(is_next & manager.w.valid) | joined.w.valid)
            m.d.comb += Assert((manager.w.valid & manager.w.ready) == (is_next & manager.w.valid & joined.w.ready))


@pytest.mark.parametrize("wavers", [False, True])
def test_a_merge_keeps_the_rules_and_the_order(wavers):
    prove(MergeSpec(wavers=wavers), engine=Engine.REACHABILITY)


class BelievesLast(ManagerMerge):
    """A fault: a write ends where its manager says."""

    def _join_writes(self, m):
        super()._join_writes(m)
        w = self.m_axi.w
        last = Mux(m.submodules.writes.o.payload.owner, self.s_axi[1].w.payload.last, self.s_axi[0].w.payload.last)
        m.d.comb += [w.payload.last.eq(last), m.submodules.writes.o.ready.eq(w.valid & w.ready & last)]


class NotesOffers(ManagerMerge):
    """A fault: whose data come is noted when an address is offered, whether it is then taken or not."""

    def _join_writes(self, m):
        super()._join_writes(m)
        aw, is_noted = self.m_axi.aw, Signal()
        m.d.sync += is_noted.eq(aw.valid & ~aw.ready)
        m.d.comb += m.submodules.writes.i.valid.eq(aw.valid & ~is_noted)


class ShowsAnswers(ManagerMerge):
    """A fault: each manager sees what the other is answered."""

    def _part_answers(self, m, name):
        super()._part_answers(m, name)
        m.d.comb += getattr(self.s_axi[0], name).payload.resp.eq(getattr(self.m_axi, name).payload.resp)


class Wavers(ManagerMerge):
    """A fault: an address that waits is shown in every second cycle."""

    def _join_addresses(self, m, name, *, may_show):
        turn = Signal()
        m.d.sync += turn.eq(~turn)
        return super()._join_addresses(m, name, may_show=turn & may_show)


class Swaps(ManagerMerge):
    """A fault: data of the other manager go."""

    def _join_writes(self, m):
        super()._join_writes(m)
        with m.If(self.s_axi[1].w.valid):
            m.d.comb += self.m_axi.w.payload.data.eq(1)


@pytest.mark.parametrize("faulty", [BelievesLast, NotesOffers, ShowsAnswers, Wavers, Swaps])
def test_a_faulty_merge_is_found(faulty):
    with pytest.raises(DisprovedError):
        prove(MergeSpec(faulty), engine=Engine.REACHABILITY)
