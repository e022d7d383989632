"""The registers of violations, shown one after the other to whoever reads."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from cbit.access.counts import count_layout
from cbit.access.request import Violation
from cbit.access.violations import violation_layout
from cbit.csr.map import register, registers
from cbit.csr.word import register_layout

__all__ = ["ROTATING", "ROTATION_CYCLES", "ViolationWords", "rotation_layout"]

ROTATION_CYCLES = 16
"""Cycles in which every register is shown once."""

ROTATING = tuple(entry for entry in registers("host") if entry.name.startswith("VIOLATION_"))
"""The registers that are shown: at the same offsets for the security processor and for the host."""


def rotation_layout() -> data.StructLayout:
    """A register's word, and its place: its offset in words, modulo 16."""
    return data.StructLayout({"place": range(ROTATION_CYCLES), "word": 32})


class ViolationWords(wiring.Component):
    """Shows the registers of violations, one a cycle, the same to all readers: none of them can hold up another.

    Latency: one cycle from ``first`` and ``count``. Each register is shown once in 16 cycles.

    Parameters
    ----------
    asid_width, addr_width, id_width : :class:`int`
        As of :class:`~cbit.access.violations.ViolationLog`.

    Members
    -------
    first : ``In(violation_layout(...))``
    count : ``In(count_layout())``
        As of :class:`~cbit.access.violations.ViolationLog`.
    shown : ``Out(rotation_layout())``
        At a place without a register, zero.
    """

    unguarded = True
    """It only tells."""

    def __init__(self, *, asid_width: int, addr_width: int, id_width: int) -> None:
        super().__init__({
            "first": In(violation_layout(asid_width=asid_width, addr_width=addr_width, id_width=id_width)),
            "count": In(count_layout()),
            "shown": Out(rotation_layout()),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        event, kind = self.first.event, self.count.kind
        fields = {
            "VIOLATION_STATUS": {"valid": self.first.valid, "write": self.first.write, "kind": event.kind},
            "VIOLATION_ASID": {"asid": event.asid},
            "VIOLATION_ID": {"id": event.id},
            "VIOLATION_ADDRESS_LOW": {"address": event.addr[:32]},
            "VIOLATION_ADDRESS_HIGH": {"address": event.addr[32:]},
        } | {f"VIOLATION_COUNT_{entry.name}": {"count": self.count.count} for entry in Violation if entry.value}

        place, shows_counts = Signal(range(ROTATION_CYCLES)), Signal()
        with m.If(kind == len(Violation) - 1):
            m.d.sync += shows_counts.eq(~shows_counts)
        m.d.sync += [place.eq(Cat(kind, shows_counts)), self.shown.place.eq(place)]
        words = []
        for name, values in fields.items():
            layout = register_layout(register("host", name))
            word, chosen = Signal(layout, name=name.lower()), Signal(name=f"{name.lower()}_chosen")
            m.d.comb += [word[field].eq(value) for field, value in values.items()]
            m.d.sync += chosen.eq(Cat(kind, shows_counts) == register("host", name).offset // 4 % ROTATION_CYCLES)
            words.append(word.as_value() & chosen.replicate(32))
        m.d.sync += self.shown.word.eq(Cat(Cat(column).any() for column in zip(*words)))
        return m
