"""One row of a benchmark, and all of them as JSON."""

import dataclasses
import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Any

from cbit_fpga.devices import Device
from cbit_fpga.figures import EngineFigures
from cbit_fpga.measurement import Measurement
from cbit_fpga.subject import Subject

__all__ = ["Row", "results"]

_PACKAGES = ("cbit", "amaranth", "pyosys")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """An engine or a part, and what was measured of it.

    Parameters
    ----------
    preset : :class:`str`
        Where the configuration began.
    subject : :class:`~cbit_fpga.subject.Subject`
    device : :class:`~cbit_fpga.devices.Device`
    measurement : :class:`~cbit_fpga.measurement.Measurement`
    latency_cycles, bandwidth : mapping
        Of an engine: cycles that it adds, and its part of a wire's bandwidth, each by kind of access.
    checked : :class:`int` or :data:`None`
        Transactions that its netlist has done right in simulation; :data:`None` if it was not tried.
    """

    preset: str
    subject: Subject
    device: Device
    measurement: Measurement
    latency_cycles: Mapping[str, int] = dataclasses.field(default_factory=dict)
    bandwidth: Mapping[str, float] = dataclasses.field(default_factory=dict)
    checked: int | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.preset} {self.subject.part}".strip()

    @property
    def figures(self) -> EngineFigures | None:
        """What it means, if it is an engine that was placed."""
        mhz = self.measurement.mhz
        if self.subject.part or mhz is None:
            return None
        return EngineFigures(config=self.subject.config, device=self.device, cells=self.measurement.cells, mhz=mhz)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        cells = self.measurement.cells
        figures = self.figures
        return {
            "preset": self.preset, **self.subject.as_dict(), "device": self.device.name, "luts": cells.luts,
            "cells": dataclasses.asdict(cells), "mhz_median": self.measurement.mhz,
            "mhz": {str(placement.seed): placement.mhz for placement in self.measurement.placements},
            "router": {str(placement.seed): placement.router for placement in self.measurement.placements},
            "failure": self.measurement.failure, "gateware": self.measurement.gateware,
            **(figures.as_dict() if figures else {}),
            "latency_cycles": dict(self.latency_cycles),
            "latency_ns": {kind: round(figures.nanoseconds(cycles), 1) for kind, cycles in self.latency_cycles.items()}
                          if figures else {},
            "bandwidth": dict(self.bandwidth), "netlist_transactions": self.checked}


def results(rows: Sequence[Row], *, command: str) -> dict[str, Any]:
    """All rows, as JSON knows them, each with the command that repeats it."""
    tools = dict.fromkeys([*_PACKAGES, *(row.device.placer for row in rows)])
    return {"versions": {name: importlib.metadata.version(name) for name in tools},
            "rows": [row.as_dict() | {"command": command} for row in rows]}
