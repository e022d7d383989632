"""Raw entropy of the security processor: NIST SP 800-90B's health tests, and von Neumann's corrector.

Everything takes bits and gives bits; how the gateware does it is not known here.
"""

import dataclasses
import math
from collections.abc import Iterable

__all__ = ["EntropyModel", "proportion_cutoff", "repetition_cutoff", "von_neumann"]

WINDOW_SAMPLES = 1024
STARTUP_SAMPLES = 1024
FALSE_ALARM_BITS = 20
PERIOD_BITS = 120


def repetition_cutoff(entropy_bits: float) -> int:
    """How many equal samples in a row are too many (4.4.1): 1 + ceil(20 / H)."""
    return 1 + math.ceil(FALSE_ALARM_BITS / entropy_bits)


def proportion_cutoff(entropy_bits: float) -> int:
    """How many of a window are too many (4.4.2): 1 + CRITBINOM(W, 2^-H, 1 - 2^-20).

    Raises
    ------
    ValueError
        If a bit can not have so much entropy.
    """
    if not 0 < entropy_bits <= 1:
        raise ValueError(f"entropy_bits must be over 0 and at most 1, not {entropy_bits!r}")
    likelihood = 2 ** -entropy_bits
    at_most, count = 0.0, -1
    while at_most < 1 - 2.0 ** -FALSE_ALARM_BITS:
        count += 1
        logarithm = (math.lgamma(WINDOW_SAMPLES + 1) - math.lgamma(count + 1) - math.lgamma(WINDOW_SAMPLES - count + 1)
                     + count * math.log(likelihood) + (WINDOW_SAMPLES - count) * math.log1p(-likelihood))
        at_most += math.exp(logarithm)
    return 1 + count


def von_neumann(bits: Iterable[int]) -> list[int]:
    """Of each pair of different bits the first."""
    pairs = iter(bits)
    return [first for first, second in zip(pairs, pairs, strict=False) if first != second]


@dataclasses.dataclass
class EntropyModel:
    """The tests on samples of one bit, as they come, and the words that come of them if each is taken at once.

    The repetition count test is on corrected bits, too, which shows a source that only alternates, and on the sums of
    each with the one 120 before, which shows one that recurs.

    Parameters
    ----------
    entropy_bits : :class:`float`
        What a sample is said to have at least.

    Attributes
    ----------
    repetition_failed, proportion_failed : :class:`bool`
        What has failed.
    words : list of :class:`int`
        Words of 32 bits, the first bit lowest.
    """

    entropy_bits: float = 0.5
    repetition_failed: bool = False
    proportion_failed: bool = False
    words: list[int] = dataclasses.field(default_factory=list)
    _samples: list[int] = dataclasses.field(default_factory=list)
    _corrected: list[int] = dataclasses.field(default_factory=list)
    _gathered: list[int] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self._repetitions = repetition_cutoff(self.entropy_bits)
        self._most = proportion_cutoff(self.entropy_bits)

    @property
    def has_failed(self) -> bool:
        """Whether a test has failed."""
        return self.repetition_failed or self.proportion_failed

    def feed(self, sample: int) -> None:
        """One sample more."""
        if self.has_failed:
            return
        self._samples.append(sample)
        window = self._samples[(len(self._samples) - 1) // WINDOW_SAMPLES * WINDOW_SAMPLES:]
        self.proportion_failed = window.count(window[0]) >= self._most
        self.repetition_failed = self._repeats(self._samples)
        if len(self._samples) % 2 == 0:
            self._correct(*von_neumann(self._samples[-2:]))

    def _changes(self) -> list[int]:
        """How the last corrected bits differ from those a period before."""
        bits = self._corrected[-self._repetitions - PERIOD_BITS:]
        return [before ^ bit for before, bit in zip(bits, bits[PERIOD_BITS:], strict=False)]

    def _repeats(self, bits: list[int]) -> bool:
        return len(bits) >= self._repetitions and len(set(bits[-self._repetitions:])) == 1

    def _correct(self, *bits: int) -> None:
        self._corrected += bits
        self.repetition_failed |= self._repeats(self._corrected) or self._repeats(self._changes())
        if len(self._samples) > STARTUP_SAMPLES and not self.has_failed:
            self._gathered += bits
        if len(self._gathered) == 32:
            self.words.append(sum(bit << place for place, bit in enumerate(self._gathered)))
            self._gathered.clear()
