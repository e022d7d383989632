"""Files written whole or not at all."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["write_together"]


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
