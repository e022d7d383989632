"""`cbit psp`: what the host of a platform does, by the mailbox alone, as a driver."""

import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cbit_cli.group import CommandGroup
from cbit_cli.hosting.inputs import (
    Number,
    launch_options,
    out_option,
    platform_options,
    read_secret,
    read_session,
    require_outputs,
    write_outputs,
)
from cbit_cli.hosting.launching import IMAGE_ADDRESS, Launch, Launched, launch, require_fit
from cbit_cli.hosting.running import running, telling
from cbit_cli.hosting.shell import Shell
from cbit_cli.ownership.inputs import FILE, ROOT_FILES, HexBytes, policy_option, read_image
from cbit_model.sev.constants import Command, PlatformState
from cbit_model.sev.owner.development import DEVELOPMENT_DEVICE_SECRET, DevelopmentRoot
from cbit_model.sev.policy import policy_words
from cbit_sim.platforms import PlatformKind

__all__ = ["psp"]

_NONCE_BYTES = 16
_ID_BYTES = 64
_CERTIFICATES = ("pdh.cert", "chain.cert")
_REPORT = ("report.bin", "chain.cert")
_LAUNCHED = ("measurement.bin", *_REPORT)
_PAGE_BYTES = 4096

_Command = Callable[..., Any]


@click.group(cls=CommandGroup)
def psp() -> None:
    """Drive a simulated platform by the mailbox of its PSP, as the host's driver does.

    The platform is the gateware with its firmware, in Verilator: the PSP boots, and takes a minute for a launch; the
    simulation is built once. With the same seed and the same commands all keys are the same, so that what a guest's
    owner has made for one run (cbit owner) serves in the next:

    \b
      cbit psp certs --out p
      cbit owner session --root p --policy no-debug p/pdh.cert p/chain.cert o
      cbit psp launch image.bin --policy no-debug --session o/session.bin --dh-cert o/dh.cert --out p
      cbit owner secret --tk o/tk.bin --policy no-debug p/measurement.bin image.bin secret.txt o
      cbit psp launch ... --secret-header o/header.bin --secret o/payload.bin --mnonce HEX
      cbit owner verify-report --root p --policy no-debug --mnonce HEX p/report.bin p/chain.cert image.bin
    """


@psp.command()
@platform_options
def status(kind: PlatformKind, seed: int) -> None:
    """Boot the platform and print what it says of itself."""
    with running(kind, seed) as platform, telling():
        reply = platform.host.must(Command.PLATFORM_STATUS)
        address = platform.host.area(0)
        platform.host.must(Command.GET_ID, address=address, length=_ID_BYTES)
        identifier = platform.memory.read(address, _ID_BYTES, 0)
    build = reply.number("config") >> 24
    click.echo(f"api {reply.number('api_major')}.{reply.number('api_minor')}.{build}")
    click.echo(f"state {PlatformState(reply.number('state')).name.lower()}")
    click.echo(f"owner {'another' if reply.number('owner') else 'itself'}")
    click.echo(f"guests {reply.number('guests')}")
    click.echo(f"id {identifier.hex()}")


@psp.command()
@platform_options
@click.option("--out", "folder", metavar="FOLDER", required=True,
              type=click.Path(exists=True, file_okay=False, path_type=Path), help="Where the files go.")
def certs(kind: PlatformKind, seed: int, folder: Path) -> None:
    """Write the platform's certificates into FOLDER, and the root by which its owner verifies them.

    pdh.cert and chain.cert are what PDH_CERT_EXPORT gives; ark.cert, ask.cert and cek.cert are Cbit's development root,
    as of `cbit owner root`.
    """
    require_outputs(folder, (*_CERTIFICATES, *ROOT_FILES), ())
    with running(kind, seed) as platform, telling():
        platform.host.must(Command.INIT)
        exported = platform.host.export()
    development = DevelopmentRoot()
    root = development.ark, development.ask, development.signed_cek(DEVELOPMENT_DEVICE_SECRET)
    write_outputs(folder, dict(zip((*_CERTIFICATES, *ROOT_FILES), (*exported, *root), strict=True)))
    click.echo(", ".join((*_CERTIFICATES, *ROOT_FILES)))
    click.echo("cbit: development keys: they prove nothing about hardware", err=True)


