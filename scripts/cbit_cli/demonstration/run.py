"""What a demonstration has found out."""

import dataclasses
from collections.abc import Iterator, Mapping

from cbit.config import EngineConfig
from cbit_sim.demo.figures import Cost
from cbit_sim.demo.guest_launch import GuestLaunch
from cbit_sim.demo.judge import Agreement
from cbit_sim.demo.model_actor import Observation
from cbit_sim.demo.story import Story

__all__ = ["Run"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """A demonstration that has ended well.

    Parameters
    ----------
    story : :class:`~cbit_sim.demo.story.Story`
        What was done.
    config : :class:`~cbit.config.EngineConfig`
        What the engine is.
    preset, name, command : :class:`str`
        The preset that it began from, the file, and the command that repeats the run.
    seen : mapping
        Each observation.
    compared : :class:`int`
        Bytes compared with the golden model.
    cost : :class:`~cbit_sim.demo.figures.Cost`
        Latency and bandwidth.
    launch : :class:`~cbit_sim.demo.guest_launch.GuestLaunch`
        What the PSP of a platform has launched.
    cycles : :class:`int`
        Cycles of the engine simulated, but for those of the launch.
    """

    story: Story
    config: EngineConfig
    preset: str
    name: str
    command: str
    seen: Mapping[str, Observation]
    compared: int
    cost: Cost
    launch: GuestLaunch
    cycles: int

    def agreements(self) -> Iterator[tuple[str, str, Agreement]]:
        """Each observer, the area of memory that it read, and how much of the file it saw there."""
        for name in self.seen:
            observer, _, area = name.partition(": ")
            if area in self.story.start:
                yield observer, area, self.agreement(name)

    def agreement(self, name: str) -> Agreement:
        """That of an observation with the file."""
        return Agreement.of(self.seen[name][0], self.story.data)

    def dumped(self, area: str, name: str = "DRAM") -> bytes:
        """The file's place in an area of a dump."""
        start = self.story.start[area]
        return self.seen[name][0][start:start + len(self.story.data)]
