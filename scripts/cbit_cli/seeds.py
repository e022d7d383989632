"""The option that names seeds."""

import re
import typing
from collections.abc import Callable

import click

__all__ = ["seeds_option"]

_SEEDS = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")
_MOST_SEEDS = 100_000

_Command = typing.TypeVar("_Command", bound=Callable[..., object])


def _range_of_seeds(_context: click.Context, _parameter: click.Parameter, text: str) -> range:
    found = _SEEDS.fullmatch(text)
    if not found:
        raise click.UsageError(f"--seeds must be A-B, such as 1-100, not {text!r}")
    seeds = range(int(found[1]), int(found[2] or found[1]) + 1)
    if not 0 < len(seeds) <= _MOST_SEEDS:
        raise click.UsageError(f"--seeds must be A-B of 1 to {_MOST_SEEDS} seeds, not {text!r}")
    return seeds


def seeds_option(command: _Command) -> _Command:
    """Gives a command ``--seeds``, a range."""
    return click.option("--seeds", metavar="A-B", default="1-10", show_default=True, callback=_range_of_seeds,
                        help="The seeds, both ends included.")(command)
