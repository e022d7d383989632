"""No access goes on under a key that it must not use, nor plain if it is private."""

import pytest
from amaranth import Module
from amaranth.hdl import Assert, Cat, Mux, Signal
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In

from cbit.access.front import AddressFront
from cbit.access.lookup import KeyLookup
from cbit.access.request import MODE, Route
from cbit.axi.ports import Response
from cbit_sim.formal import DisprovedError, Engine, prove
from cbit_sim.free_inputs import connect_inputs, free_inputs
from cbit_sim.stream_contract import StreamContract, is_equal

C_BIT = 13
SAME_FIELDS = ("id", "len", "size", "burst")


class FrontContract(Component):
    """An access leaves decided as mode, slots and its sideband were when it was accepted, in order, else unchanged.

    With a key it goes on only if that is its own or slot 0's and active. A guest is denied unless SEV is on and its own
    slot active. What is private goes on under the guest's own key or not at all, and is denied to DMA. What needs a
    key is never plain. An address above the C-bit is denied. Before release nothing is accepted. A denied access is
    answered with an error.
    """

    def __init__(self, *, front=AddressFront, is_write, pipelined, single=False):
        self.pipelined = pipelined
        self.single = single
        self.front = front(addr_width=C_BIT + 2, data_width=128, c_bit=C_BIT, id_width=1, asid_count=3,
                           is_write=is_write, pipelined=pipelined, single=single)
        super().__init__({"follow": In(1), **free_inputs(self.front)})

    def elaborate(self, _platform):
        m = Module()
        m.submodules.front = front = self.front
        connect_inputs(m, self, front)
        accepted = StructLayout({"address": front.i.payload.shape(), "mode": MODE, "own": 1, "host": 1})
        m.submodules.contract = contract = StreamContract(
            shape=front.o.payload.shape(), entry_shape=accepted, agrees=self._agrees,
            capacity=2 - self.single + 2 * self.pipelined, latency=2 * self.pipelined)
        m.d.comb += [
            contract.enters.eq(front.i.valid & front.i.ready),
            contract.entry.address.eq(front.i.payload),
            contract.entry.mode.eq(front.mode),
            contract.entry.own.eq(front.own_is_active & (front.asid < 3)),
            contract.entry.host.eq(front.host_is_active),
            contract.valid.eq(front.o.valid),
            contract.ready.eq(front.o.ready),
            contract.payload.eq(front.o.payload),
            contract.follow.eq(self.follow),
            Assert(front.released | ~front.i.ready),
        ]
        return m

    def _agrees(self, accepted, request):
        address, mode = accepted.address, accepted.mode
        user = self.front.decision.user(address.user)
        is_guest = user.asid != 0
        is_private = is_guest & (address.addr[C_BIT] | user.walk | address.prot[2])
        needs_key = Mux(is_guest, is_private | user.npt_c, address.addr[C_BIT]) | mode.tsme
        is_denied, is_plain = request.route == Route.DENIED, request.route == Route.PLAIN
        may_use = Mux(request.slot == 0, accepted.host, accepted.own & (request.slot == user.asid))
        return Cat(
            is_denied | is_plain | may_use,
            is_denied | ~is_guest | (accepted.own & mode.sev),
            is_denied | ~is_private | (~is_plain & (request.slot == user.asid) & ~user.dma),
            ~is_plain | ~needs_key,
            is_denied | (address.addr[C_BIT + 1:] == 0),
            ~is_denied | (request.resp == Response.SLVERR) | (request.resp == Response.DECERR),
            request.addr == address.addr[:C_BIT],
            *(is_equal(request[field], address[field]) for field in SAME_FIELDS),
            *(request.attributes[field] == address[field] for field in ("cache", "prot", "qos", "region")),
        ).all()


@pytest.mark.parametrize("form", [{"pipelined": False}, {"pipelined": True}, {"pipelined": False, "single": True},
                                  {"pipelined": True, "single": True}],
                         ids=["False", "True", "single", "pipelined-single"])
