"""The folder that a command leaves its report in, and never anyone else's."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from cbit_cli.files import write_together

__all__ = ["ReportFolder"]


class ReportFolder:
    """A folder that may be written to.

    Parameters
    ----------
    path : :class:`~pathlib.Path`
        One that does not exist yet, is empty, or holds nothing but an earlier report's files.
    command : :class:`str`
        The subcommand that writes the report.
    outputs : sequence of :class:`str`
        Names of the files that it writes.
    source : :class:`~pathlib.Path` or :data:`None`
        The file that the report is on, which must not be overwritten.

    Raises
    ------
    click.UsageError
        If the folder is another one. Nothing is written.
    """

    def __init__(self, path: Path, *, command: str, outputs: Sequence[str], source: Path | None = None):
        self.path = path
        self._command = command
        self._mark = f".cbit-{command}"
        if path.exists() and not path.is_dir():
            raise click.UsageError(f"DIR must be a folder, and {path} is a file")
        existing = path.absolute()
        while not existing.exists():
            existing = existing.parent
        if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
            raise click.UsageError(f"DIR must be in a folder that can be written to, and {existing} can not")
        present = {entry.name for entry in path.iterdir()} if path.exists() else set()
        if present and (self._mark not in present or present - {self._mark, *outputs}):
            raise click.UsageError(
                f"DIR must be new, empty, or hold only the files of an earlier cbit {command}, and {path} is not")
        if source is not None and path.exists() and path.resolve() == source.resolve().parent:
            raise click.UsageError(f"DIR must be another folder than FILE's, and {source} is in {path}")

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Writes files, whose names are those of ``outputs``, so that each is whole or as it was.

        Raises
        ------
        OSError
            If one can not be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        mark = f"The files of this folder were written by cbit {self._command}, which may replace them.\n"
        (self.path / self._mark).write_text(mark, encoding="utf-8")
        write_together({self.path / name: content for name, content in contents.items()})
