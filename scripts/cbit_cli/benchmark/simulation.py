"""What an engine's accesses take in simulation, against a wire in its place."""

from pathlib import Path
from typing import Any

from cbit.config import EngineConfig
from cbit_fpga.elaboration import sources_digest
from cbit_fpga.store import Store, digest
from cbit_sim.demo.figures import Cost
from cbit_sim.runner import simulate

__all__ = ["bandwidth_ratios"]

_BENCH = "cbit_sim.benches.cost"
_PARAMETERS = {"seed": 1, "samples": 1, "bursts": 400}


def bandwidth_ratios(config: EngineConfig, *, store: Store) -> dict[str, float]:
    """By kind of traffic, the part of the wire's bandwidth that the engine keeps.

    Raises
    ------
    cbit_sim.runner.BenchError
        If the simulation fails.
    """
    content = digest(config.as_dict(), _BENCH, _PARAMETERS, sources_digest("cbit", "cbit_sim"))

    def run(_folder: Path) -> dict[str, Any]:
        engine, wire = (simulate(top, _BENCH, parameters=_PARAMETERS, config=config) for top in ("engine", "wire"))
        return {row.kind: round(row.ratio, 3) for row in Cost.of(engine, wire).bandwidth}

    return store.done("bandwidth", content, run)
