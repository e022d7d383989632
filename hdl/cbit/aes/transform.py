"""The linear transformations of an AES state, as wiring and XORs.

A state is 128 bits: byte *i* of FIPS 197's input, which is row i mod 4 of column i div 4, is bits 8i+7..8i.
"""

from amaranth import Cat
from amaranth.hdl import Value

from cbit.aes.mixing import Rows

__all__ = ["inverse_shift_rows", "map_bytes", "shift_rows"]


def _take(state: Value, sources: list[int]) -> Value:
    return Cat(state.word_select(source, 8) for source in sources)


def shift_rows(state: Value) -> Value:
    """ShiftRows (FIPS 197, 5.1.2)."""
    return _take(state, [(i + 4 * (i % 4)) % 16 for i in range(16)])


def inverse_shift_rows(state: Value) -> Value:
    """InvShiftRows (FIPS 197, 5.3.1)."""
    return _take(state, [(i - 4 * (i % 4)) % 16 for i in range(16)])


def map_bytes(rows: Rows, state: Value) -> Value:
    """``rows`` of each byte, ``len(rows)`` bits a byte."""
    return Cat((state.word_select(i, 8) & row).xor() for i in range(len(state) // 8) for row in rows)
