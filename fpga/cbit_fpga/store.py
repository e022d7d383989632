"""Results of steps, kept by the content that they were made from."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cbit_sim.verilog import build_folder, locked

__all__ = ["Store", "digest"]


def digest(*parts: object) -> str:
    """A short name for some content."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


class Store:
    """A folder for each step that has been done.

    A step that was killed leaves no result, and is done again. Of several processes that want the same step, one does
    it. What is not of use any more may be deleted at any time.

    Parameters
    ----------
    folder : :class:`~pathlib.Path` or :data:`None`
        By default ``fpga`` in :func:`cbit_sim.verilog.build_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or build_folder() / "fpga"

    def place(self, kind: str, content: str) -> Path:
        """The folder of a step."""
        return self.folder / kind / content

    def known(self, kind: str, content: str) -> dict[str, Any] | None:
        """The result of a step that has been done."""
        try:
            text = (self.place(kind, content) / "result.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        result: dict[str, Any] = json.loads(text)
        return result

    def done(self, kind: str, content: str, do: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
        """The result of a step, which is done now if it has not been.

        Parameters
        ----------
        kind : :class:`str`
            Which step.
        content : :class:`str`
            The :func:`digest` of all that its result depends on.
        do : callable
            Does the step, in the folder that it is given, and returns the result, which JSON must know.
        """
        folder = self.place(kind, content)
        with locked(folder):
            known = self.known(kind, content)
            if known is not None:
                return known
            result = do(folder)
            unfinished = folder / "result.unfinished"
            unfinished.write_text(json.dumps(result), encoding="utf-8")
            unfinished.replace(folder / "result.json")
        return result
