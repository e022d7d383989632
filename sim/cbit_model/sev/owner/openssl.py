"""P-384 and RSA as OpenSSL has them: what the owner's side trusts, apart from the model of the PSP."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from cbit_model.sev.p384 import Signature

__all__ = ["ecdh", "ecdsa_is_good", "public_point_of", "rsa_pss_is_good"]


def ecdsa_is_good(point: tuple[int, int], message: bytes, signature: Signature) -> bool:
    """Whether an ECDSA signature with SHA-256 is that of the key."""
    try:
        key = ec.EllipticCurvePublicNumbers(*point, ec.SECP384R1()).public_key()
        encoded = utils.encode_dss_signature(signature.r, signature.s)
        key.verify(encoded, message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def rsa_pss_is_good(modulus: int, exponent: int, message: bytes, signature: bytes) -> bool:
    """Whether an RSA-PSS signature, big-endian, is that of the key: with SHA-256 at 2048 bits, with SHA-384 above."""
    algorithm = hashes.SHA256() if modulus.bit_length() <= 2048 else hashes.SHA384()
    try:
        key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        scheme = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=padding.PSS.AUTO)
        key.verify(signature, message, scheme, algorithm)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_point_of(number: int) -> tuple[int, int]:
    """The public key of a private number."""
    numbers = ec.derive_private_key(number, ec.SECP384R1()).public_key().public_numbers()
    return numbers.x, numbers.y


def ecdh(number: int, point: tuple[int, int]) -> bytes:
    """x of the product, 48 bytes, big-endian."""
    other = ec.EllipticCurvePublicNumbers(*point, ec.SECP384R1()).public_key()
    return ec.derive_private_key(number, ec.SECP384R1()).exchange(ec.ECDH(), other)
