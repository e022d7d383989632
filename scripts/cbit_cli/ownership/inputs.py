"""Options and files that the owner's commands share."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from cbit_cli.files import require_writable, write_together
from cbit_model.sev.constants import API_MAJOR, API_MINOR, BUILD
from cbit_model.sev.owner.chain import Root
from cbit_model.sev.owner.development import is_development_device
from cbit_model.sev.owner.distrust import DistrustError
from cbit_model.sev.policy import parse_policy

__all__ = [
    "FILE", "FOLDER", "ROOT_FILES", "HexBytes", "policy_option", "read_image", "read_keys", "read_root", "refusals",
    "root_option", "tell_development", "tk_option", "version_option", "write_private",
]

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
ROOT_FILES = ("ark.cert", "ask.cert", "cek.cert")

_BLOCK_BYTES = 16
_KEY_BYTES = 16
_PARTS = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})")

_Command = Callable[..., Any]


class HexBytes(click.ParamType[bytes]):
    """As many bytes as there must be, in hexadecimal. What is refused is never repeated: it may be a secret."""

    name = "hex"

    def __init__(self, count: int) -> None:
        self.count = count

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        if not re.fullmatch(rf"[0-9a-fA-F]{{{2 * self.count}}}", value):
            self.fail(f"must be {self.count} bytes, {2 * self.count} hexadecimal digits.", param, ctx)
        return bytes.fromhex(value)


def _policy(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    try:
        return parse_policy(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


def _version(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[int, int, int]:
    parts = _PARTS.fullmatch(value)
    if parts is None or max(int(part) for part in parts.groups()) > 255:
        raise click.BadParameter(f"must be MAJOR.MINOR.BUILD, each below 256, not {value!r}.")
    return int(parts[1]), int(parts[2]), int(parts[3])


def root_option(command: _Command) -> _Command:
    """``--root``, as argument ``root``."""
    return click.option("--root", metavar="FOLDER", type=FOLDER, required=True,
                        help=f"Where {', '.join(ROOT_FILES)} are: the ARK that you trust, the ASK, and the device's "
                             "CEK with the ASK's signature.")(command)


def policy_option(command: _Command) -> _Command:
    """``--policy``, as argument ``policy``."""
    return click.option("--policy", metavar="POLICY", callback=_policy, required=True,
                        help="What the guest is launched with: a number, or words with commas between them, as "
                             "no-debug,no-send,api=0.24.")(command)


def tk_option(command: _Command) -> _Command:
    """``--tk``, as argument ``keys_file``."""
    return click.option("--tk", "keys_file", metavar="FILE", type=FILE, required=True,
                        help="tk.bin of the session: TEK and TIK.")(command)


def version_option(command: _Command) -> _Command:
    """``--api``, as argument ``version``."""
    return click.option("--api", "version", metavar="MAJOR.MINOR.BUILD", callback=_version, show_default=True,
                        default=f"{API_MAJOR}.{API_MINOR}.{BUILD}",
                        help="The version that you accept: with another the measurement is refused.")(command)


def read_root(folder: Path) -> Root:
    """The three files of a root.

    Raises
    ------
    click.UsageError
        If one is missing.
    """
    for name in ROOT_FILES:
        if not (folder / name).is_file():
            raise click.UsageError(f"Root must hold {', '.join(ROOT_FILES)}, and {folder / name} is not there.")
    ark, ask, cek = ((folder / name).read_bytes() for name in ROOT_FILES)
    return Root(ark, ask, cek)


def tell_development(root: Root) -> None:
    """Says so if the device's secret is known to all: then its signatures are good, and anyone's."""
    if is_development_device(root.cek):
        click.echo("cbit: the device secret is the one for development: anyone can sign for this device", err=True)


def read_keys(path: Path) -> tuple[bytes, bytes]:
    """TEK and TIK.

    Raises
    ------
    click.UsageError
        If the file is not both.
    """
    content = path.read_bytes()
    if len(content) != 2 * _KEY_BYTES:
        raise click.UsageError(f"TEK and TIK must be {2 * _KEY_BYTES} bytes, and {path} is of {len(content)}.")
    return content[:_KEY_BYTES], content[_KEY_BYTES:]


def read_image(path: Path) -> bytes:
    """What a guest is launched from.

    Raises
    ------
    click.UsageError
        If LAUNCH_UPDATE_DATA could not take it.
    """
    image = path.read_bytes()
    if not image or len(image) % _BLOCK_BYTES:
        raise click.UsageError(f"IMAGE must be a positive multiple of {_BLOCK_BYTES} bytes, and {path} is of "
                               f"{len(image)}.")
    return image


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Makes one line of what the owner does not trust, or can not use."""
    try:
        yield
    except (DistrustError, ValueError) as error:
        raise click.ClickException(f"{error}.") from error


def write_private(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Writes all files into a folder or none, readable by their owner alone."""
    for name in contents:
        require_writable(folder / name, "FOLDER's files")
    before = os.umask(0o077)
    try:
        write_together({folder / name: content for name, content in contents.items()})
    finally:
        os.umask(before)
