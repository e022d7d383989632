"""How fast the engine's clock runs beside the security processor's: slow while nobody needs the engine."""

from cbit_sim.platform_bed import PSP_PERIOD_PS, PlatformBed

__all__ = ["Pace"]

_IDLE_PERIODS = 64
_IDLE_CYCLES = 200


class Pace:
    """Slows the engine's clock down when no access has been under way for a while, and speeds it up when one is.

    Python works in cycles of that clock, so that the security processor computes for millions of its own with little
    of it.

    Parameters
    ----------
    bed : :class:`~cbit_sim.platform_bed.PlatformBed`
        Whose clock it is.
    """

    def __init__(self, bed: PlatformBed) -> None:
        self._bed = bed
        self._idle_cycles = 0
        self._is_slow = False
        bed.clocked.add(self)

    def step(self) -> None:
        """One cycle of the engine's."""
        is_idle = self._bed.manager.idle and self._bed.dram.idle
        self._idle_cycles = self._idle_cycles + 1 if is_idle else 0
        is_slow = self._idle_cycles >= _IDLE_CYCLES
        if is_slow != self._is_slow:
            self._is_slow = is_slow
            self._bed.set_pace(PSP_PERIOD_PS * (_IDLE_PERIODS if is_slow else 1))
