"""What a demonstration has found out."""

import dataclasses
from collections.abc import Iterator

from cbit.config import EngineConfig
from cbit_sim.demo.actor import Account
from cbit_sim.demo.figures import Cost
from cbit_sim.demo.judge import Agreement
from cbit_sim.demo.story import Story

__all__ = ["Run"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """A demonstration that has ended well.

    Parameters
    ----------
    story : :class:`~cbit_sim.demo.story.Story`
        What was done.
    config, platform_config : :class:`~cbit.config.EngineConfig`
        What the engine is whose cost was measured, and that of the platform on which the story was acted.
    preset, name, command : :class:`str`
        The preset that ``config`` began from, the file, and the command that repeats the run.
    account : :class:`~cbit_sim.demo.actor.Account`
        What everybody saw, and what the security processor has done.
    compared : :class:`int`
        Bytes compared with the golden model.
    cost : :class:`~cbit_sim.demo.figures.Cost`
        Latency and bandwidth.
    engine_cycles, psp_cycles : :class:`int`
        Cycles of engines simulated, and of the security processor.
    """

    story: Story
    config: EngineConfig
    platform_config: EngineConfig
    preset: str
    name: str
    command: str
    account: Account
    compared: int
    cost: Cost
    engine_cycles: int
    psp_cycles: int

    def agreements(self) -> Iterator[tuple[str, str, Agreement]]:
        """Each observer, the area of memory that it read, and how much of the file it saw there."""
        for name in self.account.seen:
            observer, _, area = name.partition(": ")
            if area in self.story.start:
                yield observer, area, self.agreement(name)

    def content(self, name: str) -> bytes:
        """What was seen."""
        return self.account.seen[name].content

    def agreement(self, name: str) -> Agreement:
        """That of an observation with the file."""
        return Agreement.of(self.content(name), self.story.data)

    def dumped(self, area: str, name: str = "DRAM") -> bytes:
        """The file's place in an area of a dump."""
        start = self.story.start[area]
        return self.content(name)[start:start + len(self.story.data)]

    @property
    def is_launched_whole(self) -> bool:
        """Whether guests are launched from the whole file, and not only from its beginning."""
        return len(self.story.image) >= len(self.story.data)
