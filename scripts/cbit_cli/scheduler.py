"""The option that names a farm's scheduler."""

import re
import typing
from collections.abc import Callable

import click

__all__ = ["scheduler_option"]

_ADDRESS = re.compile(r"(?:[a-z]+://)?[^\s/:]+:\d+")

_Command = typing.TypeVar("_Command", bound=Callable[..., object])


def _checked(_context: click.Context, _parameter: click.Parameter, address: str | None) -> str | None:
    if address is not None and not _ADDRESS.fullmatch(address):
        raise click.UsageError(f"--scheduler must be an address such as tcp://host:8786, not {address!r}")
    return address


def scheduler_option(command: _Command) -> _Command:
    """Gives a command ``--scheduler``: an address, or :data:`None`."""
    return click.option(
        "--scheduler", metavar="ADDRESS", callback=_checked,
        help="Dask scheduler of a farm, such as tcp://host:8786, whose workers have this Cbit. Without it the cores of "
             "this machine work.")(command)
