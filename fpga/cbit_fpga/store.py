"""Results of steps, kept by the content that they were made from."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cbit_sim.verilog import build_folder, locked

__all__ = ["Store"]

_WORK = "work-"
_SECONDS = "seconds"


class Store:
    """A folder for each step that has been done.

    A step that was killed leaves no result, and is done again; what it still writes is not looked at. Of several
    processes that want the same step, one does it. What is not of use any more may be deleted at any time.

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

    def keep(self, kind: str, content: str, result: dict[str, Any]) -> None:
        """Keeps the result of a step that was done elsewhere."""
        self.done(kind, content, lambda _folder: result)

    def seconds(self, kind: str, content: str) -> float:
        """What a step took when it was done; zero for one whose result came from elsewhere."""
        try:
            return float((self.place(kind, content) / _SECONDS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return 0.0

    def done(self, kind: str, content: str, do: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
        """The result of a step, which is done now if it has not been.

        Parameters
        ----------
        kind : :class:`str`
            Which step.
        content : :class:`str`
            The :func:`~cbit_sim.sources.digest` of all that its result depends on.
        do : callable
            Does the step, in an empty folder that it is given, and returns the result, which JSON must know. The files
            that it leaves there are then in :meth:`place`.
        """
        folder = self.place(kind, content)
        with locked(folder):
            known = self.known(kind, content)
            if known is not None:
                return known
            for abandoned in folder.glob(f"{_WORK}*"):
                shutil.rmtree(abandoned)
            with tempfile.TemporaryDirectory(prefix=_WORK, dir=folder) as name:
                work = Path(name)
                begun = time.monotonic()
                result = do(work)
                (work / _SECONDS).write_text(f"{time.monotonic() - begun:.1f}", encoding="utf-8")
                for path in work.iterdir():
                    path.replace(folder / path.name)
                (work / "result").write_text(json.dumps(result), encoding="utf-8")
                (work / "result").replace(folder / "result.json")
        return result
