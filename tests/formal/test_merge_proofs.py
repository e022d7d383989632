"""Two managers on one port keep AXI4's rules there, and data of writes follow their addresses."""

import pytest
from amaranth import Module
from amaranth.hdl import Assert, Assume, Signal
from amaranth.lib.wiring import Component, In

from cbit.psp.merge import ManagerMerge
from cbit_sim.formal import DisprovedError, Engine, prove
from cbit_sim.free_inputs import connect_inputs, free_inputs
from cbit_sim.stream_contract import StreamContract

WRITES = 2


def waits(m, channel):
    """Whether a channel has waited, and with what."""
    waited, shown = Signal(), Signal(channel.payload.shape())
    m.d.sync += [waited.eq(channel.valid & ~channel.ready), shown.eq(channel.payload)]
    return waited, channel.valid & (channel.payload.as_value() == shown.as_value())


class MergeSpec(Component):
    """If managers and memory keep what they offer, so does each side; data come in the order of addresses.

    Each manager marks its addresses and data with its number. An address counts from the cycle in which it is shown;
    from then on data are shown if both managers offer some.
    """

    def __init__(self, merge=ManagerMerge):
        self.merge = merge(addr_width=1, data_width=8, id_width=1, user_width=0, writes=WRITES)
        super().__init__(free_inputs(self.merge) | {"follow": In(1)})

    def elaborate(self, _platform):
        m = Module()
        m.submodules.merge = merge = self.merge
        connect_inputs(m, self, merge)
        joined = merge.m_axi
        for number, manager in enumerate(merge.s_axi):
            m.d.comb += [
                Assume((manager.aw.payload.addr == number) & (manager.ar.payload.addr == number)),
                Assume(manager.w.payload.data == number),
                Assert(~manager.b.valid | (joined.b.payload.id[-1] == number)),
                Assert(~manager.r.valid | (joined.r.payload.id[-1] == number)),
            ]
            self._keep(m, given=(manager.aw, manager.w, manager.ar), kept=(manager.b, manager.r))
        self._keep(m, given=(joined.b, joined.r), kept=(joined.aw, joined.w, joined.ar))
        for channel in (joined.aw, joined.ar):
            m.d.comb += Assert(~channel.valid | (channel.payload.id[-1] == channel.payload.addr))
        self._follow_data(m, joined)
        return m

    def _keep(self, m, *, given, kept):
        for channels, says in ((given, Assume), (kept, Assert)):
            for channel in channels:
                waited, stays = waits(m, channel)
                m.d.comb += says(~waited | stays)

    def _follow_data(self, m, joined):
        m.submodules.contract = contract = StreamContract(shape=1, capacity=WRITES + 1, latency=None)
        waited, _ = waits(m, joined.aw)
        is_last = joined.w.valid & joined.w.payload.last
        m.d.comb += [
            contract.enters.eq(joined.aw.valid & ~waited),
            contract.entry.eq(joined.aw.payload.addr),
            contract.valid.eq(is_last),
            contract.ready.eq(joined.w.ready),
            contract.payload.eq(joined.w.payload.data),
            contract.follow.eq(self.follow),
        ]
        # Who takes the address may wait for its data first, so that they are shown as soon as they are there.
        owed = Signal(range(WRITES + 2))
        m.d.sync += owed.eq(owed + contract.enters - (is_last & joined.w.ready))
        all_offer = self.merge.s_axi[0].w.valid & self.merge.s_axi[1].w.valid
        m.d.comb += Assert(~all_offer | (joined.w.valid == (owed + contract.enters != 0)))


def test_a_merge_keeps_the_rules_and_the_order():
    prove(MergeSpec(), engine=Engine.REACHABILITY)


class WaitsForReady(ManagerMerge):
    """A fault: data wait until their address has been taken, which may wait for them."""

    def _join_writes(self, m):
        super()._join_writes(m)
        m.d.comb += m.submodules.owners.i.valid.eq(self.m_axi.aw.valid & self.m_axi.aw.ready)


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


@pytest.mark.parametrize("faulty", [WaitsForReady, Wavers, Swaps])
def test_a_faulty_merge_is_found(faulty):
    with pytest.raises(DisprovedError):
        prove(MergeSpec(faulty), engine=Engine.REACHABILITY)
