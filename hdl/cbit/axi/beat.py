"""How AES blocks lie in beats as wide as the bus, and beats in lines of 64 bytes."""

import dataclasses

__all__ = ["BLOCKS_PER_LINE", "BLOCK_BITS", "LINE_BYTES", "BeatShape"]

BLOCK_BITS = 128
"""Bits of an AES block."""

LINE_BYTES = 64

BLOCKS_PER_LINE = 8 * LINE_BYTES // BLOCK_BITS


@dataclasses.dataclass(frozen=True)
class BeatShape:
    """What follows from the width of a data bus.

    Parameters
    ----------
    data_width : :class:`int`
        Bits of a beat: 128, 256 or 512.

    Raises
    ------
    ValueError
        If the width is none of these.
    """

    data_width: int

    def __post_init__(self) -> None:
        if self.data_width not in (128, 256, 512):
            raise ValueError(f"data_width must be 128, 256 or 512, not {self.data_width!r}")

    @property
    def bytes(self) -> int:
        """Bytes of a beat."""
        return self.data_width // 8

    @property
    def size(self) -> int:
        """AxSIZE of a beat, and bits of a byte's place in it."""
        return self.bytes.bit_length() - 1

    @property
    def blocks(self) -> int:
        """Blocks of a beat."""
        return self.data_width // BLOCK_BITS

    @property
    def per_line(self) -> int:
        """Beats of a line."""
        return LINE_BYTES // self.bytes

    @property
    def number_bits(self) -> int:
        """Bits of a beat's number in its line."""
        return self.per_line.bit_length() - 1
