"""`cbit owner`: what the owner of a guest does, away from the host that runs it."""

from pathlib import Path

import click

from cbit_cli.group import CommandGroup
from cbit_cli.ownership.inputs import (
    FILE,
    FOLDER,
    HexBytes,
    policy_option,
    read_image,
    read_keys,
    read_root,
    refusals,
    root_option,
    tell_development,
    tk_option,
    version_option,
    write_private,
)
from cbit_model.sev.owner.chain import verified_pdh, verified_pek
from cbit_model.sev.owner.development import DEVELOPMENT_DEVICE_SECRET, DevelopmentRoot
from cbit_model.sev.owner.launch import check_measurement, check_report, new_session, package_secret
from cbit_model.sev.policy import policy_words

__all__ = ["owner"]

_NONCE_BYTES = 16
_DEVICE_SECRET_BYTES = 32


@click.group(cls=CommandGroup)
def owner() -> None:
    """Verify a platform and launch a guest on it, without trusting its host.

    All files are in the binary formats of the SEV API, so that they serve with any implementation. In order:

    \b
      cbit owner root        Cbit's development keys in the place of a maker's
      cbit owner chain       is this platform what it says?
      cbit owner session     keys that only this platform can unwrap
      cbit owner verify      was my guest launched, and nothing else?
      cbit owner secret      now it may have my secret
      cbit owner verify-report  does some guest of this platform come from my image?

    What does not prove what it should ends with status 2 and a line that says what is wrong. Where the device secret is
    the one for development, which everybody knows, a line says so.

    Two things the SEV API never proves. A measurement is of bytes in their order, not of addresses: the host chooses
    where in the guest's memory they lie, and where LAUNCH_SECRET puts its data. And a report names no guest.
    """


@owner.command()
@click.option("--device-secret", metavar="HEX", type=HexBytes(_DEVICE_SECRET_BYTES), default=DEVELOPMENT_DEVICE_SECRET,
              show_default=DEVELOPMENT_DEVICE_SECRET.hex(), help="What the device has in its fuses: 64 digits.")
@click.argument("folder", metavar="FOLDER", type=FOLDER)
def root(device_secret: bytes, folder: Path) -> None:
    """Write the development ARK and ASK, and a device's CEK with the ASK's signature, into FOLDER.

    These keys are Cbit's own, made of a seed that everyone knows: whoever wants can sign with them. They serve to
    develop and to simulate, and prove nothing about hardware.
    """
    development = DevelopmentRoot()
    write_private(folder, {"ark.cert": development.ark, "ask.cert": development.ask,
                           "cek.cert": development.signed_cek(device_secret)})
    click.echo("cbit: development keys: they prove nothing about hardware", err=True)


@owner.command()
@root_option
@click.argument("pdh", metavar="PDH", type=FILE)
@click.argument("certificates", metavar="CHAIN", type=FILE)
def chain(root: Path, pdh: Path, certificates: Path) -> None:
    """Verify every signature from the ARK down to the PDH.

    PDH and CHAIN are what PDH_CERT_EXPORT wrote. ARK signs itself and ASK, ASK signs CEK, OCA itself, OCA and CEK
    sign PEK, PEK signs PDH.
    """
    trusted = read_root(root)
    with refusals():
        verified_pdh(trusted, certificates.read_bytes(), pdh.read_bytes())
    tell_development(trusted)
    click.echo("ARK, ASK, CEK, OCA, PEK and PDH are good")


@owner.command()
@root_option
@policy_option
@click.argument("pdh", metavar="PDH", type=FILE)
@click.argument("certificates", metavar="CHAIN", type=FILE)
@click.argument("folder", metavar="FOLDER", type=FOLDER)
def session(root: Path, policy: int, pdh: Path, certificates: Path, folder: Path) -> None:
    """Verify the platform, and write dh.cert, session.bin and tk.bin into FOLDER.

    dh.cert and session.bin are for the host, which gives them to LAUNCH_START with this policy and no other. tk.bin,
    TEK and TIK, is for you alone. Make a new session for each launch.
    """
    trusted = read_root(root)
    with refusals():
        made = new_session(verified_pdh(trusted, certificates.read_bytes(), pdh.read_bytes()), policy)
    write_private(folder, {"dh.cert": made.dh_certificate, "session.bin": made.session, "tk.bin": made.tek + made.tik})
    tell_development(trusted)
    click.echo(f"policy {policy_words(policy)}")


@owner.command()
@tk_option
@policy_option
@version_option
@click.argument("measurement", metavar="MEASUREMENT", type=FILE)
@click.argument("image", metavar="IMAGE", type=FILE)
def verify(keys_file: Path, policy: int, version: tuple[int, int, int], measurement: Path, image: Path) -> None:
    """Check that the session's guest was launched from the bytes of IMAGE in their order, and nothing else.

    MEASUREMENT is what LAUNCH_MEASURE wrote, 48 bytes. It holds no addresses: the same bytes in the same order at other
    places measure the same.
    """
    _, tik = read_keys(keys_file)
    with refusals():
        check_measurement(measurement.read_bytes(), tik=tik, policy=policy, image=read_image(image), version=version)
    click.echo("measurement is good")


@owner.command()
@tk_option
@policy_option
@version_option
@click.argument("measurement", metavar="MEASUREMENT", type=FILE)
@click.argument("image", metavar="IMAGE", type=FILE)
@click.argument("plaintext", metavar="SECRET", type=FILE)
@click.argument("folder", metavar="FOLDER", type=FOLDER)
def secret(keys_file: Path, policy: int, version: tuple[int, int, int], measurement: Path, image: Path,
           plaintext: Path, folder: Path) -> None:
    """Check the measurement as `verify` does, and write header.bin and payload.bin for LAUNCH_SECRET into FOLDER.

    SECRET has at most 4096 bytes; zeros fill its last block of 16. The host chooses where in the guest's memory
    LAUNCH_SECRET puts it.
    """
    tek, tik = read_keys(keys_file)
    measured = measurement.read_bytes()
    with refusals():
        check_measurement(measured, tik=tik, policy=policy, image=read_image(image), version=version)
        packet = package_secret(plaintext.read_bytes(), tek=tek, tik=tik, measurement=measured)
    write_private(folder, {"header.bin": packet.header, "payload.bin": packet.payload})
    click.echo(f"{len(packet.payload)} bytes for the guest")


@owner.command("verify-report")
@root_option
@policy_option
@click.option("--mnonce", metavar="HEX", type=HexBytes(_NONCE_BYTES), required=True,
              help="What you asked the host to give to ATTESTATION, 32 digits.")
@click.argument("report", metavar="REPORT", type=FILE)
@click.argument("certificates", metavar="CHAIN", type=FILE)
@click.argument("image", metavar="IMAGE", type=FILE)
def verify_report(root: Path, policy: int, mnonce: bytes, report: Path, certificates: Path, image: Path) -> None:
    """Check that some guest on the platform of CHAIN was launched from IMAGE under POLICY.

    CHAIN is verified too, and its PEK's signature on REPORT. A report names no guest: one that the host has launched
    itself, without you or your session, from the same IMAGE under the same POLICY gives the same. What only your guest
    knows is what you sent it by LAUNCH_SECRET after `verify`.
    """
    trusted = read_root(root)
    with refusals():
        pek = verified_pek(trusted, certificates.read_bytes())
        check_report(report.read_bytes(), pek=pek, mnonce=mnonce, policy=policy, image=read_image(image))
    tell_development(trusted)
    click.echo("report is good")
