"""The options that choose an engine: a preset, and changes to it."""

import dataclasses
import enum
import typing
from collections.abc import Callable, Sequence

import click

from cbit.config import DEFAULT_PRESET, PRESETS, EngineConfig, SBox, preset

__all__ = ["configuration_options", "configure", "parse_setting"]

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


def configure(preset_name: str, settings: Sequence[str]) -> EngineConfig:
    """The configuration that the options ask for. An engine of all rounds keeps all of them when their number changes.

    Raises
    ------
    click.UsageError
        If there is no such preset or parameter, or a value is outside its range.
    """
    changes = dict(parse_setting(setting) for setting in settings)
    try:
        base = preset(preset_name)
        if base.unroll_rounds == base.rounds:
            changes.setdefault("unroll", None)
        return dataclasses.replace(base, **changes)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


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
