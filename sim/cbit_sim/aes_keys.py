"""Round keys for benches that drive AES gateware without its key schedule."""

from collections.abc import Iterable, Iterator
from typing import Any

from cbit.aes.field import multiply, sbox_table

__all__ = ["expand_key", "prepared_words", "write_keys"]


def expand_key(key: bytes) -> list[bytes]:
    """The round keys of an AES-128 or AES-256 key (FIPS 197, 5.2)."""
    sbox = sbox_table()
    key_words = len(key) // 4
    words = [key[4 * i:4 * i + 4] for i in range(key_words)]
    constant = 1
    for i in range(key_words, 4 * (key_words + 7)):
        word = words[-1]
        if i % key_words == 0:
            word = bytes(sbox[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = multiply(constant, 2)
        elif i % key_words == 4:
            word = bytes(sbox[byte] for byte in word)
        words.append(bytes(a ^ b for a, b in zip(word, words[-key_words])))
    return [b"".join(words[i:i + 4]) for i in range(0, len(words), 4)]


async def write_keys(ctx: Any, round_key: Any, keys: Iterable[bytes], *, every_cycles: int = 1) -> None:
    """Writes the round keys of each key into the slot of its number, one every so many cycles."""
    for slot, key in enumerate(keys):
        for number, data in enumerate(expand_key(key)):
            ctx.set(round_key.valid, 1)
            ctx.set(round_key.slot, slot)
            ctx.set(round_key.round, number)
            ctx.set(round_key.data, int.from_bytes(data, "little"))
            for _ in range(every_cycles):
                await ctx.tick()
                ctx.set(round_key.valid, 0)


def _inverse_mixed(column: bytes) -> bytes:
    """InvMixColumns (FIPS 197, 5.3.3)."""
    factors = (14, 11, 13, 9)
    mixed = []
    for row in range(4):
        total = 0
        for distance, factor in enumerate(factors):
            total ^= multiply(factor, column[(row + distance) % 4])
        mixed.append(total)
    return bytes(mixed)


def prepared_words(key: bytes, *, decrypts: bool) -> Iterator[tuple[int, int, int, int]]:
    """What each step of the cipher adds, and if asked for each of the equivalent inverse cipher (FIPS 197, 5.3.5): 1 if
    it is the inverse, step, column, word."""
    round_keys = expand_key(key)
    last = len(round_keys) - 1
    for inverse in range(1 + decrypts):
        for step, round_key in enumerate(reversed(round_keys) if inverse else round_keys):
            for column in range(4):
                word = round_key[4 * column:4 * column + 4]
                if inverse and 0 < step < last:
                    word = _inverse_mixed(word)
                yield inverse, step, column, int.from_bytes(word, "little")
