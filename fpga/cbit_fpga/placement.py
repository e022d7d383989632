"""From a netlist to a placed and routed device: how fast it is, and why not faster."""

import dataclasses
import gzip
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from cbit_fpga.devices import Device
from cbit_fpga.floorplan import with_sites
from cbit_fpga.store import Store
from cbit_sim.sources import digest

__all__ = ["Hop", "Placement", "PlacementError", "place", "router_for"]

TARGET_MHZ = 200
"""The clock that the placer tries to reach."""

SMALL = 10_000
"""LUTs up to which the placer's own router ends in minutes. It loses less of the clock than the other, which is quick
where much is connected to much, as in many AES rounds."""

TIMING_WEIGHT = 40
"""Of paths against the length of all wires, four times the placer's own."""

_CELL_TYPES = re.compile(r"_(?:LUT4|CCU2C|TRELLIS|DP16KD|PDPW16KD|PFUMX|L6MUX21)")
_GATEWARE = re.compile(r"/(cbit/[\w/]+\.py:\d+)")


class PlacementError(RuntimeError):
    """The design can not be placed or routed; the text is the placer's."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hop:
    """A step of a path.

    Parameters
    ----------
    kind : :class:`str`
        ``clk-to-q``, ``routing``, ``logic`` or ``setup``.
    delay_ns : :class:`float`
        What it takes.
    at : :class:`str`
        The net of routing, or else the cell.
    sources : tuple of :class:`str`
        Lines of the gateware that it came from, as far as they are known.
    """

    kind: str
    delay_ns: float
    at: str
    sources: tuple[str, ...]

    @property
    def signal(self) -> str:
        """The signal of the gateware whose name is in that of the cell or net."""
        return _CELL_TYPES.split(self.at, maxsplit=1)[0]


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
    critical_path : tuple of :class:`Hop`
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
    PlacementError
        If the design does not fit or can not be routed.
    """
    cells = json.loads(gzip.decompress(netlist))
    device.route_globally(cells)
    text = json.dumps(with_sites(cells, device.floorplan(cells)))
    options = (*device.part, "--seed", str(seed), "--freq", str(TARGET_MHZ),
               "--placer-heap-timingweight", str(TIMING_WEIGHT), "--router", router_for(cells), *_loops(cells))
    content = digest(text, options, device.placer, metadata.version(device.placer))

    def run(folder: Path) -> dict[str, Any]:
        (folder / "netlist.json").write_text(text, encoding="utf-8")
        failure = _run_placer(folder, device.placer, options)
        (folder / "netlist.json").unlink()
        if failure is not None:
            return {"failure": failure}
        report: dict[str, Any] = json.loads((folder / "report.json").read_text())
        return report

    result = store.done("placement", content, run)
    if "failure" in result:
        raise PlacementError(result["failure"])
    return _placement(result, seed)


def router_for(netlist: dict[str, Any]) -> str:
    """The router of nextpnr that suits the size of a netlist, as yosys' JSON has it."""
    luts = sum(cell["type"] == "LUT4" for module in netlist["modules"].values() for cell in module["cells"].values())
    return "router1" if luts <= SMALL else "router2"


def _loops(cells: dict[str, Any]) -> tuple[str, ...]:
    """The option for a design with rings of gates: without it the placer takes their loops for faults."""
    modules = cells["modules"].values()
    has_rings = any("ring_oscillator" in cell["attributes"] for module in modules for cell in module["cells"].values())
    return ("--ignore-loops",) if has_rings else ()


def _run_placer(folder: Path, program: str, options: tuple[str, ...]) -> str | None:
    """Why the design can not be placed, if it can not."""
    # Of this environment, be it activated or not. The program sees nothing outside its working folder.
    path = str(Path(sys.executable).with_name(program))
    command = [path, "--json", "netlist.json", *options, "--report", "report.json", "--log", "placement.log",
               "--quiet", "--lpf-allow-unconstrained", "--timing-allow-fail"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                         env=os.environ | {"PYTHONHASHSEED": "0"})
    if run.returncode == 0:
        return None
    errors = re.findall(r"^ERROR: (.*)", run.stderr, re.MULTILINE)
    if not errors:
        raise RuntimeError(f"{program} ended with status {run.returncode}: {run.stderr}")
    return str(errors[-1])


def _placement(report: dict[str, Any], seed: int) -> Placement:
    (clock,) = report["fmax"].values()
    paths = [path["path"] for path in report["critical_paths"]
             if path["from"] == path["to"] and path["from"].startswith("posedge")]
    return Placement(
        seed=seed, mhz=round(clock["achieved"], 2),
        used={site: counts["used"] for site, counts in report["utilization"].items() if counts["used"]},
        critical_path=tuple(_hop(step) for step in paths[0]) if paths else ())


def _hop(step: dict[str, Any]) -> Hop:
    return Hop(kind=step["type"], delay_ns=round(step["delay"], 3), at=step.get("net", step["to"]["cell"]),
               sources=tuple(_GATEWARE.findall(" ".join(step.get("sources", ())))))
