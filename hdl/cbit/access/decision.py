"""The access decision: plain, encrypted under which key, or denied and why."""

from amaranth import Array, Module, Signal
from amaranth.lib.wiring import Component, In, Out

from cbit.axi.ports import Response, address_layout

from .legal import BurstRules
from .request import MODE, Route, Violation, request_layout, user_layout

__all__ = ["Decision"]


class Decision(Component):
    """Decides on an access from its address, its sideband, the mode bits and the slots' states.

    Combinational. The rules are tried in the order of :class:`~cbit.access.request.Violation`; the
    README of this folder has them as a table (APM vol. 2, 7.10 and 15.34).

    Parameters
    ----------
    addr_width, c_bit, id_width, asid_count : :class:`int`
        As in :class:`~cbit.config.EngineConfig`.
    is_write : :class:`bool`
        Whether the channel is AW: exclusive writes to encrypted memory are discarded.

    Members
    -------
    address : ``In(address_layout(...))``
        Payload of AW or AR, with AxUSER as :func:`~cbit.access.request.user_layout` has it.
    mode : ``In(MODE)``
    active : ``In(asid_count)``
        A bit for each slot whose key may serve new accesses.
    request : ``Out(request_layout(...))``
        The decided access, its address without the C-bit.
    violation : ``Out(Violation)``
        Why the access is denied.
    """

    def __init__(self, *, addr_width: int, c_bit: int, id_width: int, asid_count: int, is_write: bool) -> None:
        self.addr_width = addr_width
        self.c_bit = c_bit
        self.id_width = id_width
        self.asid_count = asid_count
        self.asid_width = (asid_count - 1).bit_length()
        self.is_write = is_write
        self.user = user_layout(asid_width=self.asid_width)
        super().__init__({
            "address": In(address_layout(addr_width=addr_width, id_width=id_width, user_width=self.user.size)),
            "mode": In(MODE),
            "active": In(asid_count),
            "request": Out(request_layout(c_bit=c_bit, id_width=id_width, slot_width=self.asid_width)),
            "violation": Out(Violation),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.rules = rules = BurstRules(addr_width=self.addr_width, id_width=self.id_width,
                                                user_width=self.user.size)
        address = self.address
        user = self.user(address.user)
        encrypted = Signal()
        refusal = Signal(Violation)
        m.d.comb += rules.address.eq(address)

        self._apply_key_policy(m, user, encrypted, refusal)
        with m.If(rules.malformed):
            m.d.comb += self.violation.eq(Violation.MALFORMED)
        with m.Elif(address.addr[self.c_bit + 1:].any()):
            m.d.comb += self.violation.eq(Violation.ADDRESS)
        with m.Else():
            m.d.comb += self.violation.eq(refusal)

        request = self.request
        m.d.comb += [
            *(request[field].eq(address[field]) for field in ("id", "len", "size", "burst")),
            *(request.attributes[field].eq(address[field]) for field in ("cache", "prot", "qos", "region")),
            request.addr.eq(address.addr[:self.c_bit]),
            request.resp.eq(Response.OKAY),
        ]
        with m.If(self.violation != Violation.NONE):
            m.d.comb += [
                request.route.eq(Route.DENIED),
                request.resp.eq(Response.SLVERR),
            ]
            with m.If(self.violation == Violation.ADDRESS):
                m.d.comb += request.resp.eq(Response.DECERR)
        with m.Elif(encrypted):
            discarded = address.lock if self.is_write else 0
            m.d.comb += request.route.eq(Route.ENCRYPTED)
            with m.If(discarded):
                m.d.comb += request.route.eq(Route.DISCARDED)
        with m.Else():
            m.d.comb += [
                request.route.eq(Route.PLAIN),
                request.lock.eq(address.lock),
            ]
        return m

    def _apply_key_policy(self, m: Module, user, encrypted: Signal, refusal: Signal) -> None:
        mode, slot = self.mode, self.request.slot
        c_bit = self.address.addr[self.c_bit]
        is_active = Array(self.active[asid] for asid in range(self.asid_count))
        is_guest = user.asid != 0
        is_private = c_bit | user.walk | self.address.prot[2]
        host_key = Signal()

        with m.If(~is_guest):
            m.d.comb += host_key.eq(c_bit | mode.tsme)
        with m.Elif(~is_private):
            m.d.comb += host_key.eq(user.npt_c | mode.tsme)
        with m.If(is_guest & ~host_key):
            m.d.comb += slot.eq(user.asid)
        m.d.comb += encrypted.eq(host_key | (is_guest & is_private))

        asks_for_host_key = Signal()
        with m.If(~is_guest):
            m.d.comb += asks_for_host_key.eq(c_bit)
        with m.Else():
            m.d.comb += asks_for_host_key.eq(user.npt_c & ~is_private)

        with m.If(is_guest & (user.asid >= self.asid_count)):
            m.d.comb += refusal.eq(Violation.ASID_RANGE)
        with m.Elif(is_guest & ~mode.sev):
            m.d.comb += refusal.eq(Violation.SEV_OFF)
        with m.Elif(is_guest & ~is_active[user.asid]):
            m.d.comb += refusal.eq(Violation.SLOT_INACTIVE)
        with m.Elif(is_guest & is_private & user.dma):
            m.d.comb += refusal.eq(Violation.DMA_PRIVATE)
        with m.Elif(asks_for_host_key & ~mode.sme):
            m.d.comb += refusal.eq(Violation.SME_OFF)
        with m.Elif(host_key & ~self.active[0]):
            m.d.comb += refusal.eq(Violation.SLOT_INACTIVE)
