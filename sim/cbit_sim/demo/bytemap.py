"""A file's bytes as rows of pixels, so that memory can be looked at."""

import dataclasses
import io
import math
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["ByteMap"]

_MAX_HEADER_BYTES = 128
_CHANNELS = {"L": 1, "RGB": 3}


@dataclasses.dataclass(frozen=True)
class ByteMap:
    """Where in a file its pixels are.

    Parameters
    ----------
    width, height : :class:`int`
        Pixels of a row, and rows; the last row may be incomplete.
    channels : :class:`int`
        Bytes of a pixel: 1 is gray, 3 is red, green, blue.
    offset : :class:`int`
        Bytes before the first pixel.
    """

    width: int
    height: int
    channels: int = 1
    offset: int = 0

    @classmethod
    def of(cls, data: bytes) -> "ByteMap":
        """That of an uncompressed PPM or PGM file; of anything else a gray square, a pixel for each byte."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            try:
                image = Image.open(io.BytesIO(data), formats=["PPM"])
            except (OSError, ValueError, Image.DecompressionBombError):
                image = None
        if image is not None and image.mode in _CHANNELS:
            channels = _CHANNELS[image.mode]
            offset = len(data) - image.width * image.height * channels
            if 0 <= offset <= _MAX_HEADER_BYTES:
                return cls(image.width, image.height, channels, offset)
        width = max(1, math.isqrt(len(data)))
        return cls(width, -(-len(data) // width))

    def pixels(self, data: bytes) -> NDArray[np.uint8]:
        """The pixels of bytes laid out as the file is: rows, columns and channels; what is missing is black."""
        size = self.width * self.height * self.channels
        row = np.zeros(size, dtype=np.uint8)
        content = np.frombuffer(data[self.offset:self.offset + size], dtype=np.uint8)
        row[:len(content)] = content
        return row.reshape(self.height, self.width, self.channels)

    def stamp(self, size: int) -> list[int]:
        """Offsets of the bytes of a mark, a keyhole in the middle, in a file of ``size`` bytes; at least one byte."""
        rows, columns = np.mgrid[0:self.height, 0:self.width]
        unit = max(1, min(self.width, self.height)) / 10
        x, y = (columns - (self.width - 1) / 2) / unit, (rows - (self.height - 1) / 2) / unit
        head = x * x + (y + 1) ** 2 <= 2.2
        body = (y >= -1) & (y <= 3) & (abs(x) <= 0.5 + (y + 1) * 0.22)
        marked = np.flatnonzero(np.repeat((head | body).reshape(-1), self.channels)) + self.offset
        return [int(offset) for offset in marked[marked < size]] or [size // 2]
