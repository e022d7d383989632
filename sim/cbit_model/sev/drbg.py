"""The PSP's random numbers: HMAC_DRBG with SHA-256 (SP 800-90A, 10.1.2) over a source of raw words."""

import hashlib

from cbit_model.sev.ports import EntropyFailedError, EntropySource
from cbit_model.sev.session import mac

__all__ = ["REQUEST_LIMIT", "SEED_WORDS", "Drbg", "HmacDrbg"]

SEED_WORDS = 64
REQUEST_LIMIT = 1000
"""Requests from one seeding."""


class HmacDrbg:
    """HMAC_DRBG with SHA-256, as the standard has it, without additional input.

    Parameters
    ----------
    seed : :class:`bytes`
        Entropy input, nonce and personalization, one after the other.
    """

    def __init__(self, seed: bytes) -> None:
        self._key, self._value = bytes(32), bytes([1] * 32)
        self._update(seed)

    def reseed(self, entropy: bytes) -> None:
        """Mix in more entropy."""
        self._update(entropy)

    def generate(self, count: int) -> bytes:
        """The next bytes: a request."""
        output = b""
        while len(output) < count:
            self._value = mac(self._key, self._value)
            output += self._value
        self._update(b"")
        return output[:count]

    def _update(self, data: bytes) -> None:
        for separator in (b"\0", b"\1") if data else (b"\0",):
            self._key = mac(self._key, self._value, separator, data)
            self._value = mac(self._key, self._value)


class Drbg:
    """HMAC_DRBG with its seedings.

    Parameters
    ----------
    source : :class:`~cbit_model.sev.ports.EntropySource`
        Where raw words come from.

    Raises
    ------
    EntropyFailedError
        If the source has failed.
    """

    def __init__(self, source: EntropySource) -> None:
        self._source = source
        self._generator = HmacDrbg(self._seed())
        self._requests = 0

    def reseed(self) -> None:
        """Mix in 64 raw words. Raises :class:`EntropyFailedError`."""
        self._generator.reseed(self._seed())
        self._requests = 0

    def generate(self, count: int) -> bytes:
        """The next bytes. Raises :class:`EntropyFailedError` where the source has failed, though enough be left."""
        self._require_source()
        if self._requests == REQUEST_LIMIT:
            self.reseed()
        self._requests += 1
        return self._generator.generate(count)

    def key_pair(self, count: int = 16) -> tuple[bytes, bytes]:
        """Two keys that differ, as XTS needs them."""
        while True:
            first, second = self.generate(count), self.generate(count)
            if first != second:
                return first, second

    def _seed(self) -> bytes:
        """64 raw words, each half conditioned to 256 bits."""
        self._require_source()
        raw = b"".join(self._source.take().to_bytes(4, "little") for _ in range(SEED_WORDS))
        return b"".join(hashlib.sha256(half).digest() for half in (raw[:len(raw) // 2], raw[len(raw) // 2:]))

    def _require_source(self) -> None:
        if self._source.failed:
            raise EntropyFailedError
