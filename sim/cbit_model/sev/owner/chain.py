"""Whether a platform is what it says: from the ARK down to its PDH."""

import dataclasses

from cbit_model.sev.certificate import (
    CERTIFICATE_BYTES,
    SIGNED_BYTES,
    find_signature,
    is_good,
    public_point,
    signature_of,
)
from cbit_model.sev.constants import Algorithm, Usage
from cbit_model.sev.owner.distrust import DistrustError
from cbit_model.sev.owner.openssl import ecdsa_is_good
from cbit_model.sev.owner.root import RootCertificate, asks_signature_is_good

__all__ = ["Root", "verified_pdh", "verified_pek"]


@dataclasses.dataclass(frozen=True, slots=True)
class Root:
    """What a chain ends in.

    Parameters
    ----------
    ark, ask : :class:`bytes`
        Certificates of the ARK, which the owner trusts, and of the ASK.
    cek : :class:`bytes`
        The device's CEK with the ASK's signature.
    """

    ark: bytes
    ask: bytes
    cek: bytes


def verified_pek(root: Root, chain: bytes) -> tuple[int, int]:
    """The key of a PEK that a true device endorses.

    Parameters
    ----------
    root : :class:`Root`
        Where trust comes from.
    chain : :class:`bytes`
        PEK, OCA and CEK, as PDH_CERT_EXPORT gives them.

    Raises
    ------
    DistrustError
        With the first certificate that is wrong.
    """
    if len(chain) != 3 * CERTIFICATE_BYTES:
        raise DistrustError(f"Chain must be {3 * CERTIFICATE_BYTES} bytes, PEK, OCA and CEK, not {len(chain)}")
    pek, oca, cek = (chain[start:start + CERTIFICATE_BYTES] for start in range(0, len(chain), CERTIFICATE_BYTES))
    ark, ask = RootCertificate.parse(root.ark, "ARK"), RootCertificate.parse(root.ask, "ASK")
    ark.require("ARK", Usage.ARK, ark, "ARK")
    ask.require("ASK", Usage.ASK, ark, "ARK")
    _require_good(root.cek, Usage.CEK, Algorithm.ECDSA_SHA256)
    if not asks_signature_is_good(root.cek, ask):
        raise DistrustError("CEK must be signed by the key of ASK: the signature is wrong or missing")
    if cek[:SIGNED_BYTES] != root.cek[:SIGNED_BYTES]:
        raise DistrustError("Chain must be of the device whose CEK the ASK has signed, not of another")
    _require_good(oca, Usage.OCA, Algorithm.ECDSA_SHA256)
    _require_signed(oca, "OCA", Usage.OCA, oca)
    _require_good(pek, Usage.PEK, Algorithm.ECDSA_SHA256)
    _require_signed(pek, "PEK", Usage.OCA, oca)
    _require_signed(pek, "PEK", Usage.CEK, cek)
    return public_point(pek)


def verified_pdh(root: Root, chain: bytes, pdh: bytes) -> tuple[int, int]:
    """The key of a PDH that a true device endorses.

    Parameters
    ----------
    root : :class:`Root`
        Where trust comes from.
    chain, pdh : :class:`bytes`
        As PDH_CERT_EXPORT gives them.

    Raises
    ------
    DistrustError
        With the first certificate that is wrong.
    """
    verified_pek(root, chain)
    _require_good(pdh, Usage.PDH, Algorithm.ECDH_SHA256)
    _require_signed(pdh, "PDH", Usage.PEK, chain[:CERTIFICATE_BYTES])
    return public_point(pdh)


def _require_good(certificate: bytes, usage: Usage, algorithm: Algorithm) -> None:
    if len(certificate) != CERTIFICATE_BYTES:
        raise DistrustError(f"{usage.name} must be {CERTIFICATE_BYTES} bytes, not {len(certificate)}")
    if not is_good(certificate, usage=usage, algorithm=algorithm):
        raise DistrustError(f"{usage.name} must be a certificate of version 1, usage {usage:#x}, algorithm "
                            f"{algorithm:#x} and a point of P-384")


def _require_signed(certificate: bytes, name: str, signer: Usage, signer_certificate: bytes) -> None:
    slot = find_signature(certificate, signer)
    point = public_point(signer_certificate)
    if slot is None or not ecdsa_is_good(point, certificate[:SIGNED_BYTES], signature_of(slot)):
        raise DistrustError(f"{name} must be signed by the key of {signer.name}: the signature is wrong or missing")
