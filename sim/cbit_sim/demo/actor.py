"""Acts the story on a platform, of gateware or of the golden model: host, guests, a guest's owner, and an attacker."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cbit.config import EngineConfig
from cbit_model.access import Response
from cbit_sim.demo.bursts import Bursts
from cbit_sim.demo.launcher import Launcher, Stage
from cbit_sim.demo.pieces import Piece
from cbit_sim.demo.platforms import BurstPlatform
from cbit_sim.demo.story import Dump, Launch, Overwrite, Read, Story, Write

__all__ = ["Account", "Observation", "Progress", "act"]

Progress = Callable[[float, str], None]
"""Called with the part of all accesses that is done, 0 before the first, and a line of text."""

_BATCH_BYTES = 1 << 16


class Observation(NamedTuple):
    """What was seen, from which address on, and the worst response on the way."""

    start: int
    content: bytes
    response: Response


@dataclasses.dataclass(frozen=True)
class Account:
    """What came of a story.

    Parameters
    ----------
    seen : dict
        The observations, by name.
    stages : list of :class:`~cbit_sim.demo.launcher.Stage`
        What the security processor has done, boot included.
    """

    seen: dict[str, Observation]
    stages: list[Stage]


def act(story: Story, platform: BurstPlatform, config: EngineConfig, *, progress: Progress | None = None) -> Account:
    """Acts a story.

    Parameters
    ----------
    story : :class:`~cbit_sim.demo.story.Story`
        What happens.
    platform : :class:`~cbit_sim.demo.platforms.BurstPlatform`
        It has just booted.
    config : :class:`~cbit.config.EngineConfig`
        Its engine.
    progress : callable
        Told of accesses; of what the security processor does, the platform tells.

    Raises
    ------
    cbit_model.sev.owner.distrust.DistrustError
        If the owner does not trust the platform, the launch or the report.
    cbit_sim.sev_host.UnexpectedStatusError
        If a command fails.
    """
    actor = _Actor(story, platform, config, progress or (lambda _part, _text: None))
    for step in story.steps:
        match step:
            case Launch():
                actor.launcher.launch(step)
            case Write():
                actor.write(step)
            case Read():
                actor.read(step)
            case Dump():
                actor.see(step.name, 0, platform.dram(0, story.dram_bytes))
            case Overwrite():
                dump = actor.seen[step.dump].content
                platform.overwrite(step.target, dump[step.source:step.source + step.size])
    return Account(actor.seen, actor.launcher.stages)


class _Actor:
    """Whoever accesses memory."""

    def __init__(self, story: Story, platform: BurstPlatform, config: EngineConfig, progress: Progress):
        self.seen: dict[str, Observation] = {}
        self._platform = platform
        self._bursts = Bursts(config)
        self._progress = progress
        self._done = 0
        self._total = sum(piece.size for step in story.steps if isinstance(step, Read | Write) for piece in step.pieces)
        self.launcher = Launcher(platform, seed=story.seed, see=self.see)

    def see(self, name: str, start: int, content: bytes, response: Response = Response.OKAY) -> None:
        """Notes an observation."""
        self.seen[name] = Observation(start, content, response)

    def write(self, step: Write) -> None:
        """All pieces of a write."""
        for batch in self._batches(step.pieces, f"{step.view.name} writes"):
            bursts = [self._bursts.write(step.view, step.start, piece, step.data) for piece in batch]
            self._platform.perform(bursts)
            worst = max(response for burst in bursts for response in burst.responses)
            assert worst == Response.OKAY, f"{step.view.name} writes at {step.start:#x} and is answered {worst}"

    def read(self, step: Read) -> None:
        """All pieces of a read."""
        content, worst = bytearray(step.size), Response.OKAY
        for batch in self._batches(step.pieces, step.name.replace(": ", " reads ", 1)):
            bursts = [self._bursts.read(step.view, step.start, piece) for piece in batch]
            self._platform.perform(bursts)
            for piece, burst in zip(batch, bursts):
                self._bursts.take(content, step.start, piece, burst)
                worst = max(worst, *map(Response, burst.responses))
        self.see(step.name, step.start, bytes(content), worst)

    def _batches(self, pieces: Sequence[Piece], text: str) -> Iterator[list[Piece]]:
        """Pieces that together are of some size; as each is done, progress is told."""
        batch: list[Piece] = []
        size = 0
        for number, piece in enumerate(pieces, 1):
            batch.append(piece)
            size += piece.size
            if size >= _BATCH_BYTES or number == len(pieces):
                self._progress(self._done / self._total, text)
                yield batch
                self._done += size
                batch, size = [], 0
