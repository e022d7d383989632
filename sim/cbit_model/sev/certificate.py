"""Certificates of the SEV API (Appendix C): bytes and their meaning, without keys."""

from cbit_model.sev.constants import Algorithm, Usage
from cbit_model.sev.p384 import Signature, is_public_point

__all__ = [
    "CERTIFICATE_BYTES", "FIELD_BYTES", "SIGNED_BYTES", "SLOT_BYTES", "body_of", "find_signature", "is_good",
    "public_point", "signature_of", "signature_slot", "signed_certificate",
]

CERTIFICATE_BYTES = 0x824
SIGNED_BYTES = 0x414
SLOT_BYTES = 0x208
"""What a signature takes, with its usage and algorithm."""
FIELD_BYTES = 0x48
"""What a number of P-384 takes in a structure: 48 bytes, then zeros."""

_VERSION = 1
_CURVE_P384 = 2
_X, _Y, _KEY_END = 0x14, 0x5C, 0xA4
_SLOTS = (0x414, 0x61C)
_EMPTY_SLOT = Usage.INVALID.to_bytes(4, "little") + bytes(SLOT_BYTES - 4)


def body_of(*, usage: Usage, algorithm: Algorithm, point: tuple[int, int], api: tuple[int, int] = (0, 0)) -> bytes:
    """The part of a certificate that is signed."""
    head = _VERSION.to_bytes(4, "little") + bytes([*api, 0, 0]) + _words(usage, algorithm, _CURVE_P384)
    return (head + b"".join(number.to_bytes(FIELD_BYTES, "little") for number in point)).ljust(SIGNED_BYTES, b"\0")


def signature_slot(usage: Usage, signature: Signature, algorithm: Algorithm = Algorithm.ECDSA_SHA256) -> bytes:
    """A slot with the signature of the key of a usage."""
    numbers = b"".join(number.to_bytes(FIELD_BYTES, "little") for number in (signature.r, signature.s))
    return (_words(usage, algorithm) + numbers).ljust(SLOT_BYTES, b"\0")


def signed_certificate(body: bytes, *slots: bytes) -> bytes:
    """A body with up to two slots of signatures; those that are not given are empty."""
    return body + b"".join((*slots, _EMPTY_SLOT, _EMPTY_SLOT)[:2])


def is_good(certificate: bytes, *, usage: Usage, algorithm: Algorithm) -> bool:
    """Whether a certificate is of a version, usage, algorithm and curve that is meant, its point on the curve, and all
    that is reserved zero. Signatures are not looked at."""
    words = [int.from_bytes(certificate[offset:offset + 4], "little") for offset in (0, 8, 0x0C, 0x10)]
    return (len(certificate) == CERTIFICATE_BYTES and words == [_VERSION, usage, algorithm, _CURVE_P384]
            and not any(certificate[6:8]) and not any(certificate[_KEY_END:SIGNED_BYTES])
            and is_public_point(*public_point(certificate)))


def public_point(certificate: bytes) -> tuple[int, int]:
    """x and y as they stand there, be they on the curve or not."""
    return (int.from_bytes(certificate[_X:_X + FIELD_BYTES], "little"),
            int.from_bytes(certificate[_Y:_Y + FIELD_BYTES], "little"))


def find_signature(certificate: bytes, usage: Usage, algorithm: Algorithm = Algorithm.ECDSA_SHA256) -> bytes | None:
    """The first slot of a usage and algorithm, whole."""
    for start in _SLOTS:
        slot = certificate[start:start + SLOT_BYTES]
        if slot[:8] == _words(usage, algorithm):
            return slot
    return None


def signature_of(slot: bytes) -> Signature:
    """The numbers of a slot, all bytes of their fields taken."""
    return Signature(int.from_bytes(slot[8:8 + FIELD_BYTES], "little"),
                     int.from_bytes(slot[8 + FIELD_BYTES:8 + 2 * FIELD_BYTES], "little"))


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in values)
