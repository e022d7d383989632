"""The picture that is encrypted when no file is named: flat areas and repeats, which a weak mode would betray."""

import io
import random

from PIL import Image, ImageDraw

__all__ = ["HEIGHT", "WIDTH", "default_file"]

WIDTH, HEIGHT = 192, 128

_SKY = ("#141c3a", "#1d2a55", "#2c3f78", "#45609c", "#7b8fc0")
_FAR_ICE, _NEAR_ICE, _SHADE = "#9fc4dd", "#eaf4fb", "#c3dcec"
_BLACK, _WHITE, _ORANGE, _MOON, _STAR = "#10131c", "#fdfdf8", "#f59f1c", "#ffe9a8", "#ffffff"


def _landscape(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    for band, color in enumerate(_SKY):
        draw.rectangle((0, 18 * band, WIDTH, 18 * (band + 1)), fill=color)
    for _ in range(60):
        x, y = rng.randrange(WIDTH), rng.randrange(50)
        draw.point((x, y), fill=_STAR)
    draw.ellipse((18, 10, 48, 40), fill=_MOON)
    draw.ellipse((28, 6, 56, 34), fill=_SKY[1])
    draw.polygon([(0, 92), (0, 70), (22, 54), (40, 70), (58, 60), (84, 92)], fill=_FAR_ICE)
    draw.polygon([(120, 92), (146, 62), (160, 72), (178, 50), (WIDTH, 68), (WIDTH, 92)], fill=_FAR_ICE)
    draw.polygon([(22, 54), (14, 60), (20, 66), (30, 62)], fill=_NEAR_ICE)
    draw.polygon([(178, 50), (170, 60), (180, 64), (187, 60)], fill=_NEAR_ICE)
    draw.rectangle((0, 90, WIDTH, HEIGHT), fill=_NEAR_ICE)
    draw.ellipse((50, 108, 142, 124), fill=_SHADE)


def _penguin(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((70, 108, 95, 120), fill=_ORANGE)
    draw.ellipse((97, 108, 122, 120), fill=_ORANGE)
    draw.polygon([(70, 56), (52, 90), (56, 96), (78, 78)], fill=_BLACK)
    draw.polygon([(122, 56), (140, 90), (136, 96), (114, 78)], fill=_BLACK)
    draw.ellipse((66, 40, 126, 116), fill=_BLACK)
    draw.ellipse((74, 12, 118, 62), fill=_BLACK)
    draw.ellipse((76, 56, 116, 114), fill=_WHITE)
    draw.ellipse((79, 24, 97, 48), fill=_WHITE)
    draw.ellipse((95, 24, 113, 48), fill=_WHITE)
    draw.ellipse((87, 31, 93, 40), fill=_BLACK)
    draw.ellipse((99, 31, 105, 40), fill=_BLACK)
    draw.polygon([(85, 44), (107, 44), (96, 55)], fill=_ORANGE)


def default_file() -> bytes:
    """A penguin by moonlight, as an uncompressed PPM file of 24 bits a pixel."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    _landscape(draw, random.Random(1))
    _penguin(draw)
    file = io.BytesIO()
    image.save(file, format="PPM")
    return file.getvalue()
