"""Files written whole or not at all."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import click

__all__ = ["require_writable", "write_together"]


def require_writable(path: Path, name: str) -> None:
    """Refuses, before any work, a file whose folder can not take it.

    Raises
    ------
    click.UsageError
        The text calls the file ``name``.
    """
    if not path.parent.is_dir():
        raise click.UsageError(f"{name} must be in a folder that exists, and {path.parent} does not")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise click.UsageError(f"{name} must be in a folder that can be written to, and {path.parent} can not")


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Writes files so that a failure leaves those of before as they were: each beside its place, then all moved.

    Raises
    ------
    OSError
        If one can not be written.
    """
    partial = {path: path.with_name(f".{path.name}.{os.getpid()}.partial") for path in contents}
    with contextlib.ExitStack() as leftovers:
        for path, content in contents.items():
            leftovers.callback(partial[path].unlink, missing_ok=True)
            partial[path].write_bytes(content)
        for path in contents:
            partial[path].replace(path)
