"""The numbers that the unit for P-384 has built in: SP 800-186, 3.2.1.4, and what Montgomery's multiplication needs."""

from amaranth.lib import enum

__all__ = ["CONSTANT_WORDS", "MODULI", "NUMBER_WORDS", "PLACES", "QUOTIENT_PLACE", "WORD_BITS", "Constant", "words_of"]

WORD_BITS = 64
"""Bits of a word: numbers are read, multiplied and written by the word, the least significant first."""

NUMBER_WORDS = 6
"""Words of a number."""

PLACES = 8
"""Words from one number to the next, in registers and among constants."""

QUOTIENT_PLACE = 6
"""Behind the modulus: -1/m mod 2^64, by which a word is multiplied to know what multiple of m clears it."""

_P = 2**384 - 2**128 - 2**96 + 2**32 - 1
_N = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973

MODULI = (_P, _N)
"""The prime of the field and the order of the group, as MODULUS of P384_START numbers them."""

_CURVE_B = 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef
"""Of the equation y^2 = x^3 - 3x + b."""


class Constant(enum.Enum, shape=3):
    """Numbers that instructions may name, modulo m. R is 2^384."""

    MODULUS = 0
    ZERO = 1
    ONE = 2
    R = 3
    R2 = 4
    EXPONENT = 5
    CURVE_B = 6


def words_of(number: int, count: int = NUMBER_WORDS) -> list[int]:
    """The words of a number, the least significant first."""
    return [number >> WORD_BITS * place & (1 << WORD_BITS) - 1 for place in range(count)]


def _constant(constant: Constant, modulus: int) -> list[int]:
    """The words of a constant, with what lies behind it."""
    r = 1 << NUMBER_WORDS * WORD_BITS
    quotient = -pow(modulus, -1, 1 << WORD_BITS) % (1 << WORD_BITS)
    number = {
        Constant.MODULUS: modulus + (quotient << QUOTIENT_PLACE * WORD_BITS),
        Constant.ZERO: 0,
        Constant.ONE: 1,
        Constant.R: r % modulus,
        Constant.R2: r * r % modulus,
        Constant.EXPONENT: modulus - 2,
        Constant.CURVE_B: _CURVE_B * r % modulus,
    }[constant]
    return words_of(number, PLACES)


CONSTANT_WORDS = [word for modulus in MODULI for value in range(PLACES)
                  for word in (_constant(Constant(value), modulus) if value < len(Constant) else [0] * PLACES)]
"""The table of constants: of p, then of n, in order of their numbers, each :data:`PLACES` words."""