@psp.command("launch")
@platform_options
@policy_option
@launch_options
@click.option("--secret-header", "header", metavar="FILE", type=FILE, help="header.bin of the owner's secret.")
@click.option("--secret", "payload", metavar="FILE", type=FILE, help="payload.bin of the owner's secret.")
@click.option("--guest-address", metavar="N", type=Number(),
              help="Where in the guest's memory the secret goes; by default on the page after the image, which lies "
                   f"from {IMAGE_ADDRESS:#x} on.")
@click.option("--mnonce", metavar="HEX", type=HexBytes(_NONCE_BYTES),
              help="What the report is to answer, 32 digits; by default random.")
@out_option("For measurement.bin, report.bin and chain.cert.")
@click.argument("image", metavar="FILE", type=FILE)
def launch_command(kind: PlatformKind, seed: int, policy: int, session: Path | None, dh_certificate: Path | None,
                   header: Path | None, payload: Path | None, guest_address: int | None, mnonce: bytes | None,
                   folder: Path | None, image: Path) -> None:
    """Launch a guest from FILE: measure it, give it its secret, start it, and attest it."""
    content = read_image(image)
    after = IMAGE_ADDRESS + -(-len(content) // _PAGE_BYTES) * _PAGE_BYTES
    plan = Launch(content, policy, read_session(session, dh_certificate), read_secret(header, payload),
                  after if guest_address is None else guest_address, mnonce or secrets.token_bytes(_NONCE_BYTES))
    require_outputs(folder, _LAUNCHED, (image, session, dh_certificate, header, payload))
    launched = _launch(kind, seed, plan)
    write_outputs(folder, dict(zip(_LAUNCHED, (launched.measurement, launched.report, launched.chain), strict=True)))
    click.echo(f"policy {policy_words(policy)}")
    click.echo(f"measurement {launched.measurement.hex()}")
    if plan.secret is not None:
        click.echo(f"secret {len(plan.secret.payload)} bytes at {plan.secret_address:#x}")
    _print_report(launched.report)


@psp.command()
@platform_options
@policy_option
@launch_options
@click.option("--mnonce", metavar="HEX", type=HexBytes(_NONCE_BYTES), required=True,
              help="What the report is to answer, 32 digits.")
@out_option("For report.bin and chain.cert.")
@click.argument("image", metavar="FILE", type=FILE)
def attest(kind: PlatformKind, seed: int, policy: int, session: Path | None, dh_certificate: Path | None,
           mnonce: bytes, folder: Path | None, image: Path) -> None:
    """Launch a guest from FILE as `launch` does, without a secret, and attest it with its owner's nonce."""
    plan = Launch(read_image(image), policy, read_session(session, dh_certificate), None, 0, mnonce)
    require_outputs(folder, _REPORT, (image, session, dh_certificate))
    launched = _launch(kind, seed, plan)
    write_outputs(folder, dict(zip(_REPORT, (launched.report, launched.chain), strict=True)))
    _print_report(launched.report)


@psp.command()
@platform_options
def shell(kind: PlatformKind, seed: int) -> None:
    """Take commands line by line from standard input; `help` lists them.

    From a file or a pipe, the first line that can not be understood ends it.
    """
    is_interactive = sys.stdin.isatty()
    with running(kind, seed) as platform:
        Shell(platform).run(is_interactive=is_interactive)


def _launch(kind: PlatformKind, seed: int, plan: Launch) -> Launched:
    require_fit(plan)
    with running(kind, seed) as platform, telling():
        return launch(platform, plan)


def _print_report(report: bytes) -> None:
    click.echo(f"mnonce {report[:_NONCE_BYTES].hex()}")
    click.echo(f"digest {report[_NONCE_BYTES:3 * _NONCE_BYTES].hex()}")
    click.echo(f"report {report.hex()}")
