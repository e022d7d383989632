"""Room for the beats of managers' reads, taken before DRAM is asked for them."""

from amaranth import Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

__all__ = ["SHORT_BEATS", "BeatCredit"]

CHUNK_BEATS = 4
SHORT_BEATS = 16
"""Bursts of up to so many beats need no exact count while there is plenty of room."""


class BeatCredit(Component):
    """Counts the beats for which there is room.

    Latency: none, or if pipelined one cycle, with ``fits`` and ``chunk_fits`` low rather than too early.
    Throughput: a burst of up to 16 beats, and a beat given back, a cycle. If pipelined, a burst of more
    beats, or any while there is little room, every third cycle.

    Parameters
    ----------
    beats : :class:`int`
        Room in all. At least 256.
    pipelined : :class:`bool`
        Whether the answers come from registers.

    Members
    -------
    len : ``In(8)``
        The next burst has ``len + 1`` beats.
    is_short : ``In(1)``
        Whether ``len`` is less than :data:`SHORT_BEATS`. Counts only if pipelined.
    renew : ``In(1)``
        High in a cycle after which ``len`` may be another one.
    fits, chunk_fits : ``Out(1)``
        Whether there is room for that burst, and for a chunk, which has up to four beats.
    take : ``In(1)``
        Takes room for ``taken + 1`` beats.
    taken : ``In(8)``
    give : ``In(1)``
        Gives back the room of one beat.

    Raises
    ------
    ValueError
        If there is not room for the longest burst.
    """

    def __init__(self, *, beats: int, pipelined: bool) -> None:
        if beats < 256:
            raise ValueError(f"Beats must be at least 256, not {beats!r}")
        self.beats = beats
        self.pipelined = pipelined
        super().__init__({
            "len": In(8),
            "is_short": In(1),
            "renew": In(1),
            "fits": Out(1),
            "chunk_fits": Out(1),
            "take": In(1),
            "taken": In(8),
            "give": In(1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        room = Signal(range(self.beats + 1), init=self.beats)
        take, taken = Signal(), Signal.like(self.taken)
        m.d.sync += room.eq(Mux(take, room - taken - 1, room) + self.give)
        if not self.pipelined:
            m.d.comb += [take.eq(self.take), taken.eq(self.taken)]
            m.d.comb += [self.fits.eq(room > self.len), self.chunk_fits.eq(room >= CHUNK_BEATS)]
            return m
        # What is known is two cycles old: of short bursts taken since, plenty leaves enough, of a long one it may not.
        was_long, is_enough = Signal(), Signal()
        is_long = self.take & (self.taken >= SHORT_BEATS)
        m.d.sync += [
            take.eq(self.take),
            taken.eq(self.taken),
            was_long.eq(is_long),
            self.chunk_fits.eq((room >= 3 * SHORT_BEATS) & ~is_long & ~was_long),
            is_enough.eq((room > self.len) & ~self.take & ~take & ~self.renew),
        ]
        m.d.comb += self.fits.eq(is_enough | (self.chunk_fits & self.is_short))
        return m
