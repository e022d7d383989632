"""What is common to all of AES: its rounds and directions."""

import enum

__all__ = ["ROUNDS", "Direction"]

ROUNDS = {128: 10, 256: 14}
"""Bits of a key to rounds (FIPS 197, 5)."""


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
