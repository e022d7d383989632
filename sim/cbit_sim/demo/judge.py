"""Judges what the gateware's observers saw by what the golden model's saw, and counts what it is worth."""

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping

import numpy as np

from cbit_model.access import BLOCK_BYTES
from cbit_sim.demo.actor import Observation
from cbit_sim.demo.story import COPIES, SECRET, Story
from cbit_sim.scoreboard import MismatchError

__all__ = ["Agreement", "changed_blocks", "compare", "compare_owners", "repeated_blocks"]


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How many bytes of what was seen are those of the file, beside what chance gives.

    Parameters
    ----------
    equal, total : :class:`int`
        Bytes.
    """

    equal: int
    total: int

    @classmethod
    def of(cls, seen: bytes, file: bytes) -> "Agreement":
        """Of two strings of bytes of the same length."""
        return cls(int(np.count_nonzero(np.frombuffer(seen, np.uint8) == np.frombuffer(file, np.uint8))), len(file))

    @property
    def expected(self) -> float:
        """Equal bytes if what was seen were noise: one in 256."""
        return self.total / 256

    @property
    def sigmas(self) -> float:
        """Deviation from that in standard deviations of the binomial distribution."""
        return (self.equal - self.expected) / math.sqrt(self.total * 255) * 256

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return {"equal": self.equal, "total": self.total, "expected": self.expected, "sigmas": self.sigmas}


def _require_equal(observer: str, start: int, expected: bytes, got: bytes) -> None:
    if expected == got:
        return
    offset = next(offset for offset, (left, right) in enumerate(zip(expected, got, strict=True)) if left != right)
    raise MismatchError(f"address {start + offset:#x}, observer {observer}: expected {expected[offset]:#04x}, "
                        f"got {got[offset]:#04x}")


def compare(expected: Mapping[str, Observation], got: Mapping[str, Observation]) -> int:
    """Compares every observation, and returns the number of bytes compared.

    Raises
    ------
    MismatchError
        At the first byte or response that differs; the text names address, observer, expected and got.
    """
    compared = 0
    for name, (start, content, response) in expected.items():
        _require_equal(name, start, content, got[name].content)
        if got[name].response != response:
            raise MismatchError(f"address {start:#x}, observer {name}: expected {response.name}, "
                                f"got {got[name].response.name}")
        compared += len(content)
    return compared


def compare_owners(story: Story, got: Mapping[str, Observation]) -> None:
    """Compares what the owners of copies read with the file itself, and what guest 1 was sent with what it reads.

    Raises
    ------
    MismatchError
        At the first byte that differs; as :func:`compare`.
    """
    wanted = {f"{owner.name}: {name}": story.data for name, owner in COPIES.items()} | {"guest 1: secret": SECRET}
    for name, content in wanted.items():
        _require_equal(name, got[name].start, content, got[name].content)


def repeated_blocks(content: bytes) -> int:
    """Blocks of 16 bytes that are equal to an earlier one."""
    starts = range(0, len(content) - BLOCK_BYTES + 1, BLOCK_BYTES)
    blocks = Counter(content[start:start + BLOCK_BYTES] for start in starts)
    return blocks.total() - len(blocks)


def changed_blocks(before: bytes, after: bytes) -> list[bool]:
    """For each block of 16 bytes whether it differs."""
    return [before[start:start + BLOCK_BYTES] != after[start:start + BLOCK_BYTES]
            for start in range(0, len(before), BLOCK_BYTES)]
