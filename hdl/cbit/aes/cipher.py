"""What is common to all of AES: its rounds and directions."""

import enum

__all__ = ["Direction", "rounds_of"]


def rounds_of(key_bits: int) -> int:
    """Rounds of AES with a key of so many bits (FIPS 197, 5).

    Raises
    ------
    ValueError
        If ``key_bits`` is neither 128 nor 256.
    """
    rounds = {128: 10, 256: 14}
    if key_bits not in rounds:
        raise ValueError(f"Key bits must be 128 or 256, not {key_bits!r}")
    return rounds[key_bits]


class Direction(enum.Enum):
    """What a block of AES hardware can do.

    ``ENCRYPT``
        The cipher (FIPS 197, 5.1): the smallest and the fastest.
    ``DECRYPT``
        The inverse cipher (FIPS 197, 5.3): deeper, as its MixColumns is.
    ``BOTH``
        Either, chosen for each block: one datapath, less than both of the above together, and deeper
        than each of them.
    """

    ENCRYPT = "encrypt"
    DECRYPT = "decrypt"
    BOTH = "both"

    @property
    def encrypts(self) -> bool:
        return self is not Direction.DECRYPT

    @property
    def decrypts(self) -> bool:
        return self is not Direction.ENCRYPT
