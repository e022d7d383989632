"""Who makes an access: an ASID and sideband that lead to a key, or to a denial."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import enum
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit.access.request import user_layout
from cbit.axi.ports import Burst

__all__ = ["Denial", "View", "key_layout"]


class Denial(enum.Enum, shape=2):
    """Why an access is to be denied."""

    NONE = 0
    NO_KEY = 1
    DMA_PRIVATE = 2
    RESERVED_BURST = 3


def key_layout(*, asid_width: int) -> StructLayout:
    """What encrypts a region: the key of a slot, or nothing."""
    return StructLayout({"is_plain": unsigned(1), "slot": unsigned(asid_width)})


class View(Component):
    """Makes an access by one of the ways that lead to a key: host with and without C-bit, guests' private memory by
    C-bit, instruction fetch or page-table walk, and what they share, in plain or under the host's key.

    Combinational. SME and SEV must be on and TSME off; ``README.md`` of :mod:`cbit.access` has the rules.

    Parameters
    ----------
    asid_count : :class:`int`
        As the engine's; its last ASID must have no key.
    guests : :class:`int`
        ASIDs 0 to ``guests`` are used.

    Members
    -------
    key : ``In(key_layout(...))``
        Which key, if it is not to be denied.
    denial : ``In(Denial)``
    asid : ``In(asid_width)``
        0 to ``guests``: who shares memory in plain, and who a device belongs to.
    guest : ``In(asid_width)``
        1 to ``guests``: who shares memory under the host's key, or is denied.
    how : ``In(2)``
        Which of the ways.
    user : ``Out(user_layout(...))``
    c_bit : ``Out(1)``
    is_fetch : ``Out(1)``
    burst, made : ``In(Burst)``, ``Out(unsigned(2))``
        AxBURST as it was drawn, and as it is to be: 0b11 is reserved.
    """

    def __init__(self, *, asid_count: int, guests: int) -> None:
        self.asid_count = asid_count
        self.guests = guests
        width = (asid_count - 1).bit_length()
        super().__init__({
            "key": In(key_layout(asid_width=width)),
            "denial": In(Denial),
            "asid": In(width),
            "guest": In(width),
            "how": In(2),
            "user": Out(user_layout(asid_width=width)),
            "c_bit": Out(1),
            "is_fetch": Out(1),
            "burst": In(Burst),
            "made": Out(2),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        user, how, key = self.user, self.how, self.key
        is_private = Signal()
        m.d.comb += self.made.eq(self.burst)
        with m.Switch(self.denial):
            with m.Case(Denial.NO_KEY):
                m.d.comb += [user.asid.eq(self.asid_count - 1), self.c_bit.eq(how[0]), user.npt_c.eq(how[1])]
            with m.Case(Denial.DMA_PRIVATE):
                m.d.comb += [user.asid.eq(self.guest), user.dma.eq(1), is_private.eq(1)]
            with m.Case(Denial.RESERVED_BURST):
                m.d.comb += [user.asid.eq(self.asid), self.c_bit.eq(how[0]), self.made.eq(0b11)]
            with m.Default():
                m.d.comb += user.asid.eq(Mux(key.is_plain, self.asid, key.slot))
                with m.If(key.is_plain):
                    m.d.comb += user.dma.eq(how[0])
                with m.Elif(key.slot != 0):
                    m.d.comb += is_private.eq(1)
                with m.Elif(how[0]):
                    m.d.comb += [user.asid.eq(self.guest), user.npt_c.eq(1), user.dma.eq(how[1])]
                with m.Else():
                    m.d.comb += [self.c_bit.eq(1), user.dma.eq(how[1])]
        with m.If(is_private):
            m.d.comb += [self.c_bit.eq(~how[1]), self.is_fetch.eq(how == 0b10), user.walk.eq(how == 0b11)]
        return m
