"""What an owner makes and checks around a launch: session, measurement, secret, report."""

import dataclasses
import hashlib
import hmac
import secrets
from collections.abc import Callable

from cbit_model.sev.certificate import body_of, signed_certificate
from cbit_model.sev.constants import API_MAJOR, API_MINOR, BUILD, SECRET_LIMIT_BYTES, Algorithm, Usage
from cbit_model.sev.layouts import REPORT, SECRET_HEADER, SESSION, SIGNED_REPORT_BYTES
from cbit_model.sev.owner.distrust import DistrustError
from cbit_model.sev.owner.openssl import ecdh, ecdsa_is_good, public_point_of
from cbit_model.sev.p384 import PRIVATE_SEED_BYTES, Signature, private_number
from cbit_model.sev.session import KEY_BYTES, counter_mode, mac, measurement_mac, policy_mac, secret_mac, session_keys

__all__ = ["OwnerSession", "Secret", "check_measurement", "check_report", "new_session", "package_secret"]

_BLOCK_BYTES = 16
_DIGEST_BYTES = 32


@dataclasses.dataclass(frozen=True, slots=True)
class OwnerSession:
    """What LAUNCH_START takes, and what the owner keeps.

    Parameters
    ----------
    dh_certificate, session : :class:`bytes`
        For the host.
    tek, tik : :class:`bytes`
        For the owner alone: they open and vouch for everything that is sent.
    """

    dh_certificate: bytes
    session: bytes
    tek: bytes
    tik: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Secret:
    """What LAUNCH_SECRET takes."""

    header: bytes
    payload: bytes


def new_session(pdh: tuple[int, int], policy: int,
                random: Callable[[int], bytes] = secrets.token_bytes) -> OwnerSession:
    """A session with a PDH that has been verified.

    Parameters
    ----------
    pdh : pair of :class:`int`
        The platform's key.
    policy : :class:`int`
        The only policy that a guest can be launched with.
    random : callable
        Gives as many random bytes as asked for.
    """
    private = private_number(random(PRIVATE_SEED_BYTES))
    tek, tik, nonce, iv = (random(KEY_BYTES) for _ in range(4))
    kek, kik = session_keys(ecdh(private, pdh), nonce)
    wrapped = counter_mode(kek, iv, tek + tik)
    body = body_of(usage=Usage.PDH, algorithm=Algorithm.ECDH_SHA256, point=public_point_of(private))
    session = SESSION.pack(nonce=nonce, wrapped=wrapped, iv=iv, wrap_mac=mac(kik, wrapped),
                           policy_mac=policy_mac(tik, policy))
    return OwnerSession(signed_certificate(body), session, tek, tik)


def check_measurement(measurement: bytes, *, tik: bytes, policy: int, image: bytes,
                      version: tuple[int, int, int] = (API_MAJOR, API_MINOR, BUILD)) -> None:
    """Refuses a guest that was not launched from an image, under a policy, by a PSP of a version.

    A measurement is of bytes in their order, not of addresses: the host has chosen where in memory they lie.

    Raises
    ------
    DistrustError
        If the measurement is another.
    """
    if len(measurement) != _DIGEST_BYTES + KEY_BYTES:
        raise DistrustError(f"Measurement must be {_DIGEST_BYTES + KEY_BYTES} bytes, not {len(measurement)}")
    wanted = measurement_mac(tik, policy=policy, digest=hashlib.sha256(image).digest(),
                             mnonce=measurement[_DIGEST_BYTES:], version=version)
    if not hmac.compare_digest(wanted, measurement[:_DIGEST_BYTES]):
        raise DistrustError("Measurement is not that of this image, policy, version and session: "
                            "the guest must not be trusted")


def package_secret(plaintext: bytes, *, tek: bytes, tik: bytes, measurement: bytes,
                   random: Callable[[int], bytes] = secrets.token_bytes) -> Secret:
    """A secret for a guest whose measurement has been checked; zeros fill its last block.

    The host chooses where in the guest's memory it goes.

    Raises
    ------
    ValueError
        If it is empty, or too long for LAUNCH_SECRET.
    """
    if not 0 < len(plaintext) <= SECRET_LIMIT_BYTES:
        raise ValueError(f"Secret must be 1 to {SECRET_LIMIT_BYTES} bytes, not {len(plaintext)}")
    iv = random(_BLOCK_BYTES)
    payload = counter_mode(tek, iv, plaintext + bytes(-len(plaintext) % _BLOCK_BYTES))
    unsigned = SECRET_HEADER.pack(iv=iv)
    header_mac = secret_mac(tik, header=unsigned, ciphertext=payload, measurement=measurement[:_DIGEST_BYTES])
    return Secret(SECRET_HEADER.pack(iv=iv, mac=header_mac), payload)


def check_report(report: bytes, *, pek: tuple[int, int], mnonce: bytes, policy: int, image: bytes) -> None:
    """Refuses a report that a PEK did not sign, or that is of another image, policy or question.

    A report names no guest: it says that some guest of the platform, whoever launched it, was launched so.

    Raises
    ------
    DistrustError
        With what is wrong.
    """
    if len(report) != REPORT.size:
        raise DistrustError(f"Report must be {REPORT.size} bytes, not {len(report)}")
    numbers = {name: REPORT.number(report, name) for name in REPORT.numbers}
    fields = {name: REPORT.string(report, name) for name in REPORT.strings}
    signature = Signature(int.from_bytes(fields["r"], "little"), int.from_bytes(fields["s"], "little"))
    if (numbers["usage"], numbers["algorithm"]) != (Usage.PEK, Algorithm.ECDSA_SHA256):
        raise DistrustError("Report must be signed by a PEK with ECDSA and SHA-256, not otherwise")
    if not ecdsa_is_good(pek, report[:SIGNED_REPORT_BYTES], signature):
        raise DistrustError("Report must be signed by the platform's PEK: the signature is wrong")
    if fields["mnonce"] != mnonce:
        raise DistrustError("Report must answer this nonce, not another")
    if numbers["policy"] != policy:
        raise DistrustError(f"Report must be of a guest of policy {policy:#x}, not {numbers['policy']:#x}")
    if not hmac.compare_digest(fields["digest"], hashlib.sha256(image).digest()):
        raise DistrustError("Report must be of a guest launched from this image, not from another")
