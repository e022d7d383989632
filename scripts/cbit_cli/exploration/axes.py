"""The configurations that an exploration visits: all combinations of the values of some parameters."""

import dataclasses
import itertools
import typing
from collections.abc import Mapping, Sequence

import click

from cbit.config import EngineConfig, SBox
from cbit_cli.configuration import changed, parse_setting

__all__ = ["AXES", "Space", "parse_axes"]

AXES: Mapping[str, tuple[typing.Any, ...]] = {
    "sbox": tuple(SBox),
    "unroll": (1, 2, 5, 7, 10, 14),
    "rounds_per_cycle": (1, 2),
    "cycles_per_round": (1, 2, 3, 4, 5),
    "pipelined": (False, True),
    "pipelined_writes": (False, True),
    "duplex": (False, True),
    "data_width": (128, 256, 512),
    "key_bits": (128, 256),
    "data_unit_bytes": (64, 4096),
    "asid_count": (4, 16, 64, 256, 1024),
    "max_outstanding": (8, 16, 32, 64),
}
"""Parameter to the values that are visited where none are named."""

_RANGE = ".."


def parse_axes(text: str) -> dict[str, tuple[typing.Any, ...]]:
    """Parameter to values, from text such as ``sbox,unroll=5,10,asid_count=4..8``.

    Raises
    ------
    click.UsageError
        If it names no parameter, or one that is not an axis.
    """
    axes: dict[str, list[typing.Any]] = {}
    restricted = ""
    for word in text.split(","):
        name, equals, value = word.strip().partition("=")
        if name in AXES and name in axes:
            raise click.UsageError(f"--axes must name {name} once")
        if equals:
            _require_axis(name)
            restricted = name
            axes[name] = _values(name, value)
        elif restricted and name not in AXES:
            axes[restricted] += _values(restricted, name)
        else:
            _require_axis(name)
            restricted = ""
            axes[name] = list(AXES[name])
    return {name: tuple(dict.fromkeys(values)) for name, values in axes.items()}


def _require_axis(name: str) -> None:
    if name not in AXES:
        raise click.UsageError(f"--axes must be of {', '.join(AXES)}, not {name!r}")


def _values(name: str, text: str) -> list[typing.Any]:
    low, is_range, high = text.partition(_RANGE)
    if is_range and low.isdecimal() and high.isdecimal():
        return list(range(int(low), int(high) + 1))
    return [parse_setting(f"{name}={text}")[1]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Space:
    """Combinations.

    Parameters
    ----------
    axes : mapping
        Parameter to its values.
    settings : tuple
        Values of each combination that an engine can have, in the order of ``axes``.
    configs : tuple of :class:`~cbit.config.EngineConfig`
        The same as configurations.
    left_out : :class:`int`
        Combinations that no engine can have, that only waste rounds, or that are the same engine as another.
    """

    axes: Mapping[str, tuple[typing.Any, ...]]
    settings: tuple[tuple[typing.Any, ...], ...]
    configs: tuple[EngineConfig, ...]
    left_out: int

    @classmethod
    def of(cls, base: EngineConfig, axes: Mapping[str, tuple[typing.Any, ...]]) -> "Space":
        """All combinations, in a base.

        Raises
        ------
        click.UsageError
            If a value is in none of the combinations that are left.
        """
        combinations = list(itertools.product(*axes.values()))
        visited: dict[tuple[typing.Any, ...], EngineConfig] = {}
        refusals: dict[tuple[str, typing.Any], str] = {}
        for values in combinations:
            try:
                config = changed(base, dict(zip(axes, values)))
            except ValueError as error:
                for pair in zip(axes, values):
                    refusals.setdefault(pair, str(error))
                continue
            if _wastes_rounds(config):
                for pair in zip(axes, values):
                    refusals.setdefault(pair, f"unroll must not be {config.unroll}, which wastes rounds of "
                                              f"{config.rounds}")
                continue
            if config not in visited.values():
                visited[values] = config
        for column, name in enumerate(axes):
            used = {values[column] for values in visited}
            for value in axes[name]:
                if value not in used and (name, value) in refusals:
                    _refuse(name, axes[name], refusals[name, value])
        return cls(axes=axes, settings=tuple(visited), configs=tuple(visited.values()),
                   left_out=len(combinations) - len(visited))


def _refuse(name: str, values: Sequence[typing.Any], reason: str) -> None:
    if values != AXES[name]:
        raise click.UsageError(f"--axes: {reason}")


def _wastes_rounds(config: EngineConfig) -> bool:
    """Whether fewer rounds in hardware would take a block as often."""
    passes = -(-config.rounds // config.unroll_rounds)
    fewest = -(-config.rounds // passes)
    return config.unroll_rounds > fewest + -fewest % config.rounds_per_cycle
