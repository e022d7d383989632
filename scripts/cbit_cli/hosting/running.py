"""Platforms that tell how far they are, and end the command with one line where they fail."""

import contextlib
import functools
from collections.abc import Iterator
from typing import NoReturn

import click

from cbit_cli.hosting.telling import platform_progress
from cbit_cli.progress import stages
from cbit_model.sev.constants import Command, Status
from cbit_sim.firmware_build import FirmwareError
from cbit_sim.platforms import HostedPlatform, PlatformKind, open_platform
from cbit_sim.runner import BenchError
from cbit_sim.sev_host import UnexpectedStatusError
from cbit_sim.simulated_platform import PlatformStoppedError, Progress
from cbit_sim.simulators import BuildError, MissingToolError

__all__ = ["running", "telling"]

_REASONS = {
    (Command.LAUNCH_START, Status.BAD_MEASUREMENT): "the session is not for this platform's PDH and this policy",
    (Command.LAUNCH_START, Status.POLICY_FAILURE): "the platform can not keep this policy",
    (Command.LAUNCH_SECRET, Status.BAD_MEASUREMENT): "the secret is not for this launch and its measurement",
    (Command.LAUNCH_SECRET, Status.INVALID_ADDRESS): "the guest's address is not in its memory",
}


class _Teller:
    """Passes on what a platform tells, to the stages that are open."""

    def __init__(self) -> None:
        self.tell: Progress | None = None

    def __call__(self, text: str, cycles: int) -> None:
        if self.tell is not None:
            self.tell(text, cycles)


@functools.cache
def _teller() -> _Teller:
    """One for the process: its standard error is one, too."""
    return _Teller()


@contextlib.contextmanager
def telling() -> Iterator[None]:
    """Shows, while it lasts, what platforms are at."""
    with stages() as shown:
        _teller().tell = platform_progress(shown)
        try:
            yield
        finally:
            _teller().tell = None


@contextlib.contextmanager
def running(kind: PlatformKind, seed: int) -> Iterator[HostedPlatform]:
    """A platform that has booted. One that fails ends the command with status 1, a PSP that refuses with status 2."""
    try:
        with telling():
            platform = open_platform(kind, seed=seed, progress=_teller())
        with platform:
            yield platform
    except UnexpectedStatusError as error:
        reason = _REASONS.get((error.command, error.status))
        raise click.ClickException(f"{error}: {reason}." if reason else f"{error}.") from error
    except (BenchError, BuildError, FirmwareError, MissingToolError, PlatformStoppedError) as error:
        _fail(error)


def _fail(error: Exception) -> NoReturn:
    click.echo(f"cbit: {error}", err=True)
    raise click.exceptions.Exit(1) from error
