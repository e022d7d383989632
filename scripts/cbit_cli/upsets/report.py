"""What became of strikes, as a table and for JSON."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cbit.config import EngineConfig
from cbit_cli.benchmark.tables import aligned
from cbit_sim.upset import Outcome

__all__ = ["Report", "Struck"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Struck:
    """A bit that was struck, and what came of it.

    Parameters
    ----------
    name : :class:`str`
        The bit, by its place in the engine.
    sources : tuple
        Lines of the gateware, such as ``read/gate.py:47``, or of Amaranth.
    strike : pair of :class:`int`
        What the inputs of :mod:`cbit_cli.upsets.strikes` choose it by.
    cycle : :class:`int`
        When it was struck, in the simulation.
    outcome : :class:`~cbit_sim.upset.Outcome`
    reason : :class:`str`
        What the judge saw first, of the worst.
    """

    name: str
    sources: tuple[str, ...]
    strike: tuple[int, int]
    cycle: int
    outcome: Outcome
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self) | {"sources": list(self.sources), "strike": list(self.strike),
                                           "outcome": self.outcome.value}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """All strikes of a campaign.

    Parameters
    ----------
    command : :class:`str`
        What repeats it.
    config : :class:`~cbit.config.EngineConfig`
    register_bits, control_bits : :class:`int`
        How many there are in all, and how many of them are control.
    struck : sequence of :class:`Struck`
    """

    command: str
    config: EngineConfig
    register_bits: int
    control_bits: int
    struck: Sequence[Struck]

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many strikes came to what."""
        found = Counter(one.outcome for one in self.struck)
        return {outcome: found[outcome] for outcome in Outcome}

    def table(self) -> str:
        """A line for each strike that leaks, then the sum."""
        leaking = [one for one in self.struck if one.outcome is Outcome.LEAKING]
        lines = [("bit", "line", "what leaks"), *((one.name, ", ".join(one.sources), one.reason) for one in leaking)]
        return "\n".join([*([aligned(lines), ""] if leaking else []), self.summary()])

    def summary(self) -> str:
        """How many of what."""
        counts = ", ".join(f"{count} {outcome.value}" for outcome, count in self.counts.items())
        return (f"{len(self.struck)} of {self.control_bits} bits of control struck, in {self.register_bits} bits of "
                f"registers of which the others are data: {counts}")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"command": self.command, "config": self.config.as_dict(), "register_bits": self.register_bits,
                "control_bits": self.control_bits,
                "counts": {outcome.value: count for outcome, count in self.counts.items()},
                "strikes": [one.as_dict() for one in self.struck]}
