"""``cbit model``: what the engine leaves in DRAM for a file, and back."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

import click
from rich.console import Console
from rich.progress import Progress

from cbit_cli.group import CommandGroup
from cbit_model.xts import BLOCK_BYTES, XtsKey

__all__ = ["model"]

_CHUNK_BYTES = 4 * 1024 * 1024
_ADDRESS_LIMIT = 1 << 64

_Command: TypeAlias = Callable[..., None]


def _parse_key(_context: click.Context, _parameter: click.Parameter, value: str) -> bytes:
    """The bytes of a key. What is refused is never repeated: it may be most of a key."""
    try:
        key = bytes.fromhex(value)
    except ValueError:
        raise click.BadParameter("must be pairs of hexadecimal digits.") from None
    if len(key) not in (16, 32):
        raise click.BadParameter(f"must be 16 or 32 bytes in hexadecimal, not {len(key)}.")
    return key


def _parse_address(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    try:
        address = int(value, 16 if value.lower().startswith("0x") else 10)
    except ValueError:
        raise click.BadParameter(f"must be a number, decimal or hexadecimal after 0x, not {value!r}.") from None
    if address % BLOCK_BYTES or not 0 <= address < _ADDRESS_LIMIT:
        raise click.BadParameter(f"must be a multiple of {BLOCK_BYTES} from 0 to below 2^64, not {value}.")
    return address


@click.group(cls=CommandGroup)
def model() -> None:
    """Encrypt and decrypt files as the engine does memory."""


def _arguments(command: _Command) -> _Command:
    """The options and arguments that both directions share."""
    for decorate in reversed([
        click.option("--key", metavar="HEX", callback=_parse_key, required=True,
                     help="K1, for the data: 32 or 64 hexadecimal digits."),
        click.option("--tweak-key", metavar="HEX", callback=_parse_key, required=True,
                     help="K2, for the address: as long, and different."),
        click.option("--address", metavar="N", callback=_parse_address, default="0", show_default=True,
                     help="Where in DRAM the file begins, a multiple of 16, the C-bit cleared."),
        click.option("--data-unit-bytes", type=click.Choice(["64", "4096"]), default="64", show_default=True,
                     help="Bytes of an XTS data unit."),
        click.argument("source", metavar="IN", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
        click.argument("target", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path)),
    ]):
        command = decorate(command)
    return command


@model.command()
@_arguments
def encrypt(key: bytes, tweak_key: bytes, address: int, data_unit_bytes: str, source: Path, target: Path) -> None:
    """Write to OUT what DRAM holds for the plaintext in IN."""
    xts = _xts_key(key, tweak_key)
    _convert(xts.encrypt, address, int(data_unit_bytes), source, target)


@model.command()
@_arguments
def decrypt(key: bytes, tweak_key: bytes, address: int, data_unit_bytes: str, source: Path, target: Path) -> None:
    """Write to OUT the plaintext of what DRAM holds in IN."""
    xts = _xts_key(key, tweak_key)
    _convert(xts.decrypt, address, int(data_unit_bytes), source, target)


def _xts_key(key: bytes, tweak_key: bytes) -> XtsKey:
    try:
        return XtsKey(key, tweak_key)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error


def _convert(crypt: Callable[..., bytes], address: int, data_unit_bytes: int, source: Path, target: Path) -> None:
    """Stream ``source`` through ``crypt`` into ``target``, which is whole or as it was."""
    size = _checked_size(source, target, address)
    try:
        with source.open("rb") as reader, _replacing(target.resolve()) as writer, _progress(size) as advance:
            for offset in range(0, size, _CHUNK_BYTES):
                chunk = reader.read(min(_CHUNK_BYTES, size - offset))
                if len(chunk) != min(_CHUNK_BYTES, size - offset):
                    raise click.ClickException(f"{source} became shorter while it was read.")
                writer.write(crypt(chunk, address=address + offset, data_unit_bytes=data_unit_bytes))
                advance(len(chunk))
    except OSError as error:
        raise click.ClickException(f"{error.filename or target}: {error.strerror}.") from error


def _checked_size(source: Path, target: Path, address: int) -> int:
    """The bytes of ``source``, if it can be converted into ``target``."""
    if not source.is_file():
        raise click.UsageError(f"IN must be a regular file, and {source} is not.")
    if target.exists() and not target.is_file():
        raise click.UsageError(f"OUT must be a regular file, and {target} is not.")
    if target.exists() and target.samefile(source):
        raise click.UsageError("OUT must be another file than IN.")
    if not target.resolve().parent.is_dir():
        raise click.UsageError(f"OUT must be in a folder that exists, and {target.parent} does not.")
    size = source.stat().st_size
    if size % BLOCK_BYTES:
        raise click.UsageError(f"IN must be a multiple of {BLOCK_BYTES} bytes, and {source} is of {size}.")
    if address + size > _ADDRESS_LIMIT:
        raise click.UsageError(f"IN must end below 2^64, and {source} at address {address:#x} does not.")
    return size


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """A file that becomes ``target`` at the end, or vanishes if anything fails."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    with contextlib.ExitStack() as stack:
        writer = stack.enter_context(partial.open("xb"))
        stack.callback(partial.unlink, missing_ok=True)
        yield writer
        writer.close()
        partial.replace(target)


@contextlib.contextmanager
def _progress(size: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, where that is a terminal, and the function that advances it."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("model", total=size)
        yield lambda done: progress.advance(task, done)
