"""A file's bytes as pixels, and the mark that is written on them."""

import pytest

from cbit_sim.demo.bytemap import ByteMap
from cbit_sim.demo.picture import HEIGHT, WIDTH, default_file


def test_uncompressed_pictures_are_laid_out_as_they_are():
    data = default_file()
    layout = ByteMap.of(data)
    assert (layout.width, layout.height, layout.channels) == (WIDTH, HEIGHT, 3)
    assert layout.pixels(data)[HEIGHT - 1, WIDTH - 1].tobytes() == data[-3:]


@pytest.mark.parametrize("data", [b"x", b"ab", bytes(1000), b"P6\n9999 9999\n255\n", b"P6\n2 2\n"])
def test_anything_else_is_gray(data):
    layout = ByteMap.of(data)
    assert (layout.channels, layout.offset) == (1, 0)
    assert layout.width * layout.height >= len(data)
    assert layout.pixels(data).reshape(-1).tobytes().startswith(data)


@pytest.mark.parametrize("size", [1, 2, 3, 10, 999, 70000])
def test_mark_is_within_the_file(size):
    stamp = ByteMap.of(bytes(size)).stamp(size)
    assert stamp == sorted(set(stamp))
    assert 0 <= stamp[0] <= stamp[-1] < size
