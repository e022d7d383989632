"""What has been found wrong."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import unsigned
from amaranth.lib import enum, stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from .burst import BEAT_BYTES

__all__ = ["COUNT_BITS", "Findings", "Kind", "finding_layout"]

COUNT_BITS = 48
"""Counts of what happens in each cycle hold for a month at 100 MHz."""


class Kind(enum.Enum, shape=4):
    """What is wrong with an answer.

    ``UNASKED``
        It answers nothing, or not yet all of a write.
    ``RESPONSE``
        Its response is another: a denied access must get SLVERR, any other OKAY.
    ``LAST``
        RLAST is not with the last beat, and with it alone.
    ``DATA``
        A byte is not the one that was written last, or a denied read shows something else than ones.
    ``EXPOSED``
        A read under another key, or none, shows what was written.
    ``REPEATED``
        Memory holds the same as it did under another key or at another address.
    ``SILENCE``
        None comes, though others may be answered.
    """

    NONE = 0
    UNASKED = 1
    RESPONSE = 2
    LAST = 3
    DATA = 4
    EXPOSED = 5
    REPEATED = 6
    SILENCE = 7


def finding_layout(*, memory_width: int, id_width: int) -> StructLayout:
    """One that is wrong: ``address`` of the beat, or of the burst of a write; data of a read. Of a silence there is but
    the ID."""
    return StructLayout({"kind": Kind, "is_write": unsigned(1), "id": unsigned(id_width),
                         "address": unsigned(memory_width), "expected": unsigned(8 * BEAT_BYTES),
                         "got": unsigned(8 * BEAT_BYTES)})


class Findings(Component):
    """Keeps the first finding, and counts all.

    Latency: one cycle.

    Parameters
    ----------
    memory_width, id_width : :class:`int`
        Bits of an address of memory, and of an ID.

    Members
    -------
    read, write, silence : ``In(stream.Signature(finding_layout(...), always_ready=True))``
        Of a cycle, this is their order.
    clear : ``In(1)``
        Forgets all.
    first : ``Out(finding_layout(...))``
        Its kind is ``NONE`` while there is none.
    kinds : ``Out(8)``
        A bit for each kind: whether it has been found.
    count : ``Out(48)``
    """

    def __init__(self, *, memory_width: int, id_width: int) -> None:
        layout = finding_layout(memory_width=memory_width, id_width=id_width)
        finding = In(stream.Signature(layout, always_ready=True))
        super().__init__({"read": finding, "write": finding, "silence": finding, "clear": In(1), "first": Out(layout),
                          "kinds": Out(1 << Kind.as_shape().width - 1), "count": Out(COUNT_BITS)})

    def elaborate(self, _platform) -> Module:
        m = Module()
        ports = (self.read, self.write, self.silence)
        now = Signal.like(self.first)
        kinds = Signal.like(self.kinds)
        for port in reversed(ports):
            with m.If(port.valid):
                m.d.comb += now.eq(port.payload)
        for kind in Kind:
            if kind is not Kind.NONE:
                found = (port.valid & (port.payload.kind == kind) for port in ports)
                m.d.comb += kinds[kind.value].eq(_any(found))
        m.d.sync += [self.count.eq(self.count + sum(port.valid for port in ports)), self.kinds.eq(self.kinds | kinds)]
        with m.If(self.first.kind == Kind.NONE):
            m.d.sync += self.first.eq(now)
        with m.If(self.clear):
            m.d.sync += [self.first.eq(Mux(0, now, 0)), self.kinds.eq(0), self.count.eq(0)]
        return m


def _any(values):
    some = 0
    for value in values:
        some = some | value
    return some
