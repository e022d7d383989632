"""Whether reads under a slot's key are still to be decrypted."""

from amaranth import Module, Signal
from amaranth.lib.wiring import Component, In, Out

from .generations import Generations

__all__ = ["ReadDrain"]


class ReadDrain(Component):
    """Watches one slot for the control of keys.

    ``drain_busy`` may stay high longer than reads under the slot are in flight, but falls when all
    bursts that began before have ended, whatever begins under other slots.

    Latency: a burst shows at ``drain_busy`` one cycle after it begins. After a change of ``drain_slot``
    the answer counts from the second cycle on.

    Parameters
    ----------
    slot_width : :class:`int`
        Bits of a slot number.
    entries : :class:`int`
        How many bursts may be in flight.

    Members
    -------
    begin : ``In(1)``
        A burst under ``begin_slot`` is sent to DRAM, and belongs to ``generation``.
    begin_slot : ``In(slot_width)``
    generation : ``Out(1)``
    end, ended : ``In(1)``
        The last beat of a burst of generation ``ended`` has been decrypted.
    drain_slot : ``In(slot_width)``
    drain_busy : ``Out(1)``
    """

    def __init__(self, *, slot_width: int, entries: int) -> None:
        self.generations = Generations(most=entries)
        super().__init__({
            "begin": In(1),
            "begin_slot": In(slot_width),
            "generation": Out(1),
            "end": In(1),
            "ended": In(1),
            "drain_slot": In(slot_width),
            "drain_busy": Out(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.submodules.generations = generations = self.generations
        watched = Signal.like(self.drain_slot)
        is_used, was_used = Signal(), Signal()
        uses = self.begin & (self.begin_slot == self.drain_slot)
        m.d.comb += [
            generations.begin.eq(self.begin),
            generations.end.eq(self.end),
            generations.ended.eq(self.ended),
            self.generation.eq(generations.current),
            self.drain_busy.eq(is_used | was_used),
        ]
        m.d.sync += [watched.eq(self.drain_slot), is_used.eq(is_used | uses)]
        with m.If(generations.turns):
            m.d.sync += [is_used.eq(0), was_used.eq(is_used | uses)]
        with m.If(watched != self.drain_slot):
            m.d.sync += [is_used.eq(1), was_used.eq(1)]
        return m
