"""What a regression has found, as figures and as text."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from cbit_cli.benchmark.tables import aligned
from cbit_sim.regression import Outcome

__all__ = ["Summary"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Summary:
    """The outcomes of all seeds.

    Parameters
    ----------
    command : :class:`str`
        What repeats it.
    outcomes : sequence of :class:`~cbit_sim.regression.Outcome`
        In the order of seeds.
    replays : sequence of :class:`str`
        For each failed seed, in order, the command that repeats it with signals over time.
    seconds : :class:`float`
        From the first seed's begin, when the simulation was built, to the last one's end.
    """

    command: str
    outcomes: Sequence[Outcome]
    replays: Sequence[str]
    seconds: float

    @property
    def failed(self) -> list[Outcome]:
        """Those that failed."""
        return [outcome for outcome in self.outcomes if outcome.error]

    @property
    def seeds_per_hour(self) -> int:
        """How many of these seeds the workers do in an hour."""
        return round(3600 * len(self.outcomes) / self.seconds)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "command": self.command, **self._figures(),
            "failures": [{"seed": outcome.seed, "error": outcome.error, "mismatch": outcome.mismatch,
                          "log": outcome.log, "replay": replay}
                         for outcome, replay in zip(self.failed, self.replays, strict=True)],
            "seeds": [{name: getattr(outcome, name) for name in ("seed", "transactions", "cycles", "events",
                                                                 "surroundings", "waves")}
                      for outcome in self.outcomes if not outcome.error]}

    def as_text(self) -> str:
        """For a terminal."""
        lines = [aligned([[name.replace("_", " "), f"{value:,}"] for name, value in self._figures().items()])]
        for outcome, replay in zip(self.failed, self.replays, strict=True):
            lines.append(f"\nseed {outcome.seed}: {outcome.error}\n  {replay}")
        return "\n".join(lines)

    def _figures(self) -> dict[str, Any]:
        return {
            "passed": len(self.outcomes) - len(self.failed), "failed": len(self.failed),
            "transactions": sum(outcome.transactions for outcome in self.outcomes),
            "mismatches": sum(outcome.mismatch for outcome in self.outcomes),
            "wall_seconds": round(self.seconds, 1), "seeds_per_hour": self.seeds_per_hour}