@pytest.mark.parametrize("is_write", [False, True])
def test_front_decides_as_it_accepts(is_write, form):
    prove(FrontContract(is_write=is_write, **form), engine=Engine.REACHABILITY)


class LateFront(AddressFront):
    """A fault: the mode of the cycle before counts."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        before = Signal(MODE)
        m.d.sync += before.eq(self.mode)
        m.d.comb += self.decision.mode.eq(before)
        return m


@pytest.mark.parametrize("pipelined", [False, True])
def test_a_decision_of_another_cycle_is_found(pipelined):
    with pytest.raises(DisprovedError):
        prove(FrontContract(front=LateFront, is_write=False, pipelined=pipelined), engine=Engine.REACHABILITY)


@pytest.mark.parametrize("route", [Route.PLAIN, Route.ENCRYPTED, Route.DENIED, Route.DISCARDED])
def test_front_lets_every_route_leave(route):
    class Never(FrontContract):
        def _agrees(self, _accepted, request):
            return request.route != route

    with pytest.raises(DisprovedError):
        prove(Never(is_write=True, pipelined=True), engine=Engine.REACHABILITY)


class LookupContract(Component):
    """An access that needs a key leaves with the way of its slot, as it was found, or denied with SLVERR. All others,
    and all else of it, leave unchanged, in order."""

    def __init__(self, *, lookup=KeyLookup):
        self.lookup = lookup(c_bit=C_BIT, id_width=1, asid_count=4, key_ways=2)
        super().__init__({"follow": In(1), **free_inputs(self.lookup)})

    def elaborate(self, _platform):
        m = Module()
        m.submodules.lookup = lookup = self.lookup
        connect_inputs(m, self, lookup)
        entry = StructLayout({"given": lookup.i.payload.shape(), "ways": lookup.keys.ways.shape()})
        m.submodules.contract = contract = StreamContract(
            shape=lookup.o.payload.shape(), entry_shape=entry, agrees=self._agrees, capacity=2, latency=0)
        m.d.comb += [
            contract.enters.eq(lookup.i.valid & lookup.i.ready),
            contract.entry.given.eq(lookup.i.payload),
            contract.entry.ways.eq(lookup.keys.ways),
            contract.valid.eq(lookup.o.valid),
            contract.ready.eq(lookup.o.ready),
            contract.payload.eq(lookup.o.payload),
            contract.follow.eq(self.follow),
        ]
        return m

    def _agrees(self, entry, found):
        given = entry.given
        needs_key = given.route == Route.ENCRYPTED
        has_way = Cat((found.slot == way) & entry.ways[way].valid & (entry.ways[way].slot == given.slot)
                      for way in range(2)).any()
        is_denied = (found.route == Route.DENIED) & (found.resp == Response.SLVERR)
        others = [field for field, _ in found.shape() if field not in ("slot", "route", "resp")]
        return Cat(
            ~needs_key | is_denied | ((found.route == Route.ENCRYPTED) & has_way),
            needs_key | (is_equal(found.route, given.route) & is_equal(found.resp, given.resp)),
            *(is_equal(found[field], given[field]) for field in others),
        ).all()


def test_lookup_gives_the_way_of_the_slot():
    prove(LookupContract(), engine=Engine.REACHABILITY)


class HastyLookup(KeyLookup):
    """A fault: an access does not wait for its key."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        slice_ = m.submodules.slice
        m.d.comb += [slice_.i.payload.route.eq(self.i.payload.route), slice_.i.valid.eq(self.i.valid),
                     self.i.ready.eq(slice_.i.ready)]
        return m


def test_an_access_without_a_way_is_found():
    with pytest.raises(DisprovedError):
        prove(LookupContract(lookup=HastyLookup), engine=Engine.REACHABILITY)
