"""How fast simulations run and where their time goes, and how fast the golden model is."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cbit.config import EngineConfig
from cbit_cli.benchmark.tables import aligned
from cbit_model.throughput import megabytes_per_second, memory_megabytes_per_second
from cbit_sim.runner import simulate

__all__ = ["Simulated", "measured_model", "measured_simulation", "simulation_results", "simulation_table"]

_LAYERS = "cbit_sim.benches.speed"
_TRAFFIC = "cbit_sim.benches.random_traffic"
_PARAMETERS = {"seed": 7, "transactions": 3000, "personality": "unordered"}
_LINE_BYTES, _PAGE_BYTES = 64, 4096


@dataclasses.dataclass(frozen=True, kw_only=True)
class Simulated:
    """The speed of one engine's simulation.

    Parameters
    ----------
    name : :class:`str`
        For people.
    config : :class:`~cbit.config.EngineConfig`
    wall, cpu : :class:`float`
        Cycles of random traffic per second of wall and of processor time.
    layers, microseconds : mapping
        Of the bench ``speed``: cycles per second with each layer, and what each adds to a cycle.
    steps_microseconds : :class:`float`
        What of a cycle, with all layers, is Python's.
    """

    name: str
    config: EngineConfig
    wall: float
    cpu: float
    layers: Mapping[str, int]
    microseconds: Mapping[str, float]
    steps_microseconds: float

    @property
    def python_share(self) -> float:
        """Part of a cycle with all layers in which Python steps models, 0 to 1; the rest is the simulator's."""
        return self.steps_microseconds * 1e-6 * self.layers["checked"]

    @property
    def slowdown(self) -> float:
        """How many times slower random traffic is than the idle engine under its clock alone."""
        return self.layers["model"] / self.cpu

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "engine": self.name, "config": self.config.as_dict(), "traffic_cycles_per_second": round(self.wall),
            "traffic_cycles_per_cpu_second": round(self.cpu), "layers": dict(self.layers),
            "microseconds": dict(self.microseconds), "python_share": round(self.python_share, 3),
            "slowdown": round(self.slowdown, 2)}


def measured_simulation(name: str, config: EngineConfig, progress: Callable[[float, str], None]) -> Simulated:
    """Simulates an engine, which is built first where it is not yet.

    Raises
    ------
    cbit_sim.runner.BenchError
        If a bench fails.
    """
    layers = simulate("engine", _LAYERS, config=config, progress=lambda part, text: progress(part / 2, text))
    traffic = simulate("engine", _TRAFFIC, config=config, parameters=_PARAMETERS,
                       progress=lambda part, text: progress((1 + part) / 2, text))
    return Simulated(
        name=name, config=config, wall=traffic["cycles_per_second"], cpu=traffic["cycles"] / traffic["cpu_seconds"],
        layers=layers["layers"], microseconds=layers["microseconds"], steps_microseconds=layers["steps_microseconds"])


def measured_model() -> dict[str, float]:
    """Megabytes a second of the golden model by kind of call: 128-bit keys, data units of 64 bytes."""
    rates = {"buffer of 16 MiB, encrypted": megabytes_per_second(key_bits=128, data_unit_bytes=_LINE_BYTES)}
    for text, burst_bytes, calls in (("line", _LINE_BYTES, 10_000), ("burst of 4 KiB", _PAGE_BYTES, 1_000)):
        for write in (False, True):
            kind = f"{text}, encrypted {'write' if write else 'read'}"
            rates[kind] = memory_megabytes_per_second(write=write, burst_bytes=burst_bytes, calls=calls)
    return {kind: round(rate, 2) for kind, rate in rates.items()}


def simulation_results(rows: Sequence[Simulated], model: Mapping[str, float], *, command: str) -> dict[str, Any]:
    """All of it, as JSON knows it."""
    return {"command": command, "rows": [row.as_dict() for row in rows], "model_megabytes_per_second": dict(model)}


def simulation_table(rows: Sequence[Simulated], model: Mapping[str, float]) -> str:
    """For a terminal."""
    engines = aligned([
        ["cycles per second", *rows[0].layers, "traffic, wall", "traffic, CPU", "slowdown", "Python"],
        *([row.name, *(f"{rate:,}" for rate in row.layers.values()), f"{row.wall:,.0f}", f"{row.cpu:,.0f}",
           f"{row.slowdown:.1f}", f"{row.python_share:.0%}"] for row in rows)])
    costs = aligned([
        ["microseconds added to a cycle", *rows[0].microseconds],
        *([row.name, *(f"{cost:.1f}" for cost in row.microseconds.values())] for row in rows)])
    rates = aligned([["golden model", "MB/s"], *([kind, f"{rate:,.1f}"] for kind, rate in model.items())])
    return "\n\n".join([engines, costs, rates])
