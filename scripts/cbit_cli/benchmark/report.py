"""The rows that a benchmark reports: as a table, and as JSON."""

import dataclasses
import importlib.metadata
from collections.abc import Sequence
from typing import Any

from cbit_fpga.devices import Device
from cbit_fpga.figures import EngineFigures
from cbit_fpga.measurement import Measurement
from cbit_fpga.subject import Subject

__all__ = ["Row", "results", "table"]

_PACKAGES = ("cbit", "amaranth", "pyosys")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """An engine or a part, and what was measured of it."""

    preset: str
    subject: Subject
    device: Device
    measurement: Measurement

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
        placements = self.measurement.placements
        figures = self.figures
        return {
            "preset": self.preset, **self.subject.as_dict(), "device": self.device.name,
            "luts": cells.luts, "cells": dataclasses.asdict(cells), "mhz_median": self.measurement.mhz,
            "mhz": {str(placement.seed): placement.mhz for placement in placements},
            **(figures.as_dict() if figures is not None else {})}


def results(rows: Sequence[Row]) -> dict[str, Any]:
    """All rows, as JSON knows them, and what made them."""
    tools = dict.fromkeys([*_PACKAGES, *(row.device.placer for row in rows)])
    return {"versions": {name: importlib.metadata.version(name) for name in tools},
            "rows": [row.as_dict() for row in rows]}


def table(rows: Sequence[Row], *, paths: bool = False) -> str:
    """For people."""
    cells: list[tuple[str, ...]] = [
        ("", "LUT4", "registers", "RAM 16x4", "block RAMs", "MHz", "of each seed", "Gb/s", "Gb/s per kLUT4")]
    for row in rows:
        counted, measured, figures = row.measurement.cells, row.measurement, row.figures
        cells.append((
            row.name, f"{counted.luts}", f"{counted.registers}", f"{counted.ram_16x4}", f"{counted.block_rams}",
            f"{measured.mhz:.1f}" if measured.mhz else "", " ".join(f"{p.mhz:.1f}" for p in measured.placements),
            *((f"{figures.gbps:.1f}", f"{figures.gbps_per_kilolut:.2f}") if figures else ("", ""))))
    used = [column for column in range(len(cells[0])) if any(row[column] for row in cells[1:])]
    widths = {column: max(len(row[column]) for row in cells) for column in used}
    lines = ["  ".join(row[column].rjust(widths[column]) if column else row[column].ljust(widths[column])
                       for column in used).rstrip() for row in cells]
    if paths:
        lines += [line for row in rows for line in _slowest(row)]
    return "\n".join(lines)


def _slowest(row: Row) -> list[str]:
    """The slowest path of the median placement, hop by hop."""
    placements = sorted(row.measurement.placements, key=lambda placement: placement.mhz)
    if not placements:
        return []
    placement = placements[len(placements) // 2]
    path = placement.critical_path
    logic = sum(hop.delay_ns for hop in path if hop.kind != "routing")
    routing = sum(hop.delay_ns for hop in path if hop.kind == "routing")
    lines = ["", f"{row.name}, seed {placement.seed}: {logic + routing:.2f} ns, of them {routing:.2f} ns of routing"]
    return lines + [f"  {hop.delay_ns:5.2f} {hop.kind:8} {hop.signal}  {' '.join(hop.sources)}".rstrip()
                    for hop in path if hop.delay_ns]
