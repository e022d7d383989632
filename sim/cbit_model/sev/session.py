"""What a guest's owner and the PSP both compute: session keys, MACs, measurement. SEV API, 2.2, 6.2, 6.5 and 6.6."""

import hashlib
import hmac

from Crypto.Cipher import AES

from cbit_model.sev.constants import API_MAJOR, API_MINOR, BUILD
from cbit_model.sev.layouts import SECRET_HEADER

__all__ = ["KEY_BYTES", "counter_mode", "derive", "mac", "measurement_mac", "policy_mac", "secret_mac", "session_keys"]

KEY_BYTES = 16


def mac(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA256 of all parts, one after the other."""
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def derive(key: bytes, label: bytes, context: bytes = b"") -> bytes:
    """A key of 128 bits by SP 800-108 in counter mode, its numbers little-endian."""
    return mac(key, _word(1), label, b"\0", context, _word(8 * KEY_BYTES))[:KEY_BYTES]


def session_keys(shared_secret: bytes, nonce: bytes) -> tuple[bytes, bytes]:
    """KEK and KIK, of x of the ECDH product (big-endian) and the session's nonce."""
    master = derive(shared_secret, b"sev-master-secret", nonce)
    return derive(master, b"sev-kek"), derive(master, b"sev-kik")


def counter_mode(key: bytes, counter: bytes, data: bytes) -> bytes:
    """AES-128-CTR both ways; the counter is a whole block, big-endian (SP 800-38A)."""
    return bytes(AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=counter).encrypt(data))


def policy_mac(tik: bytes, policy: int) -> bytes:
    """What shows that the owner wants this policy."""
    return mac(tik, _word(policy))


def measurement_mac(tik: bytes, *, policy: int, digest: bytes, mnonce: bytes,
                    version: tuple[int, int, int] = (API_MAJOR, API_MINOR, BUILD)) -> bytes:
    """The measurement of a launch; ``version`` is major, minor and build."""
    return mac(tik, bytes([4, *version]), _word(policy), digest, mnonce)


def secret_mac(tik: bytes, *, header: bytes, ciphertext: bytes, measurement: bytes) -> bytes:
    """What the header of a secret must hold. The guest's length and that of the packet are equal."""
    length = _word(len(ciphertext))
    flags = SECRET_HEADER.number(header, "flags")
    return mac(tik, b"\x01", _word(flags), SECRET_HEADER.string(header, "iv"), length, length, ciphertext, measurement)


def _word(value: int) -> bytes:
    return value.to_bytes(4, "little")
