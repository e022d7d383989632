"""Options and files that the commands of the host share, looked at before anything is simulated."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from cbit_cli.files import require_writable, write_together
from cbit_cli.ownership.inputs import FILE, FOLDER
from cbit_model.sev.certificate import CERTIFICATE_BYTES, is_good
from cbit_model.sev.constants import SECRET_LIMIT_BYTES, Algorithm, Usage
from cbit_model.sev.layouts import SECRET_HEADER, SESSION
from cbit_model.sev.owner.launch import OwnerSession, Secret
from cbit_sim.platforms import PlatformKind

__all__ = [
    "Number", "launch_options", "out_option", "platform_options", "read_secret", "read_session", "require_outputs",
    "write_outputs",
]

_BLOCK_BYTES = 16
_SEEDS = (1 << 32) - 1
_ADDRESSES = 1 << 64

_Command = Callable[..., Any]


class Number(click.ParamType[int]):
    """A number of at most 64 bits, decimal or hexadecimal after 0x."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number = int(value, 0)
        except (TypeError, ValueError):
            number = -1
        if not 0 <= number < _ADDRESSES:
            self.fail(f"must be a number of at most 64 bits, such as 4096 or 0x1000, not {value!r}.", param, ctx)
        return number


def platform_options(command: _Command) -> _Command:
    """``--on`` and ``--seed``, as arguments ``kind`` and ``seed``."""
    command = click.option("--seed", metavar="N", type=click.IntRange(0, _SEEDS - 1), default=1, show_default=True,
                           help="Of the simulated entropy: the same seed and the same commands give the same keys.")(
                               command)
    return click.option("--on", "kind", type=click.Choice([kind.value for kind in PlatformKind]),
                        callback=lambda _context, _parameter, value: PlatformKind(value),
                        default=PlatformKind.RTL.value, show_default=True,
                        help="The gateware, simulated with its firmware; the firmware in this process; or the golden "
                             "model.")(command)


def launch_options(command: _Command) -> _Command:
    """``--session`` and ``--dh-cert``, as arguments ``session`` and ``dh_certificate``."""
    command = click.option("--dh-cert", "dh_certificate", metavar="FILE", type=FILE,
                           help="dh.cert of the owner's session.")(command)
    return click.option("--session", metavar="FILE", type=FILE,
                        help="session.bin of the owner's session. Without one the PSP makes keys that nobody knows.")(
                            command)


def out_option(text: str) -> Callable[[_Command], _Command]:
    """``--out``, as argument ``folder``."""
    return click.option("--out", "folder", metavar="FOLDER", type=FOLDER, help=text)


def read_session(session: Path | None, dh_certificate: Path | None) -> OwnerSession | None:
    """What LAUNCH_START is given of the owner's. A host has neither TEK nor TIK.

    Raises
    ------
    click.UsageError
        If there is one file without the other, or one is not what it should be.
    """
    if session is None or dh_certificate is None:
        if session is not dh_certificate:
            raise click.UsageError("--session and --dh-cert must be given together.")
        return None
    content = _exactly(session, SESSION.size, "Session")
    certificate = _exactly(dh_certificate, CERTIFICATE_BYTES, "DH certificate")
    if not is_good(certificate, usage=Usage.PDH, algorithm=Algorithm.ECDH_SHA256):
        raise click.UsageError(f"DH certificate must be of a key for ECDH on P-384, and {dh_certificate} is not.")
    return OwnerSession(certificate, content, b"", b"")


def read_secret(header: Path | None, payload: Path | None) -> Secret | None:
    """What LAUNCH_SECRET is given of the owner's.

    Raises
    ------
    click.UsageError
        If there is one file without the other, or one is not what it should be.
    """
    if header is None or payload is None:
        if header is not payload:
            raise click.UsageError("--secret-header and --secret must be given together.")
        return None
    content = payload.read_bytes()
    if not 0 < len(content) <= SECRET_LIMIT_BYTES or len(content) % _BLOCK_BYTES:
        raise click.UsageError(f"Secret must be a positive multiple of {_BLOCK_BYTES} bytes up to "
                               f"{SECRET_LIMIT_BYTES}, and {payload} is of {len(content)}.")
    return Secret(_exactly(header, SECRET_HEADER.size, "Secret header"), content)


def require_outputs(folder: Path | None, names: Iterable[str], inputs: Iterable[Path | None]) -> None:
    """Refuses, before any work, a folder that can not take the files, or where one of them is an input.

    Raises
    ------
    click.UsageError
        If so.
    """
    given = {path.resolve() for path in inputs if path is not None}
    for path in [folder / name for name in names] if folder is not None else []:
        require_writable(path, "FOLDER's files")
        if path.resolve() in given:
            raise click.UsageError(f"FOLDER must not have an input where an output goes, and {path} is one.")


def write_outputs(folder: Path | None, contents: Mapping[str, bytes]) -> None:
    """Writes all files into a folder, if there is one, or none."""
    if folder is not None:
        write_together({folder / name: content for name, content in contents.items()})


def _exactly(path: Path, size: int, name: str) -> bytes:
    content = path.read_bytes()
    if len(content) != size:
        raise click.UsageError(f"{name} must be {size} bytes, and {path} is of {len(content)}.")
    return content
