"""What a self-test asks of the cipher, and the answer."""

import dataclasses

__all__ = ["KnownAnswer", "known_answer"]


@dataclasses.dataclass(frozen=True)
class KnownAnswer:
    """A line of AES-XTS, the first of the data unit of number 0, and what it is made with and of.

    Parameters
    ----------
    key : :class:`bytes`
        K1.
    tweak_key : :class:`bytes`
        K2.
    tweak : :class:`bytes`
        E(K2, 0), the tweak of the first block of the data unit.
    plain, cipher : :class:`bytes`
        Its four blocks, before and after encryption.
    """

    key: bytes
    tweak_key: bytes
    tweak: bytes
    plain: bytes
    cipher: bytes

    @property
    def words(self) -> tuple[int, ...]:
        """The words of K1, then those of K2; byte 0 of each is bits 7..0."""
        both = self.key + self.tweak_key
        return tuple(int.from_bytes(both[at:at + 4], "little") for at in range(0, len(both), 4))


_PLAIN = bytes(range(64))

_ANSWERS = {
    128: KnownAnswer(
        key=bytes.fromhex("27182818284590452353602874713526"),
        tweak_key=bytes.fromhex("31415926535897932384626433832795"),
        tweak=bytes.fromhex("6dcfba212f5d82bf525ee9793cfa505a"),
        plain=_PLAIN,
        cipher=bytes.fromhex("27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89c"
                             "c78cf7f5e543445f8333d8fa7f56000005279fa5d8b5e4ad40e736ddb4d35412")),
    256: KnownAnswer(
        key=bytes.fromhex("2718281828459045235360287471352662497757247093699959574966967627"),
        tweak_key=bytes.fromhex("3141592653589793238462643383279502884197169399375105820974944592"),
        tweak=bytes.fromhex("cd176a3ec1f7f4005d631f947c2e0a84"),
        plain=_PLAIN,
        cipher=bytes.fromhex("3a060a8cad115a6f44572e3759e43c8fcad8bfcb233ff6ad71b7c1e7ca651508"
                             "860aed34ec9506d368aa50274a31c16d2deae4d64c2a8096091c093f3820fb6d")),
}


def known_answer(key_bits: int) -> KnownAnswer:
    """That of AES-128 from IEEE 1619, Annex B, vector 4, or of AES-256 with the keys and the data of vector 10 in the
    data unit of number 0, which an engine of any size has.

    Parameters
    ----------
    key_bits : :class:`int`
        Bits of each key: 128 or 256.
    """
    return _ANSWERS[key_bits]
