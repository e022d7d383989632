"""The bytes of a burst's beats: examples worked by hand from AMBA AXI4, A3.4, and properties of every kind of burst."""

import itertools

import pytest

from cbit_model.access import Access, Burst, burst_beats, malformed

EXAMPLES = {
    "INCR, full width": ((0x40, 4, 4, Burst.INCR),
                         [(0x40, 0xFFFF), (0x50, 0xFFFF), (0x60, 0xFFFF), (0x70, 0xFFFF)]),
    "INCR, full width, unaligned": ((0x47, 3, 4, Burst.INCR), [(0x40, 0xFF80), (0x50, 0xFFFF), (0x60, 0xFFFF)]),
    "INCR, 4 bytes, unaligned": ((0x07, 5, 2, Burst.INCR),
                                 [(0x00, 0x0080), (0x00, 0x0F00), (0x00, 0xF000), (0x10, 0x000F), (0x10, 0x00F0)]),
    "INCR, 1 byte": ((0x0E, 3, 0, Burst.INCR), [(0x00, 0x4000), (0x00, 0x8000), (0x10, 0x0001)]),
    "INCR, last byte of a page": ((0xFFF, 1, 4, Burst.INCR), [(0xFF0, 0x8000)]),
    "WRAP, full width": ((0x70, 4, 4, Burst.WRAP), [(0x70, 0xFFFF), (0x40, 0xFFFF), (0x50, 0xFFFF), (0x60, 0xFFFF)]),
    "WRAP, 4 bytes": ((0x34, 4, 2, Burst.WRAP), [(0x30, 0x00F0), (0x30, 0x0F00), (0x30, 0xF000), (0x30, 0x000F)]),
    "WRAP, 8 bytes": ((0x58, 4, 3, Burst.WRAP), [(0x50, 0xFF00), (0x40, 0x00FF), (0x40, 0xFF00), (0x50, 0x00FF)]),
    "FIXED, 4 bytes": ((0x14, 3, 2, Burst.FIXED), [(0x10, 0x00F0)] * 3),
    "FIXED, 4 bytes, unaligned": ((0x16, 2, 2, Burst.FIXED), [(0x10, 0x00C0)] * 2),
    "INCR, 32 bytes, unaligned": ((0x4F, 2, 5, Burst.INCR, 32), [(0x40, 0xFFFF8000), (0x60, 0xFFFFFFFF)]),
    "INCR, 16 bytes of 32": ((0x50, 2, 4, Burst.INCR, 32), [(0x40, 0xFFFF0000), (0x60, 0x0000FFFF)]),
    "WRAP, 64 bytes": ((0x40, 2, 6, Burst.WRAP, 64), [(0x40, (1 << 64) - 1), (0x00, (1 << 64) - 1)]),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name):
    arguments, beats = EXAMPLES[name]
    assert burst_beats(*arguments) == beats


def addresses(beat: tuple[int, int]) -> list[int]:
    """The address of each byte of a beat."""
    container, lanes = beat
    return [container + lane for lane in range(lanes.bit_length()) if lanes >> lane & 1]


@pytest.mark.parametrize(("size", "bus_bytes"), [
    *((size, 16) for size in range(5)), (2, 32), (5, 32), (4, 64), (6, 64)])
@pytest.mark.parametrize("burst", [Burst.FIXED, Burst.INCR, Burst.WRAP])
def test_properties(size, bus_bytes, burst):
    """A beat stays in its naturally aligned window; INCR is gapless, WRAP a rotation, FIXED a repetition."""
    checked = 0
    for address, length in itertools.product(range(0xF00, 0x1000, 1), [1, 2, 3, 4, 8, 16, 40]):
        if malformed(Access(address=address, length=length, size=size, burst=burst), bus_bytes):
            continue
        checked += 1
        beats = burst_beats(address, length, size, burst, bus_bytes)
        assert len(beats) == length
        for beat in beats:
            assert beat.container % bus_bytes == 0
            assert len({byte >> size for byte in addresses(beat)}) == 1
        touched = list(itertools.chain.from_iterable(addresses(beat) for beat in beats))
        aligned = address & -(1 << size)
        total = length << size
        if burst == Burst.INCR:
            assert touched == list(range(address, aligned + total))
        elif burst == Burst.WRAP:
            boundary = address - address % total
            assert touched == [boundary + (address - boundary + step) % total for step in range(total)]
        else:
            assert beats == [beats[0]] * length
            assert addresses(beats[0]) == list(range(address, aligned + (1 << size)))
    assert checked
