"""What a command is doing, on standard error: a bar on a terminal, plain lines elsewhere."""

import contextlib
import time
from collections.abc import Iterator
from typing import Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["Stages", "stages"]

_PLAIN_SECONDS = 5.0


class Stages(Protocol):
    """Told what begins, and how far it is."""

    def begin(self, text: str) -> None:
        """The stage before is done; another begins."""

    def advance(self, part: float, text: str) -> None:
        """How much of the stage is done, 0 to 1, and what it is at."""


class _Bars:
    """A line for each stage, with a bar for the last."""

    def __init__(self, progress: Progress):
        self._progress = progress
        self._task: TaskID | None = None
        self._stage = ""

    def begin(self, text: str) -> None:
        self.finish()
        self._stage = text
        self._task = self._progress.add_task(text, total=None)

    def advance(self, part: float, text: str) -> None:
        assert self._task is not None
        self._progress.update(self._task, total=1.0, completed=part, description=f"{self._stage}: {text}")

    def finish(self) -> None:
        if self._task is not None:
            self._progress.update(self._task, total=1.0, completed=1.0, description=self._stage)


class _Lines:
    """A line when a stage begins, and every few seconds."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None
        self._told = 0.0

    def begin(self, text: str) -> None:
        self._first, self._told = None, time.monotonic()
        click.echo(f"cbit: {text}", err=True)

    def advance(self, part: float, text: str) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first, self._told = (now, part), now
        begun, first_part = self._first
        if now - self._told >= _PLAIN_SECONDS and part > first_part:
            self._told = now
            left = (now - begun) * (1 - part) / (part - first_part)
            click.echo(f"cbit: {part:4.0%} {text}, {left:.0f} s left", err=True)


@contextlib.contextmanager
def stages() -> Iterator[Stages]:
    """Shows stages while they last."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bars = _Bars(progress)
        yield bars
        bars.finish()
