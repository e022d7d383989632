"""Nextpnr, in a process of its own, and what it says of a design."""

import contextlib
import dataclasses
import gzip
import json
import math
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from cbit_fpga.devices import Device
from cbit_fpga.floorplan import with_sites
from cbit_fpga.store import Store
from cbit_sim.sources import digest

__all__ = ["Hop", "PlacementError", "critical_path", "placed"]

ROUTERS = ("router1", "router2")
"""The second is for what the first does not end with. It takes a fifth of the time, and loses a fifth of the clock."""

PATIENCE_SECONDS = 600, 0.06
"""Time of a processor that a router and the placing before it may take, and so much more for each cell: several times
as long as any design took that was routed."""

_CELL_TYPES = re.compile(r"_(?:LUT4|CCU2C|TRELLIS|DP16KD|PDPW16KD|PFUMX|L6MUX21)")
_GATEWARE = re.compile(r"/(cbit/[\w/]+\.py:\d+)")


class PlacementError(RuntimeError):
    """The design can not be placed or routed; the text is the placer's."""


class _EndlessError(RuntimeError):
    """The placer's time is over."""


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


def placed(netlist: bytes, device: Device, *, seed: int, step: str, store: Store, options: Sequence[str],
           files: Mapping[str, str] | None = None) -> tuple[str, dict[str, Any]]:
    """Places and routes a netlist, or finds it done. A clock that is missed is no failure.

    What the first of :data:`ROUTERS` can not end with is placed again, and routed by the second.

    Parameters
    ----------
    netlist : :class:`bytes`
        As :class:`~cbit_fpga.synthesis.Synthesis` has it.
    seed : :class:`int`
        Of the placer's random choices.
    step : :class:`str`
        Name of the step in the store.
    options : sequence of :class:`str`
        Of nextpnr, beside those of all designs.
    files : mapping
        Name to text of what the options name.

    Returns
    -------
    tuple
        The content in the store, and nextpnr's report, with ``router``.

    Raises
    ------
    PlacementError
        If the design does not fit or can not be routed.
    """
    cells = json.loads(gzip.decompress(netlist))
    device.route_globally(cells)
    given = {"netlist.json": json.dumps(with_sites(cells, device.floorplan(cells))), **(files or {})}
    options = (*device.part, *_options(cells, device, seed=seed), *options)
    content = digest(given, options, ROUTERS, device.placer, metadata.version(device.placer))

    def run(folder: Path) -> dict[str, Any]:
        for name, text in given.items():
            (folder / name).write_text(text, encoding="utf-8")
        patience = _patience(cells)
        failure: str | None = f"{' and '.join(ROUTERS)} took over {patience} s of a processor"
        for router in ROUTERS:
            with contextlib.suppress(_EndlessError):
                failure = _run(folder, device.placer, (*options, "--router", router), patience)
                break
        (folder / "netlist.json").unlink()
        if failure is not None:
            return {"failure": failure}
        report: dict[str, Any] = json.loads((folder / "report.json").read_text())
        return report | {"router": router}

    result = store.done(step, content, run)
    if "failure" in result:
        raise PlacementError(result["failure"])
    return content, result


def _options(netlist: Mapping[str, Any], device: Device, *, seed: int) -> tuple[str, ...]:
    """How a netlist is placed, whatever it is for: the seed, the weight of timing, and whether it has rings of gates,
    whose loops the placer would take for faults."""
    modules = netlist["modules"].values()
    has_rings = any("ring_oscillator" in cell["attributes"] for module in modules for cell in module["cells"].values())
    return ("--seed", str(seed), "--placer-heap-timingweight", str(device.timing_weight),
            *(("--ignore-loops",) if has_rings else ()))


def _patience(netlist: Mapping[str, Any]) -> int:
    """Seconds of a processor."""
    base, per_cell = PATIENCE_SECONDS
    return math.ceil(base + per_cell * sum(len(module["cells"]) for module in netlist["modules"].values()))


def _run(folder: Path, program: str, options: Sequence[str], patience: int) -> str | None:
    """Leaves ``report.json`` and ``placement.log`` beside ``netlist.json``, or says why that can not be placed."""
    # Of this environment, be it activated or not. The program sees nothing outside its working folder.
    path = str(Path(sys.executable).with_name(program))
    command = [path, "--json", "netlist.json", *options, "--report", "report.json", "--log", "placement.log",
               "--quiet", "--timing-allow-fail"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                         env=os.environ | {"PYTHONHASHSEED": "0"},
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (patience, resource.RLIM_INFINITY)))
    if run.returncode == 0:
        return None
    if run.returncode == -signal.SIGXCPU:
        raise _EndlessError
    errors = re.findall(r"^ERROR: (.*)", run.stderr, re.MULTILINE)
    if not errors:
        raise RuntimeError(f"{program} ended with status {run.returncode}: {run.stderr}")
    return str(errors[-1])


def critical_path(report: Mapping[str, Any], clock: str = "") -> tuple[Hop, ...]:
    """Of the placer's report, the slowest path from register to register: of a clock's net, or of the first clock."""
    wanted = f"posedge {clock}"
    paths = [path["path"] for path in report["critical_paths"]
             if path["from"] == path["to"] and path["from"].startswith(wanted)]
    return tuple(_hop(step) for step in paths[0]) if paths else ()


def _hop(step: Mapping[str, Any]) -> Hop:
    return Hop(kind=step["type"], delay_ns=round(step["delay"], 3), at=step.get("net", step["to"]["cell"]),
               sources=tuple(_GATEWARE.findall(" ".join(step.get("sources", ())))))
