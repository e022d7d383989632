"""What a bench and its runner tell each other, through files that the environment names."""

import functools
import gc
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cbit.config import EngineConfig, SBox

__all__ = ["SESSION_VARIABLE", "Session", "current_session"]

SESSION_VARIABLE = "CBIT_SESSION"
"""Environment variable with the path of the session's JSON file."""


class Session:
    """A bench's side of a run.

    Attributes
    ----------
    top : :class:`str`
        One of :data:`cbit_sim.verilog.TOPS`.
    config : :class:`dict`
        The fields of :class:`cbit.config.EngineConfig`.
    parameters : :class:`dict`
        What the caller of :func:`cbit_sim.runner.simulate` has passed.
    """

    def __init__(self, path: Path):
        session = json.loads(path.read_text(encoding="utf-8"))
        self.top: str = session["top"]
        self.config: dict[str, Any] = session["config"]
        self.parameters: dict[str, Any] = session["parameters"]
        self._report = Path(session["report"])
        self._progress = Path(session["progress"])
        self._reported: dict[str, Any] = {"cycles": 0}
        self._also: dict[str, Callable[[], Any]] = {}
        self._started = time.perf_counter()
        self._cpu_started = time.process_time()
        self.report()

    @property
    def engine_config(self) -> EngineConfig:
        """The engine's configuration."""
        return EngineConfig(**self.config | {"sbox": SBox(self.config["sbox"])})

    @property
    def has_engine(self) -> bool:
        """Whether the top is an engine, with whatever is behind it, not a wire."""
        return self.top in ("engine", "dram")

    @property
    def has_chip(self) -> bool:
        """Whether the top has its DRAM behind it."""
        return self.top in ("dram", "dram_wire")

    def report(self, *, cycles: int = 0, **values: Any) -> None:
        """Adds cycles to those simulated, and values, which JSON must know, to the report."""
        self._reported |= values | {name: value() for name, value in self._also.items()}
        self._reported["cycles"] += cycles
        self._reported["seconds"] = time.perf_counter() - self._started
        self._reported["cpu_seconds"] = time.process_time() - self._cpu_started
        self._reported["cycles_per_second"] = round(self._reported["cycles"] / self._reported["seconds"])
        self._report.write_text(json.dumps(self._reported), encoding="utf-8")

    def also_report(self, name: str, value: Callable[[], Any]) -> None:
        """Has each report ask for a value, too."""
        self._also[name] = value

    def progress(self, part: float, text: str) -> None:
        """Tells the caller how much is done, 0 to 1, and what."""
        with self._progress.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps([part, text]) + "\n")


_YOUNG_OBJECTS = 100_000


@functools.cache
def current_session() -> Session:
    """The session of this simulation.

    A bench's beats and transactions die by their counts of references: cycles are looked for seldom from here on, and
    never in what was imported.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
    return Session(Path(os.environ[SESSION_VARIABLE]))
