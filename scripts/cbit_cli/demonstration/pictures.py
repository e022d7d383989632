"""Pictures of memory, as PNG inside a URL."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cbit_model.access import BLOCK_BYTES
from cbit_sim.demo.bytemap import ByteMap

__all__ = ["memory_picture", "photograph", "trace_picture"]

_MAX_PIXELS = 384
_MAX_PHOTOGRAPH = (640, 480)
_CHANGED, _SAME = (214, 64, 69), (226, 229, 236)


def _url(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _reduced(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every so manieth pixel of what is large: an average would make noise gray."""
    step = -(-max(pixels.shape[:2]) // _MAX_PIXELS)
    return np.ascontiguousarray(pixels[::step, ::step])


def memory_picture(content: bytes, layout: ByteMap) -> str:
    """Bytes of memory, laid out as the file is."""
    pixels = _reduced(layout.pixels(content))
    return _url(Image.fromarray(pixels[..., 0] if layout.channels == 1 else pixels))


def trace_picture(changed: Sequence[bool], size: int, layout: ByteMap) -> str:
    """The bytes of a file, of ``size``, whose blocks have changed, in red."""
    marks = np.repeat(np.array(changed, dtype=np.uint8), BLOCK_BYTES)[:size]
    pixels = _reduced(layout.pixels(marks.tobytes()))
    colors = np.array([_SAME, _CHANGED], dtype=np.uint8)
    return _url(Image.fromarray(colors[pixels.max(axis=2)]))


def photograph(content: bytes) -> str | None:
    """The picture that a file is, if it is one."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.thumbnail(_MAX_PHOTOGRAPH)
            return _url(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
