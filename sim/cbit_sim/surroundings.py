"""What random traffic meets: DRAM, back-pressure, mode, and how much of what there is at once."""

import dataclasses
import random
from collections.abc import Iterator

from cbit_sim.dram import Personality
from cbit_sim.pauses import CHANNELS, PATTERNS, pauses

__all__ = ["PERSONALITIES", "Mode", "Pressure", "Surroundings", "random_mode"]

Mode = dict[str, bool]
"""Which of ``sme``, ``tsme`` and ``sev`` are on; what is not named is off."""

_SME_SEV: Mode = {"sme": True, "sev": True}
_MODES: tuple[Mode, ...] = (
    _SME_SEV, _SME_SEV, {"tsme": True, "sev": True}, {"sme": True, "tsme": True, "sev": True}, {"sme": True},
    {"sev": True}, {"tsme": True}, {})
_PORTS = ("manager", "dram")
_LATENCIES_CYCLES = ((1, 1), (1, 10), (1, 80), (5, 60), (20, 40), (100, 400))
_OUTSTANDING = (1, 4, 16, 64)


@dataclasses.dataclass(frozen=True)
class Pressure:
    """Back-pressure of a port.

    Parameters
    ----------
    pattern : :class:`str`
        As :func:`cbit_sim.pauses.pauses` names it.
    channels : tuple of :class:`str`
        The channels that it holds back; the others never wait.
    """

    pattern: str = "none"
    channels: tuple[str, ...] = CHANNELS

    def pauses(self, seed: int) -> dict[str, Iterator[bool]]:
        """The iterators of the channels."""
        return {channel: pattern for channel, pattern in pauses(self.pattern, seed).items() if channel in self.channels}


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """Surroundings of a run.

    Parameters
    ----------
    personality : :class:`~cbit_sim.dram.Personality`
        How DRAM behaves.
    manager, dram : :class:`Pressure`
        Back-pressure of the manager and of DRAM.
    mode : :data:`Mode` or :data:`None`
        What is encrypted; :data:`None` draws a mode after each reset.
    outstanding : :class:`int`
        The manager's reads, and its writes, in flight.
    ids : :class:`int`
        AXI IDs in use, as far as there are so many.
    denied, hot : :class:`float`
        Parts of the accesses: :class:`cbit_sim.traffic.Traffic`.
    error_lines : :class:`int`
        Lines of each page whose reads err, and lines whose writes do.
    chunk : :class:`int`
        Transactions between two quiet moments, at which all of DRAM is compared and an event may follow.
    reset_cycles : :class:`int`
        How long each reset lasts.
    """

    personality: Personality
    manager: Pressure = Pressure()
    dram: Pressure = Pressure()
    mode: Mode | None = dataclasses.field(default_factory=lambda: dict(_SME_SEV))
    outstanding: int = 64
    ids: int = 8
    denied: float = 0.1
    hot: float = 0.6
    error_lines: int = 3
    chunk: int = 250
    reset_cycles: int = 1

    @classmethod
    def random(cls, seed: int) -> "Surroundings":
        """Those of a seed: one channel alone held back, one port or both, or none; stalls of thousands of cycles
        among them."""
        rng = random.Random(f"surroundings {seed}")
        personality = Personality(
            latency_cycles=rng.choice(_LATENCIES_CYCLES), reorder=rng.random() < 0.7, interleave=rng.random() < 0.7,
            outstanding=rng.choice(_OUTSTANDING))
        pressure = dict.fromkeys(_PORTS, Pressure())
        held = rng.choice(("none", "channel", "channel", "port", "both"))
        ports = {"none": (), "both": _PORTS}.get(held, (rng.choice(_PORTS),))
        for port in ports:
            pattern = rng.choice([*PATTERNS[1:], *(["mixed"] if held != "channel" else [])])
            channels = (rng.choice(CHANNELS),) if held == "channel" else CHANNELS
            pressure[port] = Pressure(pattern, channels)
        return cls(
            personality, pressure["manager"], pressure["dram"], mode=None, outstanding=rng.choice(_OUTSTANDING),
            ids=rng.choice((1, 2, 4, 8, 16)), denied=rng.choice((0.0, 0.1, 0.4)), hot=rng.choice((0.1, 0.6, 0.95)),
            error_lines=rng.choice((0, 3, 20)), chunk=rng.choice((40, 100, 250)), reset_cycles=rng.choice((1, 1, 2, 8)))


def random_mode(rng: random.Random) -> Mode:
    """A mode: more often than not one with which there is something to encrypt."""
    return dict(rng.choice(_MODES))


PERSONALITIES = {
    "swift": Surroundings(Personality(latency_cycles=(1, 1), reorder=False, interleave=False)),
    "unordered": Surroundings(Personality(latency_cycles=(1, 80)), dram=Pressure("light")),
    "stalled": Surroundings(Personality(latency_cycles=(1, 30)), Pressure("mixed"), Pressure("mixed"), outstanding=32),
    "crowded": Surroundings(Personality(latency_cycles=(20, 40), outstanding=4), Pressure("bursty"),
                            Pressure("bursty")),
    "transparent": Surroundings(Personality(latency_cycles=(5, 60)), Pressure("light"), Pressure("heavy"),
                                {"tsme": True, "sev": True}, 16),
    "alone": Surroundings(Personality(latency_cycles=(1, 10)), outstanding=1),
}
"""Surroundings that have a name."""
