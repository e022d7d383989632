"""What is simulated of an engine: its bandwidth against that of a wire, and the netlist that is placed."""

from pathlib import Path
from typing import Any

from cbit.config import EngineConfig
from cbit_fpga.devices import Device
from cbit_fpga.measurement import synthesized
from cbit_fpga.netlist import netlist_verilog
from cbit_fpga.store import Store
from cbit_fpga.subject import Subject
from cbit_sim.demo.figures import Cost
from cbit_sim.runner import simulate
from cbit_sim.sources import digest, sources_digest

__all__ = ["bandwidth_ratios", "checked_transactions"]

_CHECK = "cbit_sim.benches.smoke"
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


def checked_transactions(subject: Subject, device: Device, *, store: Store) -> int:
    """Transactions that an engine's netlist, cell for cell what is placed, has done as the golden model says.

    Raises
    ------
    cbit_sim.runner.BenchError
        If it has done one otherwise.
    """
    netlist = netlist_verilog(synthesized(subject, device, store=store), device, store=store)
    content = digest(netlist.read_bytes(), _CHECK, sources_digest("cbit_model", "cbit_sim"))

    def run(_folder: Path) -> dict[str, Any]:
        report = simulate("engine", _CHECK, parameters={"seed": 1}, config=subject.config, source=netlist)
        return {"transactions": report["transactions"]}

    return int(store.done("check", content, run)["transactions"])
