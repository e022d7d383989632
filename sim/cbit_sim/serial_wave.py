"""Bytes as levels of a serial line, and back: 8N1, at any rate, whole cycles of a clock or not."""

import random
from collections.abc import Iterable, Iterator

__all__ = ["bytes_of", "levels", "pulses", "random_gaps"]

_BITS = 10


def pulses(content: bytes, cycles_a_bit: float, *, gaps: Iterable[float] = ()) -> Iterator[tuple[int, int]]:
    """The line as levels, and how many cycles of each; ``gaps`` are bits of rest after each byte, zero where they end.
    """
    time = 0.0
    rests = iter(gaps)
    for byte in content:
        bits = [0, *(byte >> place & 1 for place in range(8)), 1]
        lengths = [1.0] * (_BITS - 1) + [1.0 + next(rests, 0.0)]
        for level, length in zip(bits, lengths, strict=True):
            end = time + length * cycles_a_bit
            if cycles := round(end) - round(time):
                yield level, cycles
            time = end


def levels(content: bytes, cycles_a_bit: float, *, gaps: Iterable[float] = ()) -> Iterator[int]:
    """The same, cycle by cycle."""
    for level, cycles in pulses(content, cycles_a_bit, gaps=gaps):
        yield from [level] * cycles


def bytes_of(line: Iterable[int], cycles_a_bit: float) -> bytes:
    """The bytes of a line, sampled once a cycle, that is at rest at first.

    Raises
    ------
    ValueError
        If a stop bit is low.
    """
    seen = list(line)
    content, cycle = bytearray(), 0
    while 0 in seen[cycle:]:
        start = seen.index(0, cycle)
        bits = [seen[place] if (place := int(start + (number + 0.5) * cycles_a_bit)) < len(seen) else 1
                for number in range(_BITS)]
        if bits[0] or not bits[-1]:
            raise ValueError(f"Bits of a byte must begin with 0 and end with 1, not be {bits}")
        content.append(sum(bit << place for place, bit in enumerate(bits[1:-1])))
        cycle = int(start + (_BITS - 0.5) * cycles_a_bit)
    return bytes(content)


def random_gaps(rng: random.Random, *, most_bits: float) -> Iterator[float]:
    """Rests of no time or some, for ever."""
    while True:
        yield rng.choice((0.0, rng.random() * most_bits))
