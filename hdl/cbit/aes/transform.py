"""The linear transformations of an AES state, as wiring and XORs.

A state is 128 bits: byte *i* of FIPS 197's input, which is row i mod 4 of column i div 4, is bits 8i+7..8i.
"""

from amaranth import Cat, Module, Signal
from amaranth.hdl import Value

__all__ = ["inverse_mix_columns", "inverse_shift_rows", "mix_columns", "mix_columns_factor", "shift_rows"]


def _bytes(value: int) -> int:
    return value * (((1 << 128) - 1) // 0xFF)


def _take(state: Value, sources: list[int]) -> Value:
    return Cat(state[8 * source:8 * source + 8] for source in sources)


def shift_rows(state: Value) -> Value:
    """ShiftRows (FIPS 197, 5.1.2)."""
    return _take(state, [(i + 4 * (i % 4)) % 16 for i in range(16)])


def inverse_shift_rows(state: Value) -> Value:
    """InvShiftRows (FIPS 197, 5.3.1)."""
    return _take(state, [(i - 4 * (i % 4)) % 16 for i in range(16)])


def _rotate_columns(state: Value, rows: int) -> Value:
    return _take(state, [i - i % 4 + (i + rows) % 4 for i in range(16)])


def _double(state: Value) -> Value:
    carries = state & _bytes(0x80)
    shifted = (state & _bytes(0x7F)) << 1
    return (shifted ^ carries >> 7 ^ carries >> 6 ^ carries >> 4 ^ carries >> 3)[:128]


def mix_columns(m: Module, state: Value) -> Value:
    """MixColumns (FIPS 197, 5.1.3): 2, 3, 1, 1 times a byte and those below it in its column."""
    source = Signal(128)
    m.d.comb += source.eq(state)
    below = _rotate_columns(source, 1)
    return _double(source ^ below) ^ below ^ _rotate_columns(source, 2) ^ _rotate_columns(source, 3)


def inverse_mix_columns(m: Module, state: Value) -> Value:
    """InvMixColumns (FIPS 197, 5.3.3): MixColumns after a factor of 5, 0, 4, 0."""
    return mix_columns(m, mix_columns_factor(m, state))


def mix_columns_factor(m: Module, state: Value) -> Value:
    """What MixColumns lacks of its inverse: 5, 0, 4, 0 times a byte and those below it in its column."""
    source = Signal(128)
    doubled = Signal(128)
    m.d.comb += [
        source.eq(state),
        doubled.eq(_double(source ^ _rotate_columns(source, 2))),
    ]
    return source ^ _double(doubled)
