"""The platform's own keys and certificates: CEK, OCA, PEK and PDH."""

import dataclasses

from cbit_model.sev.certificate import body_of, signature_slot, signed_certificate
from cbit_model.sev.constants import API_MAJOR, API_MINOR, Algorithm, Usage
from cbit_model.sev.drbg import Drbg
from cbit_model.sev.p384 import PRIVATE_SEED_BYTES, PrivateKey, private_number
from cbit_model.sev.session import mac

__all__ = ["Chip", "Identity", "draw_key", "with_new_pdh", "with_new_pek"]


class Chip:
    """What a device secret gives: the CEK and the ID.

    Parameters
    ----------
    secret : :class:`bytes`
        32 bytes.

    Raises
    ------
    ValueError
        If it is of another length.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise ValueError(f"Device secret must be 32 bytes, not {len(secret)}")
        seed = mac(secret, b"cbit-cek\0") + mac(secret, b"cbit-cek\1")
        self.secret = secret
        self.key = PrivateKey(private_number(seed[:PRIVATE_SEED_BYTES]))
        self.certificate = signed_certificate(
            body_of(usage=Usage.CEK, algorithm=Algorithm.ECDSA_SHA256, point=self.key.point))
        self.identifier = mac(secret, b"cbit-id") + bytes(32)


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """The keys below the CEK.

    Parameters
    ----------
    oca : :class:`~cbit_model.sev.p384.PrivateKey` or :data:`None`
        The owner's key; :data:`None` if another owns the platform.
    pek : :class:`~cbit_model.sev.p384.PrivateKey`
        Endorses the platform.
    pdh : :class:`~cbit_model.sev.p384.PrivateKey` or :data:`None`
        Agrees on secrets; :data:`None` between SHUTDOWN and INIT.
    """

    oca: PrivateKey | None
    oca_certificate: bytes
    pek: PrivateKey
    pek_certificate: bytes
    pdh: PrivateKey | None = None
    pdh_certificate: bytes = b""

    @classmethod
    def draw(cls, chip: Chip, drbg: Drbg) -> "Identity":
        """A platform that owns itself: OCA, then PEK."""
        oca = draw_key(drbg)
        body = body_of(usage=Usage.OCA, algorithm=Algorithm.ECDSA_SHA256, point=oca.point)
        certificate = signed_certificate(body, signature_slot(Usage.OCA, oca.sign(body)))
        return cls(oca, certificate, *_draw_pek(chip, oca, drbg))

    def secrets(self) -> list[bytes]:
        """Every private number, big-endian."""
        return [key.number.to_bytes(48, "big") for key in (self.oca, self.pek, self.pdh) if key is not None]


def draw_key(drbg: Drbg) -> PrivateKey:
    """A private key by one request."""
    return PrivateKey(private_number(drbg.generate(PRIVATE_SEED_BYTES)))


def with_new_pek(identity: Identity, chip: Chip, drbg: Drbg) -> Identity:
    """The same owner with another PEK."""
    assert identity.oca is not None
    pek, certificate = _draw_pek(chip, identity.oca, drbg)
    return dataclasses.replace(identity, pek=pek, pek_certificate=certificate)


def with_new_pdh(identity: Identity, drbg: Drbg) -> Identity:
    """The same PEK with another PDH."""
    pdh = draw_key(drbg)
    body = body_of(usage=Usage.PDH, algorithm=Algorithm.ECDH_SHA256, point=pdh.point)
    certificate = signed_certificate(body, signature_slot(Usage.PEK, identity.pek.sign(body)))
    return dataclasses.replace(identity, pdh=pdh, pdh_certificate=certificate)


def _draw_pek(chip: Chip, oca: PrivateKey, drbg: Drbg) -> tuple[PrivateKey, bytes]:
    pek = draw_key(drbg)
    body = body_of(usage=Usage.PEK, algorithm=Algorithm.ECDSA_SHA256, point=pek.point, api=(API_MAJOR, API_MINOR))
    slots = signature_slot(Usage.OCA, oca.sign(body)), signature_slot(Usage.CEK, chip.key.sign(body))
    return pek, signed_certificate(body, *slots)
