"""Watches for a key slot whose writes have all been encrypted and sent."""

from amaranth import Module, Signal
from amaranth.lib.wiring import Component, In, Out

from .entry import near_bits

__all__ = ["WriteDrain"]


class WriteDrain(Component):
    """Remembers the last line under a slot.

    Of a slot just asked about, it takes the last line of all for that: so ``drain_busy`` may be high too long, but
    never longer than the lines take that have entered before.

    Latency: ``drain_busy`` follows a cycle later.

    Parameters
    ----------
    entries, slot_width : :class:`int`
        Lines in flight, and width of a slot number.

    Members
    -------
    enter : ``In(1)``
        Line ``number`` enters, under ``slot``.
    number, sent : ``In(near_bits(entries))``
        Near numbers of the next line to enter, and of the next to be sent.
    slot : ``In(slot_width)``
    drain_slot : ``In(slot_width)``
    drain_busy : ``Out(1)``
        High while a line under ``drain_slot`` is not sent.
    """

    def __init__(self, *, entries: int, slot_width: int) -> None:
        near = near_bits(entries)
        super().__init__({
            "enter": In(1),
            "number": In(near),
            "sent": In(near),
            "slot": In(slot_width),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        watched, changed = Signal.like(self.drain_slot), Signal()
        entered, entered_slot, entered_watched = Signal(), Signal.like(self.slot), Signal()
        # The first line behind the last that matters, and whether it may still be to come.
        end, is_open = Signal.like(self.number, init=1), Signal()
        m.d.comb += [
            entered_watched.eq(entered & (entered_slot == watched)),
            self.drain_busy.eq(is_open | changed | entered_watched),
        ]
        m.d.sync += [
            watched.eq(self.drain_slot),
            changed.eq(watched != self.drain_slot),
            entered.eq(self.enter),
            entered_slot.eq(self.slot),
        ]
        with m.If(changed | entered_watched):
            # A cycle after the line has entered, this is the number of the next.
            m.d.sync += [end.eq(self.number), is_open.eq(1)]
        with m.Elif(~(self.sent - end)[len(end) - 1]):
            m.d.sync += is_open.eq(0)
        return m
