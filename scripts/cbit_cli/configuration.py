"""The options that choose an engine: a preset, and changes to it."""

import dataclasses
import enum
import typing
from collections.abc import Callable, Mapping, Sequence

import click

from cbit.axi.beat import BLOCK_BITS
from cbit.config import DEFAULT_PRESET, PRESETS, EngineConfig, SBox, preset

__all__ = ["changed", "configuration_options", "configure", "parse_setting", "require_one_block", "settings_words"]

_Command = typing.TypeVar("_Command", bound=Callable[..., object])

_SWITCHES = {"true": True, "false": False}


def configuration_options(command: _Command) -> _Command:
    """Gives a command ``--preset`` and ``--set``, as arguments ``preset_name`` and ``settings``."""
    command = click.option(
        "--set", "settings", metavar="FIELD=VALUE", multiple=True,
        help="Change a parameter of the preset. May be given several times.")(command)
    return click.option(
        "--preset", "preset_name", metavar="NAME", default=DEFAULT_PRESET, show_default=True,
        help=f"One of {', '.join(PRESETS)}.")(command)


def configure(preset_name: str | None, settings: Sequence[str]) -> EngineConfig:
    """The configuration that the options ask for; without a preset, changes to the parameters' own defaults.

    Raises
    ------
    click.UsageError
        If there is no such preset or parameter, or a value is outside its range.
    """
    try:
        base = EngineConfig() if preset_name is None else preset(preset_name)
        return changed(base, dict(parse_setting(setting) for setting in settings))
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def changed(base: EngineConfig, changes: Mapping[str, typing.Any]) -> EngineConfig:
    """A configuration with changes and what follows from them, unless it is named, too.

    An engine of all rounds keeps all of them when their number changes, one with as many ways as usual those of its
    new number of ASIDs, and two rounds a cycle have no registers within.

    Raises
    ------
    ValueError
        If a value is outside its range.
    """
    follows: dict[str, typing.Any] = {}
    if base.unroll_rounds == base.rounds:
        follows["unroll"] = None
    if base.key_ways == EngineConfig(asid_count=base.asid_count).key_ways:
        follows["key_ways"] = None
    if changes.get("rounds_per_cycle", 1) > 1:
        follows["cycles_per_round"] = 1
    return dataclasses.replace(base, **{**follows, **changes})


def parse_setting(setting: str) -> tuple[str, typing.Any]:
    """The name and the value of ``FIELD=VALUE``. A value of the wrong kind stays text, for the parameter to refuse.

    Raises
    ------
    click.UsageError
        If there is no such parameter.
    """
    name, equals, text = setting.partition("=")
    defaults = {field.name: field.default for field in dataclasses.fields(EngineConfig)}
    if not equals:
        raise click.UsageError(f"--set must be FIELD=VALUE, not {setting!r}")
    if name not in defaults:
        raise click.UsageError(f"--set field must be one of {', '.join(defaults)}, not {name!r}")
    if isinstance(defaults[name], bool):
        return name, _SWITCHES.get(text, text)
    if isinstance(defaults[name], enum.Enum):
        return name, next((kind for kind in SBox if kind.value == text), text)
    try:
        return name, int(text, base=0)
    except ValueError:
        return name, text


def require_one_block(config: EngineConfig, why: str) -> None:
    """Refuses a bus that is wider than a block, for a command that can not work with one.

    Raises
    ------
    click.UsageError
        If it is.
    """
    if config.data_width != BLOCK_BITS:
        raise click.UsageError(f"data_width must be {BLOCK_BITS}, {why}, not {config.data_width}")


def settings_words(settings: Sequence[str]) -> list[str]:
    """The settings as a command line has them."""
    return [word for setting in settings for word in ("--set", setting)]
