"""Patterns of back-pressure: endless iterators that say, cycle by cycle, whether a channel holds back."""

import itertools
import random
from collections.abc import Iterator

__all__ = ["CHANNELS", "PATTERNS", "every", "pauses", "stalled_until"]

CHANNELS = ("aw", "w", "b", "ar", "r")

_SHORT_PATTERNS = ("none", "light", "heavy", "bursty", "alternate")

PATTERNS = (*_SHORT_PATTERNS, "frozen")
"""Never; one cycle in ten; two in three; long stretches; every second cycle; for thousands of cycles now and then."""

_PERIOD = 4096
_FREEZES = 4


def _pattern(name: str, rng: random.Random) -> Iterator[bool] | None:
    match name:
        case "none":
            return None
        case "light":
            cycles = [rng.random() < 0.1 for _ in range(_PERIOD)]
        case "heavy":
            cycles = [rng.random() < 0.67 for _ in range(_PERIOD)]
        case "bursty":
            cycles = []
            while len(cycles) < _PERIOD:
                cycles += [True] * rng.randint(1, 60) + [False] * rng.randint(1, 60)
        case "alternate":
            cycles = [True, False]
        case "frozen":
            cycles = []
            for _ in range(_FREEZES):
                cycles += [False] * rng.randint(500, 6000) + [True] * rng.randint(1000, 5000)
        case _:
            raise ValueError(f"Pattern must be one of {', '.join(PATTERNS)}, not {name!r}")
    return itertools.cycle(cycles)


def pauses(name: str, seed: int) -> dict[str, Iterator[bool]]:
    """Iterators for the channels of a port. ``mixed`` chooses a pattern other than ``frozen`` for each channel.

    Raises
    ------
    ValueError
        If the name is neither ``mixed`` nor one of :data:`PATTERNS`.
    """
    rng = random.Random(seed)
    chosen = {channel: _pattern(rng.choice(_SHORT_PATTERNS) if name == "mixed" else name, rng) for channel in CHANNELS}
    return {channel: pattern for channel, pattern in chosen.items() if pattern is not None}


def stalled_until(event: list[bool]) -> Iterator[bool]:
    """Holds a channel back until something is appended to ``event``."""
    while True:
        yield not event


def every(cycles: int) -> Iterator[bool]:
    """Lets a beat pass every so many cycles."""
    return itertools.cycle([False] + [True] * (cycles - 1))
