"""MixColumns split between the S-boxes and two levels of XORs, computed before there is gateware.

A table of 18 bits costs a block RAM no more than one of eight. So an S-box gives, instead of the eight bits
of S(x), up to 18 linear functions of them, chosen so that a bit of MixColumns is the XOR of few of them:

- of encryption 1, 2 and 3 times S(x), which have 18 different bits among them;
- of decryption 14, 9, 3 and 2 times S(x), which have 31. But every bit of a field element e times S(x) is
  bit 0 of e' * S(x) for some e', and the states between rounds may be kept in any basis: in one of eight
  such bits, found by simulated annealing, the four multiples have 15 different bits among them.

With r, s, t, u for the bytes of a column from one row downward, both directions are

    even * (r + t) + odd * (s + u) + two more multiples,

of which the first sum serves two or four rows. That takes decryption keys that have passed InvMixColumns
(the equivalent inverse cipher, FIPS 197, 5.3.5) and are in the basis of the states.
"""

import dataclasses
import functools
import itertools
from collections.abc import Iterable

from cbit.aes import field
from cbit.aes.cipher import Direction

__all__ = ["PLAIN", "Mixing", "Rows", "Source", "mixing_of"]

Rows = tuple[int, ...]
"""A linear map of a byte: bit *i* of the image is the parity of the byte's bits that ``rows[i]`` has set."""

Source = tuple[int, int]
"""How many rows further down a column, and which bit there."""

PLAIN: Rows = tuple(1 << bit for bit in range(8))
"""The bits of the byte itself."""

DECRYPT_ELEMENTS = (183, 216, 180, 97, 60, 40, 126, 84)
"""Of each bit of a decrypted state, the field element e: the bit is bit 0 of e * byte."""


def _sum(values: Iterable[int]) -> int:
    return functools.reduce(lambda a, b: a ^ b, values, 0)


def _rows_of(coefficient: int) -> Rows:
    return field.transpose(field.linear_map(lambda value: field.multiply(coefficient, value)))


def _functional(element: int) -> int:
    """Bit 0 of ``element`` times a byte."""
    return _rows_of(element)[0]


@dataclasses.dataclass(frozen=True)
class Mixing:
    """The split of one direction.

    A state between rounds, a round key but the first and the last included, is in ``basis``: bit *i* of a
    byte is the functional ``basis[i]`` of the byte in FIPS 197.

    Parameters
    ----------
    basis : :data:`Rows`
        The basis of states.
    images : :class:`tuple` of two :data:`Rows`
        What the S-boxes give of a byte's image under the S-box, and under its inverse.
    middle : :class:`tuple` of :class:`tuple` of :data:`Source`
        Of each bit of the first level, in row 0: the bits of the S-boxes it is the XOR of.
    mixed : :class:`tuple` of :class:`tuple` of :data:`Source`
        Of each bit of a mixed byte, in row 0: the bits of the first level it is the XOR of.
    plain : :class:`tuple` of :class:`tuple` of :class:`int`
        Of each bit of the byte without MixColumns, in the basis of FIPS 197: the bits of its S-box.
    """

    basis: Rows
    images: tuple[Rows, Rows]
    middle: tuple[tuple[Source, ...], ...]
    mixed: tuple[tuple[Source, ...], ...]
    plain: tuple[tuple[int, ...], ...]

    @property
    def width(self) -> int:
        """Bits that an S-box gives."""
        return len(self.images[0])


def _shared_sums(elements: Rows, *, even: int, odd: int, more: tuple[Source, Source]) -> Mixing:
    """The split into a shared sum and ``more`` multiples, each with its row, of states in the basis of ``elements``."""
    coefficients = {even, odd, *(coefficient for _, coefficient in more)}
    stored = sorted({field.multiply(element, coefficient) for element in elements for coefficient in coefficients})
    sums = ((0, even), (2, even), (1, odd), (3, odd)), more
    images = tuple(_functional(element) for element in stored)
    return Mixing(
        basis=tuple(_functional(element) for element in elements),
        images=(images, images),
        middle=tuple(tuple((row, stored.index(field.multiply(element, coefficient))) for row, coefficient in terms)
                     for element in elements for terms in sums),
        mixed=tuple(((0, 2 * bit), (0, 2 * bit + 1)) for bit in range(8)),
        plain=tuple(_shortest_sum(bit, images) for bit in PLAIN))


def _shortest_sum(target: int, terms: Rows) -> tuple[int, ...]:
    choices = itertools.chain.from_iterable(
        itertools.combinations(range(len(terms)), count) for count in range(1, len(terms) + 1))
    return next(choice for choice in choices if _sum(terms[i] for i in choice) == target)


def _encryption() -> Mixing:
    by_functional = {_functional(element): element for element in range(1, 256)}
    return _shared_sums(tuple(by_functional[bit] for bit in PLAIN), even=1, odd=1, more=((0, 3), (1, 2)))


def _decryption() -> Mixing:
    return _shared_sums(DECRYPT_ELEMENTS, even=14, odd=9, more=((1, 2), (2, 3)))


def _either() -> Mixing:
    """InvMixColumns is MixColumns after a factor of 5, 0, 4, 0, which encryption has as 1, 0, 0, 0."""
    by_row = [_rows_of(coefficient) for coefficient in (2, 3, 1, 1)]
    return Mixing(
        basis=PLAIN,
        images=(PLAIN + (0,) * 8, _rows_of(5) + _rows_of(4)),
        middle=tuple(((0, bit), (2, 8 + bit)) for bit in range(8)),
        mixed=tuple(tuple((row, source) for row, rows in enumerate(by_row) for source in range(8)
                          if rows[bit] >> source & 1) for bit in range(8)),
        plain=tuple((bit, 8 + bit) for bit in range(8)))


@functools.cache
def mixing_of(direction: Direction) -> Mixing:
    """The split that ``direction`` uses."""
    match direction:
        case Direction.ENCRYPT:
            return _encryption()
        case Direction.DECRYPT:
            return _decryption()
        case Direction.BOTH:
            return _either()
