"""Cbit's own ARK, ASK and device. **Anyone can make them**: they are for development, and prove nothing."""

import functools
import hashlib
import math
from collections.abc import Iterator

from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pss
from Crypto.Util.number import isPrime

from cbit_model.sev.certificate import SIGNED_BYTES, SLOT_BYTES, signed_certificate
from cbit_model.sev.constants import Algorithm, Usage
from cbit_model.sev.identity import Chip
from cbit_model.sev.owner.root import root_body

__all__ = ["DEVELOPMENT_DEVICE_SECRET", "DEVELOPMENT_SEED", "DevelopmentRoot", "is_development_device"]

DEVELOPMENT_SEED = b"Cbit development root: anyone can make these keys"
"""Of which both keys are made."""

DEVELOPMENT_DEVICE_SECRET = b"known to all: Cbit's development"
"""The secret of a device that is given no other."""

_KEY_BITS = 2048
_EXPONENT = 65537


def is_development_device(cek: bytes) -> bool:
    """Whether a certificate of a CEK is that of the device secret which everybody knows, whoever has signed it."""
    return cek[:SIGNED_BYTES] == Chip(DEVELOPMENT_DEVICE_SECRET).certificate[:SIGNED_BYTES]


class DevelopmentRoot:
    """The development ARK and ASK, the same at each making.

    Members
    -------
    ark, ask : :class:`bytes`
        Certificates, in the format of the SEV API's Appendix B.
    """

    def __init__(self) -> None:
        ark_key, self._ask_key = _rsa_key(b"ARK"), _rsa_key(b"ASK")
        self.ark = _certificate(b"ARK", Usage.ARK, ark_key, b"ARK", ark_key)
        self.ask = _certificate(b"ASK", Usage.ASK, self._ask_key, b"ARK", ark_key)

    def signed_cek(self, device_secret: bytes) -> bytes:
        """The certificate of a device's CEK, with the ASK's signature.

        Raises
        ------
        ValueError
            If the secret is not 32 bytes.
        """
        body = Chip(device_secret).certificate[:SIGNED_BYTES]
        head = Usage.ASK.to_bytes(4, "little") + Algorithm.RSA_SHA256.to_bytes(4, "little")
        return signed_certificate(body, (head + _sign(self._ask_key, body)[::-1]).ljust(SLOT_BYTES, b"\0"))


def _certificate(name: bytes, usage: Usage, key: RSA.RsaKey, signer_name: bytes, signer: RSA.RsaKey) -> bytes:
    body = root_body(key_id=_key_id(name), certifying_id=_key_id(signer_name), usage=usage, exponent=_EXPONENT,
                     modulus=key.n)
    return body + _sign(signer, body)[::-1]


def _key_id(name: bytes) -> bytes:
    return hashlib.sha256(DEVELOPMENT_SEED + b" ID of " + name).digest()[:16]


def _sign(key: RSA.RsaKey, body: bytes) -> bytes:
    """RSA-PSS with SHA-256, big-endian; the salt is of the message, so that it is the same at each making."""
    salt = hashlib.sha256(DEVELOPMENT_SEED + body).digest()
    return bytes(pss.new(key, rand_func=lambda count: salt[:count]).sign(SHA256.new(body)))


@functools.cache
def _rsa_key(name: bytes) -> RSA.RsaKey:
    """A key of two primes found in a stream of SHA-256 of the seed, the name and a counter."""
    primes = (candidate for candidate in _candidates(name) if isPrime(candidate))
    p, q = next(primes), next(primes)
    d = pow(_EXPONENT, -1, math.lcm(p - 1, q - 1))
    return RSA.construct((p * q, _EXPONENT, d, p, q))


def _candidates(name: bytes) -> Iterator[int]:
    """Odd numbers of half the key's bits, of which the two highest are set."""
    half, counter = _KEY_BITS // 2, 0
    while True:
        stream = b"".join(hashlib.sha256(DEVELOPMENT_SEED + name + (counter + part).to_bytes(4, "little")).digest()
                          for part in range(half // 256))
        counter += half // 256
        candidate = int.from_bytes(stream, "big") | 3 << half - 2 | 1
        if math.gcd(candidate - 1, _EXPONENT) == 1:
            yield candidate
