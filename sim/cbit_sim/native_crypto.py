"""The firmware's cryptography, run in a process of this machine: bytes and numbers in, bytes and numbers out."""

import ctypes

from cbit_sim.native_firmware import library

__all__ = ["aes_ctr", "agree", "drbg", "hmac_sha256", "kdf", "key_pair", "sha256", "sha256_in_buffer", "sign", "verify"]

NUMBER_BYTES = 48
SCRATCH_BYTES = 256
"""The most that :func:`aes_ctr` takes."""


def sha256(message: bytes, *, piece: int) -> bytes:
    """The hash of a message that comes in pieces of a size."""
    digest = ctypes.create_string_buffer(32)
    library().cbit_sha256(message, _size(message), ctypes.c_size_t(piece), digest)
    return digest.raw


def sha256_in_buffer(message: bytes, *, piece: int) -> bytes:
    """The same through the buffer of the units. Lengths are multiples of 4, pieces of at most 4096 bytes."""
    digest = ctypes.create_string_buffer(32)
    library().cbit_sha256_in_buffer(message, _size(message), ctypes.c_size_t(piece), digest)
    return digest.raw


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """The MAC of a message."""
    mac = ctypes.create_string_buffer(32)
    library().cbit_hmac(key, _size(key), message, _size(message), mac)
    return mac.raw


def kdf(secret: bytes, label: bytes, context: bytes) -> bytes:
    """A key of 128 bits."""
    key = ctypes.create_string_buffer(16)
    library().cbit_kdf(secret, _size(secret), label, _size(label), context, _size(context), key)
    return key.raw


def drbg(seed: bytes, count: int, *, reseed: bytes = b"") -> bytes:
    """What a generator gives at the second request of a size."""
    output = ctypes.create_string_buffer(count)
    library().cbit_drbg(seed, _size(seed), reseed, _size(reseed), output, ctypes.c_size_t(count))
    return output.raw


def aes_ctr(key: bytes, counter: bytes, data: bytes) -> bytes:
    """Both ways; at most 256 bytes."""
    place = ctypes.create_string_buffer(data, len(data))
    library().cbit_aes_ctr(key, counter, place, _size(data))
    return place.raw


def key_pair(seed: bytes) -> tuple[int, tuple[int, int]]:
    """The private number and the public point of 56 random bytes."""
    private, public = _place(1), _place(2)
    library().cbit_key_pair(seed, private, public)
    return _numbers(private.raw)[0], _pair(public.raw)


def sign(private: int, digest: bytes) -> tuple[int, int]:
    """The signature of a hash.

    Raises
    ------
    ArithmeticError
        If no nonce was taken.
    """
    signature = _place(2)
    if not library().cbit_sign(_bytes(private), digest, signature) & 0xFF:
        raise ArithmeticError("no nonce was taken")
    return _pair(signature.raw)


def verify(public: tuple[int, int], digest: bytes, signature: tuple[int, int]) -> bool:
    """Whether a signature of a hash is that of a public key."""
    accepted = library().cbit_verify(_bytes(*public), digest, _bytes(*signature))
    return bool(accepted & 0xFF)


def agree(private: int, public: tuple[int, int]) -> bytes | None:
    """The shared secret, or :data:`None` for a public key that is not on the curve."""
    secret = _place(1)
    agreed = library().cbit_agree(_bytes(private), _bytes(*public), secret)
    return secret.raw if agreed & 0xFF else None


def _size(value: bytes) -> ctypes.c_size_t:
    return ctypes.c_size_t(len(value))


def _place(numbers: int) -> "ctypes.Array[ctypes.c_char]":
    return ctypes.create_string_buffer(numbers * NUMBER_BYTES)


def _bytes(*numbers: int) -> bytes:
    """Numbers as the unit has them. They are handed over in words, which bytes of Python's are aligned for."""
    return b"".join(number.to_bytes(NUMBER_BYTES, "little") for number in numbers)


def _numbers(content: bytes) -> list[int]:
    return [int.from_bytes(content[start:start + NUMBER_BYTES], "little")
            for start in range(0, len(content), NUMBER_BYTES)]


def _pair(content: bytes) -> tuple[int, int]:
    first, second = _numbers(content)
    return first, second
