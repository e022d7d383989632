"""A long run of an engine against traffic of gateware."""

import dataclasses
from pathlib import Path
from typing import Any

from cbit.config import EngineConfig
from cbit_sim.gateware.guests import guests_of
from cbit_sim.runner import Progress, build, simulate

__all__ = ["Soaked", "build_soak", "soak"]

_BENCH = "cbit_sim.benches.soak"
_TOPS = {"engine": "soak", "wire": "soak_wire"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Soaked:
    """What came of a soak.

    Parameters
    ----------
    cycles : :class:`int`
        Cycles of traffic; fewer than asked for if something was wrong.
    counts : :class:`dict`
        :data:`cbit.traffic.generator.COUNTS`.
    errors : :class:`int`
        Answers that were wrong.
    kinds : list of :class:`str`
        Names of :class:`cbit.traffic.findings.Kind` among them.
    error : :class:`str`
        The first in words, or what else was wrong; empty if nothing was.
    events : :class:`dict`
        What was done with keys, and how often.
    seconds, cpu_seconds : :class:`float`
        Of the simulation, its building left out.
    log : :class:`str`
        The bench's output.
    """

    cycles: int
    counts: dict[str, int]
    errors: int
    kinds: list[str]
    error: str
    events: dict[str, int]
    seconds: float
    cpu_seconds: float
    log: str

    @property
    def bursts(self) -> int:
        """Reads and writes."""
        return self.counts["reads"] + self.counts["writes"]

    @property
    def beats(self) -> int:
        """Of both."""
        return self.counts["read_beats"] + self.counts["write_beats"]

    @property
    def bytes(self) -> int:
        """Written, and compared when they were read."""
        return self.counts["read_bytes"] + self.counts["write_bytes"]


def build_soak(config: EngineConfig, *, top: str = "engine", source: Path | None = None) -> None:
    """Builds what :func:`soak` simulates with these arguments, if it is not there. Raises what that does."""
    build(_TOPS[top], config, source=source)


def soak(config: EngineConfig, *, cycles: int, seed: int, top: str = "engine", source: Path | None = None,
         progress: Progress | None = None, **parameters: int) -> Soaked:
    """Soaks an engine, or the wire, of which the first wrong answer ends it.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`
        The engine. Three slots or more.
    cycles : :class:`int`
        Cycles of traffic.
    seed : :class:`int`
        Of traffic, keys and their changes.
    top : ``"engine"`` or ``"wire"``
        Between traffic and DRAM.
    source : :class:`~pathlib.Path`
        Verilog of a soak's top in place of what is generated.
    progress : callable
        As of :func:`cbit_sim.runner.simulate`.
    parameters
        Others of :mod:`cbit_sim.benches.soak`.

    Raises
    ------
    cbit_sim.runner.BenchError, cbit_sim.simulators.MissingToolError, cbit_sim.simulators.BuildError
        From :func:`cbit_sim.runner.simulate`.
    ValueError
        If the engine has fewer than three slots.
    """
    guests_of(config)
    report: dict[str, Any] = simulate(_TOPS[top], _BENCH, config=config, source=source, progress=progress,
                                      parameters={"cycles": cycles, "seed": seed, **parameters})
    return Soaked(**{field.name: report[field.name] for field in dataclasses.fields(Soaked)})
