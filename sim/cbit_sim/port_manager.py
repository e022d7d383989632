"""A manager at an AXI4 port of a component in Amaranth's own simulator, for tests of single components."""

import random
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from typing import Any

from cbit_sim.axi_memory import sampled_channels, seen_channels
from cbit_sim.checker import Checker

__all__ = ["PortManager"]


class PortManager(ABC):
    """Offers what is in its queues and takes answers, both with pauses, while a checker sees to the rules of AXI4.

    Parameters
    ----------
    port
        The component's port.
    name : :class:`str`
        Of the port, in what the checker says.
    rng : :class:`random.Random`
        Of pauses.
    stalls : :class:`float`
        Part of the cycles in which a channel does nothing.
    count : :class:`int`
        Bursts to begin.
    limit_cycles : :class:`int`
        In how many cycles all must have ended.

    Attributes
    ----------
    left : :class:`int`
        Bursts that have not begun.
    queues : dict
        What each of the channels ``aw``, ``w`` and ``ar`` is to carry.
    cycles : :class:`int`
        Cycles until now.
    """

    def __init__(self, port: Any, name: str, rng: random.Random, *, stalls: float, count: int, limit_cycles: int):
        self.port, self.rng, self.stalls, self.left = port, rng, stalls, count
        self.checker = Checker(name)
        self.queues: dict[str, deque[Any]] = {"aw": deque(), "w": deque(), "ar": deque()}
        self.cycles = 0
        self._limit_cycles = limit_cycles

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether all has been answered."""

    @abstractmethod
    def begin(self) -> None:
        """Puts a burst into the queues, if one can begin now. Called once a cycle while some are left."""

    @abstractmethod
    def judge(self, channels: Mapping[str, Any]) -> None:
        """Looks at what the channels were at an edge."""

    async def run(self, ctx: Any) -> None:
        """Until all is done. Raises :class:`AssertionError` if that takes too long, or a rule is broken."""
        shown = dict.fromkeys(self.queues, False)
        while not self.done:
            for name in ("b", "r"):
                ctx.set(getattr(self.port, name).ready, self.rng.random() >= self.stalls)
            if self.left:
                self.begin()
            for name, queue in self.queues.items():
                if not shown[name] and queue and self.rng.random() >= self.stalls:
                    shown[name] = True
                    ctx.set(getattr(self.port, name).payload, queue.popleft())
                ctx.set(getattr(self.port, name).valid, shown[name])
            _, _, *values = await ctx.tick().sample(*sampled_channels(self.port))
            channels = seen_channels(values)
            self.checker.observe(**channels)
            self.judge(channels)
            self.cycles += 1
            for name in shown:
                shown[name] &= not channels[name].ready
            assert self.cycles < self._limit_cycles
