"""Remembers which accesses were denied, for the security processor and the host."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Violation", "ViolationEventSignature", "ViolationLog", "violation_layout"]


class Violation(enum.Enum, shape=3):
    """Why an access was denied."""

    NONE = 0
    MALFORMED = 1
    ADDRESS = 2
    ASID_RANGE = 3
    SEV_OFF = 4
    SLOT_INACTIVE = 5
    DMA_PRIVATE = 6
    SME_OFF = 7


KINDS = tuple(kind for kind in Violation if kind is not Violation.NONE)


class ViolationEventSignature(wiring.Signature):
    """Tells of a denied access, seen from where it is denied.

    Parameters
    ----------
    asid_width, addr_width, id_width : :class:`int`
        Bits of an ASID, an address and an AXI ID.

    Members
    -------
    valid : ``Out(1)``
        High for one cycle for each denied access.
    kind : ``Out(Violation)``
        Why; not ``NONE``.
    asid, address, id : ``Out(...)``
        As the access gave them, the C-bit included.
    """

    def __init__(self, *, asid_width: int, addr_width: int, id_width: int):
        super().__init__({"valid": Out(1), "kind": Out(Violation), "asid": Out(asid_width),
                          "address": Out(addr_width), "id": Out(id_width)})


def violation_layout(*, asid_width: int, addr_width: int, id_width: int) -> data.StructLayout:
    """The record of a denied access. ``valid`` is zero when there is none; ``write`` tells writes from reads."""
    return data.StructLayout({"valid": unsigned(1), "write": unsigned(1), "kind": Violation,
                              "asid": unsigned(asid_width), "address": unsigned(addr_width),
                              "id": unsigned(id_width)})


class ViolationLog(wiring.Component):
    """Keeps the first denied access and counts all of them by kind.

    Takes an event of each direction every cycle; what it says follows one cycle later. Of two events in one
    cycle both are counted, and the read is the first. An event in the cycle of a clear is kept and counted,
    never lost. Counts stay at their greatest value once they are there.

    Parameters
    ----------
    asid_width : :class:`int`
        Bits of an ASID.
    addr_width : :class:`int`
        Bits of an address.
    id_width : :class:`int`
        Bits of an AXI ID.

    Members
    -------
    read, write : ``In(ViolationEventSignature(...))``
        Denied accesses.
    clear_record : ``In(1)``
        Forgets the first one; the next is recorded.
    clear_counts : ``In(1)``
        Sets every count to zero.
    irq_enable : ``In(1)``
        Lets ``irq`` rise.
    first : ``Out(violation_layout(...))``
        The first one since reset or since ``clear_record``.
    counts : ``Out(ArrayLayout(32, 8))``
        Number by kind since reset or since ``clear_counts``; element ``Violation.NONE`` stays zero.
    irq : ``Out(1)``
        High while ``first`` is valid and ``irq_enable`` is high.
    """

    def __init__(self, *, asid_width: int, addr_width: int, id_width: int):
        self.asid_width = asid_width
        self.addr_width = addr_width
        self.id_width = id_width
        widths = {"asid_width": asid_width, "addr_width": addr_width, "id_width": id_width}
        super().__init__({
            "read": In(ViolationEventSignature(**widths)),
            "write": In(ViolationEventSignature(**widths)),
            "clear_record": In(1),
            "clear_counts": In(1),
            "irq_enable": In(1),
            "first": Out(violation_layout(**widths)),
            "counts": Out(data.ArrayLayout(32, len(Violation))),
            "irq": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.d.comb += self.irq.eq(self.first.valid & self.irq_enable)
        denied = self.read.valid | self.write.valid
        with m.If(denied & (~self.first.valid | self.clear_record)):
            m.d.sync += [self.first.valid.eq(1), self.first.write.eq(~self.read.valid)]
            for name in ("kind", "asid", "address", "id"):
                m.d.sync += self.first[name].eq(Mux(self.read.valid, getattr(self.read, name),
                                                    getattr(self.write, name)))
        with m.Elif(self.clear_record):
            m.d.sync += self.first.as_value().eq(0)
        for kind in KINDS:
            self._elaborate_count(m, kind)
        return m

    def _elaborate_count(self, m: Module, kind: Violation) -> None:
        count = self.counts[kind.value]
        start, events, total = Signal(32), Signal(2), Signal(33)
        m.d.comb += [
            start.eq(Mux(self.clear_counts, 0, count)),
            events.eq((self.read.valid & (self.read.kind == kind)) + (self.write.valid & (self.write.kind == kind))),
            total.eq(start + events),
        ]
        m.d.sync += count.eq(Mux(total[32], 0xffff_ffff, total[:32]))
