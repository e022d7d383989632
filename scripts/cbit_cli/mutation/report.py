"""What became of mutants, as a table and for JSON."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cbit.config import EngineConfig
from cbit_cli.benchmark.tables import aligned
from cbit_cli.mutation.sample import Mutant

__all__ = ["Judged", "Report"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judged:
    """A mutant and what became of it.

    Parameters
    ----------
    number : :class:`int`
        Its number in the sample, from 1.
    mutant : :class:`~cbit_cli.mutation.sample.Mutant`
    bench : :class:`str` or :data:`None`
        The bench that killed it.
    reason : :class:`str`
        That bench's message.
    equivalent_within : :class:`str` or :data:`None`
        If it survived, the module within which it is proven to work as the engine does.
    """

    number: int
    mutant: Mutant
    bench: str | None
    reason: str
    equivalent_within: str | None = None

    @property
    def has_survived(self) -> bool:
        """Whether no bench killed it, nor can any."""
        return self.bench is None and self.equivalent_within is None

    @property
    def outcome(self) -> str:
        """In words."""
        if self.bench:
            return f"killed by {self.bench}"
        return f"equivalent within {self.equivalent_within}" if self.equivalent_within else "SURVIVED"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"number": self.number, **self.mutant.as_dict(), "bench": self.bench, "reason": self.reason,
                "equivalent_within": self.equivalent_within}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """All mutants of a sample.

    Parameters
    ----------
    command : :class:`str`
        What repeats it.
    config : :class:`~cbit.config.EngineConfig`
    cycles : mapping
        Of each bench, those that the engine itself takes.
    judged : sequence of :class:`Judged`
    """

    command: str
    config: EngineConfig
    cycles: Mapping[str, int]
    judged: Sequence[Judged]

    @property
    def killed(self) -> int:
        """How many a bench killed."""
        return sum(one.bench is not None for one in self.judged)

    @property
    def equivalent(self) -> int:
        """How many work as the engine does, by proof."""
        return sum(one.equivalent_within is not None for one in self.judged)

    @property
    def score(self) -> float:
        """The part of those that are not equivalent that was killed, 0 to 1."""
        others = len(self.judged) - self.equivalent
        return self.killed / others if others else 1.0

    def table(self) -> str:
        """A line for each mutant, then the sum."""
        lines = [("", "kind", "line", "module", "change", "outcome"), *(
            (str(one.number), one.mutant.kind, ", ".join(one.mutant.sources), one.mutant.module.removeprefix("cbit."),
             one.mutant.change, one.outcome) for one in self.judged)]
        # The text that is longest stands last, so that it is not padded.
        return "\n".join([aligned(lines), "", self.summary()])

    def summary(self) -> str:
        """Killed of how many, by what."""
        benches = Counter(one.bench for one in self.judged if one.bench)
        by = ", ".join(f"{bench} {benches[bench]}" for bench in self.cycles if benches[bench])
        survivors = sum(one.has_survived for one in self.judged)
        return (f"{len(self.judged)} mutants, {sum(one.mutant.is_aes for one in self.judged)} of them in AES: "
                f"{self.killed} killed ({by or 'by none'}), {self.equivalent} proven equivalent, {survivors} survived: "
                f"{self.score:.1%} of those that are not equivalent")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"command": self.command, "config": self.config.as_dict(), "cycles": dict(self.cycles),
                "killed": self.killed, "equivalent": self.equivalent, "score": round(self.score, 4),
                "mutants": [one.as_dict() for one in self.judged]}
