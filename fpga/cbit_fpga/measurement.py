"""The way from a subject to its figures."""

import dataclasses
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cbit_fpga.cells import Cells
from cbit_fpga.devices import Device
from cbit_fpga.elaboration import elaborate
from cbit_fpga.placement import Placement, place
from cbit_fpga.placer import PlacementError
from cbit_fpga.store import Store
from cbit_fpga.subject import Subject
from cbit_fpga.synthesis import Synthesis, synthesize
from cbit_sim.sources import digest, sources_digest

__all__ = ["Measurement", "Progress", "measure", "synthesized"]

Progress = Callable[[str], None]
"""Told what begins."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measurement:
    """Size and speed of a subject.

    Parameters
    ----------
    cells : :class:`~cbit_fpga.cells.Cells`
        Those of the subject alone.
    gateware : :class:`str`
        The :attr:`~cbit_fpga.synthesis.Synthesis.gateware` that was measured; empty where there is none.
    placements : tuple of :class:`~cbit_fpga.placement.Placement`
        One for each seed; none where only cells were counted, or where the device has no room.
    failure : :class:`str`
        Why it can not be placed, where it can not.
    """

    cells: Cells
    placements: tuple[Placement, ...]
    gateware: str = ""
    failure: str = ""

    @property
    def mhz(self) -> float | None:
        """Median of the highest clocks."""
        return statistics.median(placement.mhz for placement in self.placements) if self.placements else None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Measurement":
        """The inverse of :meth:`as_dict`."""
        placements = tuple(Placement.from_dict(placement) for placement in values["placements"])
        return cls(**values | {"cells": Cells(**values["cells"]), "placements": placements})


def measure(subject: Subject, device: Device, *, seeds: Iterable[int], store: Store,
            progress: Progress = lambda _text: None) -> Measurement:
    """Synthesizes, places and routes a subject, as far as that has not been done before."""
    progress("synthesizing")
    synthesis = synthesized(subject, device, store=store)
    measured = Measurement(cells=synthesis.cells, gateware=synthesis.gateware, placements=())
    placements = []
    for seed in seeds:
        progress(f"placing and routing, seed {seed}")
        try:
            placements.append(place(synthesis.netlist, device, seed=seed, store=store))
        except PlacementError as error:
            return dataclasses.replace(measured, failure=str(error))
    return dataclasses.replace(measured, placements=tuple(placements))


def synthesized(subject: Subject, device: Device, *, store: Store) -> Synthesis:
    """The netlist of a subject."""
    content = digest(subject.as_dict(), device.name, sources_digest("cbit", "cbit_fpga"))

    def run(folder: Path) -> dict[str, Any]:
        (folder / "design.il").write_text(elaborate(subject, device), encoding="utf-8")
        return {}

    store.done("elaboration", content, run)
    rtlil = (store.place("elaboration", content) / "design.il").read_text(encoding="utf-8")
    return synthesize(rtlil, device, wide_luts=subject.wide_luts, store=store)
