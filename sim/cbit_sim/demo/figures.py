"""What encryption costs: the engine's measurements beside the wire's."""

import dataclasses
import statistics
from collections.abc import Mapping
from typing import Any

__all__ = ["Bandwidth", "Cost", "Latency"]


@dataclasses.dataclass(frozen=True)
class Latency:
    """Of one kind of access, in cycles.

    Parameters
    ----------
    kind : :class:`str`
        Of access.
    wire, engine : :class:`float`
        Median on the idle bus.
    idle, loaded : list of :class:`int`
        What the engine adds to each access, on the idle bus and under load.
    """

    kind: str
    wire: float
    engine: float
    idle: list[int]
    loaded: list[int]

    @property
    def added(self) -> float:
        """Median of what is added on the idle bus."""
        return statistics.median(self.idle)

    @property
    def loaded_median(self) -> float:
        """Median of what is added under load."""
        return statistics.median(self.loaded)

    @property
    def loaded_tail(self) -> int:
        """What 99 of 100 accesses under load do not exceed."""
        return sorted(self.loaded)[max(0, -(-99 * len(self.loaded) // 100) - 1)]


@dataclasses.dataclass(frozen=True)
class Bandwidth:
    """Of one kind of traffic, in beats a cycle."""

    kind: str
    wire: float
    engine: float

    @property
    def ratio(self) -> float:
        """The engine's part of the wire's."""
        return self.engine / self.wire


@dataclasses.dataclass(frozen=True)
class Cost:
    """All figures."""

    latency: list[Latency]
    bandwidth: list[Bandwidth]

    @classmethod
    def of(cls, engine: Mapping[str, Any], wire: Mapping[str, Any]) -> "Cost":
        """From the reports of :mod:`cbit_sim.benches.cost`."""
        latencies = []
        for kind, idle in engine["latency"]["idle"].items():
            added = {load: [mine - other for mine, other in zip(
                engine["latency"][load][kind], wire["latency"][load][kind], strict=True)]
                for load in engine["latency"]}
            latencies.append(Latency(kind, statistics.median(wire["latency"]["idle"][kind]), statistics.median(idle),
                                     added["idle"], added["loaded"]))
        return cls(latencies, [Bandwidth(kind, _rate(wire["bandwidth"][kind]), _rate(measured))
                               for kind, measured in engine["bandwidth"].items()])

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "latency_cycles": {row.kind: {
                "wire": row.wire, "engine": row.engine, "added_idle": row.idle, "added_loaded": row.loaded,
                "added_idle_median": row.added, "added_loaded_median": row.loaded_median,
                "added_loaded_99_percent": row.loaded_tail} for row in self.latency},
            "bandwidth_beats_per_cycle": {row.kind: {"wire": row.wire, "engine": row.engine, "ratio": row.ratio}
                                          for row in self.bandwidth}}


def _rate(measured: Mapping[str, int]) -> float:
    return measured["beats"] / measured["cycles"]
