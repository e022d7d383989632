"""Keys, signatures and secrets over P-384: FIPS 186-5, RFC 6979, SP 800-56A. By pycryptodome."""

import dataclasses

from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS

from cbit_model.p384 import N, Point, is_on_curve

__all__ = [
    "NUMBER_BYTES", "PRIVATE_SEED_BYTES", "PrivateKey", "Signature", "is_public_point", "private_number", "verify",
]

NUMBER_BYTES = 48

PRIVATE_SEED_BYTES = 56
"""Random bytes that a private number is made of."""


@dataclasses.dataclass(frozen=True, slots=True)
class Signature:
    """The two numbers of an ECDSA signature."""

    r: int
    s: int


class PrivateKey:
    """A private key and its point.

    Parameters
    ----------
    number : :class:`int`
        The private number. 1 to below the order.

    Members
    -------
    number : :class:`int`
        As given.
    point : pair of :class:`int`
        The public key, x and y.
    """

    def __init__(self, number: int) -> None:
        if not 1 <= number < N:
            raise ValueError("Private number must be from 1 to below the order")
        self.number = number
        self._key = ECC.construct(curve="P-384", d=number)
        self.point = int(self._key.pointQ.x), int(self._key.pointQ.y)

    def sign(self, message: bytes) -> Signature:
        """ECDSA with SHA-256, its nonce by RFC 6979."""
        signature = DSS.new(self._key, "deterministic-rfc6979").sign(SHA256.new(message))
        r, s = signature[:NUMBER_BYTES], signature[NUMBER_BYTES:]
        return Signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))

    def shared_secret(self, point: tuple[int, int]) -> bytes:
        """x of the product with another's point, big-endian.

        Raises
        ------
        ValueError
            If that is not on the curve.
        """
        product = ECC.EccPoint(*point, curve="p384") * self.number
        return int(product.x).to_bytes(NUMBER_BYTES, "big")


def private_number(seed: bytes) -> int:
    """A private number of 56 random bytes (FIPS 186-5, A.2.1)."""
    return int.from_bytes(seed, "big") % (N - 1) + 1


def is_public_point(x: int, y: int) -> bool:
    """Whether both are below the prime and on the curve."""
    return is_on_curve(Point(x, y))


def verify(point: tuple[int, int], message: bytes, signature: Signature) -> bool:
    """Whether a signature is that of a message by the key of a point on the curve."""
    if not (1 <= signature.r < N and 1 <= signature.s < N):
        return False
    key = ECC.construct(curve="P-384", point_x=point[0], point_y=point[1])
    encoded = signature.r.to_bytes(NUMBER_BYTES, "big") + signature.s.to_bytes(NUMBER_BYTES, "big")
    try:
        DSS.new(key, "fips-186-3").verify(SHA256.new(message), encoded)
    except ValueError:
        return False
    return True
