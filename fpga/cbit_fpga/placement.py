"""From a netlist to a placed and routed device: how fast it is, and why not faster."""

import dataclasses
import gzip
import json
from importlib import metadata
from pathlib import Path
from typing import Any

from cbit_fpga.devices import Device
from cbit_fpga.floorplan import with_sites
from cbit_fpga.placer import Hop, PlacementError, critical_path, placer_options, run_placer
from cbit_fpga.store import Store
from cbit_sim.sources import digest

__all__ = ["Placement", "place"]

TARGET_MHZ = 200
"""The clock that the placer tries to reach."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement:
    """A placed and routed netlist.

    Parameters
    ----------
    seed : :class:`int`
        Of the placer.
    mhz : :class:`float`
        The highest clock.
    used : dict
        The placer's count of each kind of site, those of the frame included.
    critical_path : tuple of :class:`~cbit_fpga.placer.Hop`
        The slowest path from register to register.
    """

    seed: int
    mhz: float
    used: dict[str, int]
    critical_path: tuple[Hop, ...]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Placement":
        """The inverse of :func:`dataclasses.asdict`, over JSON."""
        path = tuple(Hop(**hop | {"sources": tuple(hop["sources"])}) for hop in values["critical_path"])
        return cls(**values | {"critical_path": path})


def place(netlist: bytes, device: Device, *, seed: int, store: Store) -> Placement:
    """Places and routes a netlist.

    Parameters
    ----------
    netlist : :class:`bytes`
        As :class:`~cbit_fpga.synthesis.Synthesis` has it.
    seed : :class:`int`
        Of the placer's random choices.

    Raises
    ------
    cbit_fpga.placer.PlacementError
        If the design does not fit or can not be routed.
    """
    cells = json.loads(gzip.decompress(netlist))
    device.route_globally(cells)
    text = json.dumps(with_sites(cells, device.floorplan(cells)))
    options = (*device.part, *placer_options(cells, seed=seed), "--freq", str(TARGET_MHZ), *device.any_pins)
    content = digest(text, options, device.placer, metadata.version(device.placer))

    def run(folder: Path) -> dict[str, Any]:
        (folder / "netlist.json").write_text(text, encoding="utf-8")
        failure = run_placer(folder, device.placer, options)
        (folder / "netlist.json").unlink()
        if failure is not None:
            return {"failure": failure}
        report: dict[str, Any] = json.loads((folder / "report.json").read_text())
        return report

    result = store.done("placement", content, run)
    if "failure" in result:
        raise PlacementError(result["failure"])
    return _placement(result, seed)


def _placement(report: dict[str, Any], seed: int) -> Placement:
    (clock,) = report["fmax"].values()
    return Placement(
        seed=seed, mhz=round(clock["achieved"], 2),
        used={site: counts["used"] for site, counts in report["utilization"].items() if counts["used"]},
        critical_path=critical_path(report))
