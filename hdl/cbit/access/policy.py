"""Who may use which key: the rules of SME and SEV."""

from amaranth import Module, Signal
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from .request import MODE, Violation, user_layout

__all__ = ["SLOT_STATES", "KeyPolicy"]


SLOT_STATES = StructLayout({"exists": 1, "own": 1, "host": 1})
"""What is looked up for an access: whether its ASID has a slot, whether that is active, and whether slot 0 is."""


class KeyPolicy(Component):
    """Chooses the key of an access that breaks no rule of the bus, or says why it is denied.

    Combinational. The README of this folder has the rules as a table (APM vol. 2, 7.10 and 15.34).

    Parameters
    ----------
    asid_width : :class:`int`
        Bits of an ASID and of a slot number.

    Members
    -------
    user : ``In(user_layout(...))``
    c_bit : ``In(1)``
        The C-bit of the address.
    is_fetch : ``In(1)``
        Whether it is an instruction fetch.
    mode : ``In(MODE)``
    slots : ``In(SLOT_STATES)``
    is_encrypted : ``Out(1)``
        Whether a key is used.
    slot : ``Out(asid_width)``
        Whose.
    refusal : ``Out(Violation)``
        Why it is denied, or ``NONE``.
    """

    def __init__(self, *, asid_width: int) -> None:
        super().__init__({
            "user": In(user_layout(asid_width=asid_width)),
            "c_bit": In(1),
            "is_fetch": In(1),
            "mode": In(MODE),
            "slots": In(SLOT_STATES),
            "is_encrypted": Out(1),
            "slot": Out(asid_width),
            "refusal": Out(Violation),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        user, mode, refusal = self.user, self.mode, self.refusal
        is_guest = user.asid != 0
        is_private = self.c_bit | user.walk | self.is_fetch
        asks_for_host_key, host_key = Signal(), Signal()

        with m.If(~is_guest):
            m.d.comb += [asks_for_host_key.eq(self.c_bit), host_key.eq(self.c_bit | mode.tsme)]
        with m.Elif(~is_private):
            m.d.comb += [asks_for_host_key.eq(user.npt_c), host_key.eq(user.npt_c | mode.tsme)]
        with m.If(is_guest & ~host_key):
            m.d.comb += self.slot.eq(user.asid)
        m.d.comb += self.is_encrypted.eq(host_key | (is_guest & is_private))

        with m.If(is_guest & ~self.slots.exists):
            m.d.comb += refusal.eq(Violation.ASID_RANGE)
        with m.Elif(is_guest & ~mode.sev):
            m.d.comb += refusal.eq(Violation.SEV_OFF)
        with m.Elif(is_guest & ~self.slots.own):
            m.d.comb += refusal.eq(Violation.SLOT_INACTIVE)
        with m.Elif(is_guest & is_private & user.dma):
            m.d.comb += refusal.eq(Violation.DMA_PRIVATE)
        with m.Elif(asks_for_host_key & ~mode.sme):
            m.d.comb += refusal.eq(Violation.SME_OFF)
        with m.Elif(host_key & ~self.slots.host):
            m.d.comb += refusal.eq(Violation.SLOT_INACTIVE)
        return m
