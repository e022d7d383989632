"""The access decision: plain, encrypted under which key, or denied and why."""

from amaranth import Module, Mux
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Response, address_layout
from cbit.stream.stage import Stage

from .legal import BurstRules
from .policy import SLOT_STATES, KeyPolicy
from .request import MODE, Route, Violation, request_layout, user_layout

__all__ = ["Decision"]


class Decision(Component):
    """Decides on an access from its address, its sideband, the mode bits and the slots' states.

    The rules are tried in the order of :class:`~cbit.access.request.Violation`.

    Latency: two cycles of those with ``advance`` if pipelined, otherwise none. Throughput: an access in
    each of these cycles.

    Parameters
    ----------
    addr_width, data_width, c_bit, id_width, asid_count : :class:`int`
        As in :class:`~cbit.config.EngineConfig`.
    is_write : :class:`bool`
        Whether the channel is AW: exclusive writes to encrypted memory are discarded.
    pipelined : :class:`bool`
        Whether registers part the steps.

    Members
    -------
    valid : ``In(1)``
        Whether there is an access. It counts in cycles with ``advance``.
    address : ``In(address_layout(...))``
        Payload of AW or AR, with AxUSER as :func:`~cbit.access.request.user_layout` has it.
    mode : ``In(MODE)``
    slots : ``In(SLOT_STATES)``
    advance : ``In(1)``
        While low, what is under way stays where it is.
    decided : ``Out(1)``
        Whether the rest is there.
    request : ``Out(request_layout(...))``
        The decided access, its address without the C-bit.
    violation : ``Out(Violation)``
        Why the access is denied.
    given : ``Out(address_layout(...))``
        The address it was decided on.
    drain_slot : ``In(asid_width)``
    drain_busy : ``Out(1)``
        High while an access is under way that will use ``drain_slot``, or may if nothing else denies it.
    """

    def __init__(self, *, addr_width: int, data_width: int, c_bit: int, id_width: int, asid_count: int,
                 is_write: bool, pipelined: bool) -> None:
        self.c_bit = c_bit
        self.is_write = is_write
        self.pipelined = pipelined
        self.asid_width = (asid_count - 1).bit_length()
        self.user = user_layout(asid_width=self.asid_width)
        address = address_layout(addr_width=addr_width, id_width=id_width, user_width=self.user.size)
        self.rules = BurstRules(addr_width=addr_width, data_width=data_width, id_width=id_width,
                                user_width=self.user.size, pipelined=pipelined)
        self.policy = KeyPolicy(asid_width=self.asid_width)
        self.taken = Stage(shape=StructLayout({"valid": 1, "address": address, "mode": MODE, "slots": SLOT_STATES}),
                           registered=pipelined)
        self.ruled = Stage(shape=StructLayout({"valid": 1, "address": address, "is_encrypted": 1,
                                               "slot": self.asid_width, "refusal": Violation}),
                           registered=pipelined)
        super().__init__({
            "valid": In(1),
            "address": In(address),
            "mode": In(MODE),
            "slots": In(SLOT_STATES),
            "advance": In(1),
            "decided": Out(1),
            "request": Out(request_layout(c_bit=c_bit, id_width=id_width, slot_width=self.asid_width)),
            "violation": Out(Violation),
            "given": Out(address),
            "drain_slot": In(self.asid_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.rules, m.submodules.policy = rules, policy = self.rules, self.policy
        m.submodules.taken, m.submodules.ruled = self.taken, self.ruled
        taken, ruled = self.taken.o, self.ruled.o
        m.d.comb += [
            *(part.advance.eq(self.advance) for part in (rules, self.taken, self.ruled)),
            *(self.taken.i[field].eq(getattr(self, field)) for field in ("valid", "address", "mode", "slots")),
            rules.address.eq(self.address),
            policy.user.eq(self.user(taken.address.user)),
            policy.c_bit.eq(taken.address.addr[self.c_bit]),
            policy.is_fetch.eq(taken.address.prot[2]),
            policy.mode.eq(taken.mode),
            policy.slots.eq(taken.slots),
            *(self.ruled.i[field].eq(taken[field]) for field in ("valid", "address")),
            *(self.ruled.i[field].eq(getattr(policy, field)) for field in ("is_encrypted", "slot", "refusal")),
            self.decided.eq(ruled.valid),
            self.given.eq(ruled.address),
        ]
        self._conclude(m, ruled)
        if self.pipelined:
            self._watch(m, taken, ruled)
        return m

    def _conclude(self, m: Module, ruled) -> None:
        address, request = ruled.address, self.request
        with m.If(self.rules.malformed):
            m.d.comb += self.violation.eq(Violation.MALFORMED)
        with m.Elif(address.addr[self.c_bit + 1:].any()):
            m.d.comb += self.violation.eq(Violation.ADDRESS)
        with m.Else():
            m.d.comb += self.violation.eq(ruled.refusal)

        m.d.comb += [
            *(request[field].eq(address[field]) for field in ("id", "len", "size", "burst")),
            *(request.attributes[field].eq(address[field]) for field in ("cache", "prot", "qos", "region")),
            request.addr.eq(address.addr[:self.c_bit]),
            request.slot.eq(ruled.slot),
            request.extent.eq(self.rules.extent),
            request.resp.eq(Response.OKAY),
        ]
        with m.If(self.violation != Violation.NONE):
            m.d.comb += [
                request.route.eq(Route.DENIED),
                request.resp.eq(Mux(self.violation == Violation.ADDRESS, Response.DECERR, Response.SLVERR)),
            ]
        with m.Elif(ruled.is_encrypted):
            discarded = address.lock if self.is_write else 0
            m.d.comb += request.route.eq(Mux(discarded, Route.DISCARDED, Route.ENCRYPTED))
        with m.Else():
            m.d.comb += [
                request.route.eq(Route.PLAIN),
                request.lock.eq(address.lock),
            ]

    def _watch(self, m: Module, taken, ruled) -> None:
        """Which slot an access uses is known only once the policy has ruled; before, what it may use counts."""
        may_use = Mux(self.drain_slot == 0, taken.slots.host,
                      taken.slots.own & (self.user(taken.address.user).asid == self.drain_slot))
        will_use = ruled.is_encrypted & (ruled.refusal == Violation.NONE) & (ruled.slot == self.drain_slot)
        m.d.comb += self.drain_busy.eq((taken.valid & may_use) | (ruled.valid & will_use))
