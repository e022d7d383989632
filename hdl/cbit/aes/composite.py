"""The S-box as an inversion in GF((2^4)^2).

GF(2^8) is isomorphic to the pairs a1*z + a0 over GF(2^4), where z^2 = z + lambda. There the inverse of a
pair is (a1*z + a0 + a1) / d with the norm d = lambda*a1^2 + a1*a0 + a0^2, which leaves one inversion in
GF(2^4): a function of four bits. Source: C. Paar, "Efficient VLSI Architectures for Bit-Parallel
Computation in Galois Fields", 1994. The changes of basis are computed here from the field definitions.
"""

import functools
from collections.abc import Mapping

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib.wiring import Component, In, Out

from cbit.aes import field
from cbit.aes.cipher import Direction
from cbit.aes.mixing import PLAIN, Rows

__all__ = ["CompositeSBox"]

NIBBLE_POLYNOMIAL = 0b10011
"""w^4 + w + 1, which makes GF(2^4)."""


def _multiply_nibbles(a: int, b: int) -> int:
    return field.multiply(a, b, NIBBLE_POLYNOMIAL)


NIBBLE_INVERSE = tuple(next((b for b in range(16) if _multiply_nibbles(a, b) == 1), 0) for a in range(16))

LAMBDA = next(constant for constant in range(16)
              if all(_multiply_nibbles(z, z) ^ z ^ constant for z in range(16)))
"""The first constant that makes z^2 + z + lambda irreducible."""

SQUARES = tuple(_multiply_nibbles(a, a) for a in range(16))

SCALED_SQUARES = tuple(_multiply_nibbles(LAMBDA, square) for square in SQUARES)

CUTS: Mapping[int, tuple[str, ...]] = {
    0: (),
    1: ("pair",),
    2: ("norm", "inverse"),
    3: ("pair", "reciprocal", "inverse"),
}
"""Of each number of registers, the steps of the inversion that end in one. One alone is where a
block RAM has its own, before the inversion: in a row of both kinds no inversion follows a block RAM within a cycle."""


def _multiply_pairs(a: int, b: int) -> int:
    a1, a0, b1, b0 = a >> 4, a & 15, b >> 4, b & 15
    high = _multiply_nibbles(a1, b1)
    return ((high ^ _multiply_nibbles(a1, b0) ^ _multiply_nibbles(a0, b1)) << 4
            | _multiply_nibbles(a0, b0) ^ _multiply_nibbles(high, LAMBDA))


def _powers(element: int) -> field.LinearMap:
    return tuple(functools.reduce(_multiply_pairs, [element] * exponent, 1) for exponent in range(8))


def _is_root(element: int) -> bool:
    powers = (*_powers(element), functools.reduce(_multiply_pairs, [element] * 8))
    return not functools.reduce(lambda total, i: total ^ (powers[i] if field.POLYNOMIAL >> i & 1 else 0), range(9), 0)


@functools.cache
def _to_pairs() -> field.LinearMap:
    """The isomorphism to pairs with the fewest XORs: x goes to one of the eight roots of GF(2^8)'s polynomial."""
    def ones(to_pairs: field.LinearMap) -> int:
        from_pairs = field.invert(to_pairs)
        maps = to_pairs, field.compose(field.AFFINE, from_pairs), \
            field.compose(to_pairs, field.invert(field.AFFINE)), from_pairs
        return sum(column.bit_count() for matrix in maps for column in matrix)
    return min((_powers(element) for element in range(256) if _is_root(element)), key=ones)


def _linear(matrix: field.LinearMap, value: Value) -> Value:
    return Cat((value & row).xor() for row in field.transpose(matrix))


def _product(a: Value, b: Value) -> Value:
    total = Const(0, 4)
    for bit in b:
        total = total ^ (a & bit.replicate(4))
        a = Cat(a[3], a[0] ^ a[3], a[1], a[2])
    return total


def _lookup(table: tuple[int, ...], index: Value) -> Value:
    columns = [sum((entry >> bit & 1) << i for i, entry in enumerate(table)) for bit in range(4)]
    return Cat(Const(column, 16).bit_select(index, 1) for column in columns)


class CompositeSBox(Component):
    """One S-box (FIPS 197, 5.1.1 and 5.3.2).

    Latency: ``stages`` cycles. Throughput: a byte a cycle, without stalls.

    Parameters
    ----------
    direction : :class:`Direction`
        The S-box, its inverse, or both around one shared inversion.
    stages : :class:`int`
        Registers: none, 1 before the inversion, 2 and 3 within it.
    basis : :data:`Rows`
        The basis of ``i``, as of a :class:`~cbit.aes.mixing.Mixing`.

    Members
    -------
    i : ``In(8)``
        The byte.
    decrypt : ``In(1)``
        Whether to take the inverse S-box; heeded with ``Direction.BOTH`` only.
    o : ``Out(8)``
        Its image.
    """

    unguarded = True
    """Pieces of blocks."""

    i: In(8)
    decrypt: In(1)
    o: Out(8)

    def __init__(self, *, direction: Direction, stages: int = 0, basis: Rows = PLAIN) -> None:
        assert stages in range(4)
        self.direction = direction
        self.stages = stages
        self.basis = basis
        super().__init__()

    def elaborate(self, _platform) -> Module:
        m = Module()
        to_pairs = _to_pairs()
        from_pairs = field.invert(to_pairs)
        unaffine = field.compose(to_pairs, field.invert(field.AFFINE))
        from_basis = field.invert(field.transpose(self.basis))

        inverse, decrypt = self._invert(m, self._decide(
            self.decrypt,
            _linear(field.compose(unaffine, from_basis), self.i) ^ field.apply(unaffine, field.AFFINE_CONSTANT),
            _linear(field.compose(to_pairs, from_basis), self.i)))
        m.d.comb += self.o.eq(self._decide(
            decrypt,
            _linear(from_pairs, inverse),
            _linear(field.compose(field.AFFINE, from_pairs), inverse) ^ field.AFFINE_CONSTANT))
        return m

    def _decide(self, decrypt: Value, decrypted: Value, encrypted: Value) -> Value:
        match self.direction:
            case Direction.ENCRYPT:
                return encrypted
            case Direction.DECRYPT:
                return decrypted
            case Direction.BOTH:
                return Mux(decrypt, decrypted, encrypted)

    def _invert(self, m: Module, pair: Value) -> list[Value]:
        """The inverse, and ``decrypt`` beside it."""
        cuts = CUTS[self.stages]

        def step(name: str, *values: Value) -> list[Value]:
            signals = [Signal(len(value), name=f"{name}_{i}", reset_less=True) for i, value in enumerate(values)]
            m.d["sync" if name in cuts else "comb"] += [signal.eq(value) for signal, value in zip(signals, values)]
            return signals

        pair, decrypt = step("pair", pair, self.decrypt)
        low, high = pair[:4], pair[4:]
        norm = _lookup(SCALED_SQUARES, high) ^ _product(high, low) ^ _lookup(SQUARES, low)
        norm, low, high, decrypt = step("norm", norm, low, high, decrypt)
        reciprocal, low, high, decrypt = step("reciprocal", _lookup(NIBBLE_INVERSE, norm), low, high, decrypt)
        return step("inverse", Cat(_product(low ^ high, reciprocal), _product(high, reciprocal)), decrypt)
