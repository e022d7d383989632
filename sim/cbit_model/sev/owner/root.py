"""Certificates of the two RSA keys above the CEK, ARK and ASK (SEV API, Appendix B), and what these sign."""

import dataclasses

from cbit_model.sev.certificate import SIGNED_BYTES, find_signature
from cbit_model.sev.constants import Algorithm, Usage
from cbit_model.sev.owner.distrust import DistrustError
from cbit_model.sev.owner.openssl import rsa_pss_is_good

__all__ = ["RootCertificate", "asks_signature_is_good", "root_body"]

_HEAD_BYTES = 0x40
_VERSION = 1
_KEY_BITS = (2048, 4096)
_ALGORITHM_BY_BITS = {2048: Algorithm.RSA_SHA256, 4096: Algorithm.RSA_SHA384}


def root_body(*, key_id: bytes, certifying_id: bytes, usage: Usage, exponent: int, modulus: int) -> bytes:
    """The part of a certificate that is signed. Both IDs are 16 bytes; the exponent is as long as the modulus."""
    bits = modulus.bit_length()
    head = (_VERSION.to_bytes(4, "little") + key_id + certifying_id + usage.to_bytes(4, "little") + bytes(16)
            + bits.to_bytes(4, "little") * 2)
    return head + exponent.to_bytes(bits // 8, "little") + modulus.to_bytes(bits // 8, "little")


@dataclasses.dataclass(frozen=True, slots=True)
class RootCertificate:
    """A certificate of the ARK or the ASK.

    Parameters
    ----------
    key_id, certifying_id : :class:`bytes`
        Of this key, and of the key that signed it.
    usage : :class:`int`
        ARK or ASK.
    exponent, modulus : :class:`int`
        The public key.
    body : :class:`bytes`
        What is signed.
    signature : :class:`bytes`
        Big-endian.
    """

    key_id: bytes
    certifying_id: bytes
    usage: int
    exponent: int
    modulus: int
    body: bytes
    signature: bytes

    @classmethod
    def parse(cls, content: bytes, name: str) -> "RootCertificate":
        """Reads a certificate.

        Raises
        ------
        DistrustError
            If it is none. The text calls it ``name``.
        """
        words = [int.from_bytes(content[offset:offset + 4], "little") for offset in (0, 0x24, 0x38, 0x3C)]
        version, usage, exponent_bits, bits = words
        if version != _VERSION or exponent_bits not in _KEY_BITS or bits not in _KEY_BITS:
            raise DistrustError(f"{name} must be a certificate of version 1 with a key of 2048 or 4096 bits")
        modulus_at = _HEAD_BYTES + exponent_bits // 8
        end = modulus_at + bits // 8
        if len(content) != end + bits // 8:
            raise DistrustError(f"{name} must be {end + bits // 8} bytes, as its key is of {bits} bits, "
                                f"not {len(content)}")
        return cls(key_id=content[4:0x14], certifying_id=content[0x14:0x24], usage=usage,
                   exponent=int.from_bytes(content[_HEAD_BYTES:modulus_at], "little"),
                   modulus=int.from_bytes(content[modulus_at:end], "little"),
                   body=content[:end], signature=content[end:][::-1])

    def require(self, name: str, usage: Usage, signer: "RootCertificate", signer_name: str) -> None:
        """Refuses a certificate of another usage, or that another key signed.

        Raises
        ------
        DistrustError
            The text calls the certificates by the names given.
        """
        if self.usage != usage:
            raise DistrustError(f"{name} must be a certificate of usage {usage:#x}, not {self.usage:#x}")
        if self.certifying_id != signer.key_id:
            raise DistrustError(f"{name} must be certified by the key of {signer_name}, not by another")
        if not rsa_pss_is_good(signer.modulus, signer.exponent, self.body, self.signature):
            raise DistrustError(f"{name} must be signed by the key of {signer_name}: the signature is wrong")


def asks_signature_is_good(certificate: bytes, ask: RootCertificate) -> bool:
    """Whether a CEK's certificate bears the ASK's signature."""
    bits = ask.modulus.bit_length()
    algorithm = _ALGORITHM_BY_BITS.get(bits)
    slot = find_signature(certificate, Usage.ASK, algorithm) if algorithm else None
    return slot is not None and rsa_pss_is_good(
        ask.modulus, ask.exponent, certificate[:SIGNED_BYTES], slot[8:8 + bits // 8][::-1])
