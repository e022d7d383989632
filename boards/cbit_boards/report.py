"""What came of a build: figures of a board, and why there is no bitstream, where there is none."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cbit_boards.board import Board
from cbit_fpga.cells import Cells
from cbit_fpga.implementation import Implementation
from cbit_fpga.seeds import Trial
from cbit_sim.verilog import build_folder, locked

__all__ = ["Report", "failure_of", "lack_of_room", "last_report", "remember"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """The figures of a build.

    Parameters
    ----------
    name : :class:`str`
        The board's.
    board : :class:`~cbit_boards.board.Board`
    cells : :class:`~cbit_fpga.cells.Cells`
        What synthesis made of the whole.
    trials : tuple of :class:`~cbit_fpga.seeds.Trial`
        What came of each seed, in their order. None if there was nothing to place.
    seconds : mapping
        What each stage took when it was done.
    failure : :class:`str`
        In one line why there is no bitstream; empty where there is one.
    """

    name: str
    board: Board
    cells: Cells
    trials: tuple[Trial, ...]
    seconds: Mapping[str, float]
    failure: str

    @property
    def best(self) -> Implementation | None:
        """Of the seeds that could be routed, the one whose least margin is the most."""
        routed = [trial.implementation for trial in self.trials if trial.implementation is not None]
        return max(routed, key=lambda implementation: implementation.margin, default=None)

    @property
    def bitstream(self) -> bytes:
        """The best seed's; empty if the build has failed."""
        found = [trial.bitstream for trial in self.trials if trial.implementation is self.best and not self.failure]
        return found[0] if found else b""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        device, best = self.board.fpga, self.best
        return {
            "board": self.name, "device": device.name, "preset": self.board.preset,
            "parameters": self.board.config.as_dict(), "keys": self.board.keys, "failure": self.failure or None,
            "cells": {"luts": self.cells.luts, **dataclasses.asdict(self.cells)},
            "available": {"luts": device.luts, "block_rams": device.block_rams},
            "seed": best and best.seed,
            "usage": {} if best is None else {site: dataclasses.asdict(usage) for site, usage in best.usage.items()},
            "clocks": [] if best is None else [
                {"net": clock.net, "mhz": clock.mhz, "needed_mhz": clock.needed_mhz,
                 "critical_path": [dataclasses.asdict(hop) for hop in clock.critical_path]}
                for clock in best.clocks],
            "seeds": [_seed(trial) for trial in self.trials],
            "seconds": dict(self.seconds)}


def _seed(trial: Trial) -> dict[str, Any]:
    found = trial.implementation
    return {"seed": trial.seed, "failure": trial.failure or None, "seconds": found and found.seconds,
            "mhz": {} if found is None else {clock.net: clock.mhz for clock in found.clocks}}


def lack_of_room(cells: Cells, board: Board) -> str:
    """Of what a device has too few for a design, in one line; empty if it has enough."""
    device = board.fpga
    wanted = {"LUTs": (cells.luts, device.luts), "block RAMs": (cells.block_rams, device.block_rams)}
    lacks = [f"{need:,} {what}, and {device.name} has {have:,}" for what, (need, have) in wanted.items() if need > have]
    return f"it does not fit: it takes {'; '.join(lacks)}" if lacks else ""


def failure_of(trials: Sequence[Trial]) -> str:
    """Why no seed has given a bitstream, in one line, with the figures of the best; empty if one has."""
    if any(trial.bitstream for trial in trials):
        return ""
    routed = [trial.implementation for trial in trials if trial.implementation is not None]
    if not routed:
        return f"it can not be placed: {trials[0].failure}"
    best = max(routed, key=lambda implementation: implementation.margin)
    missed = ", ".join(f"{clock.net} needs {clock.needed_mhz:g} MHz and reaches {clock.mhz:g}" for clock in best.missed)
    return f"it misses its clock: {missed} (seed {best.seed}, the best of {len(trials)})"


def _last(name: str) -> Path:
    return build_folder() / "boards" / f"{name}.json"


def remember(report: Report) -> None:
    """Keeps a report as that of the board's last build."""
    path = _last(report.name)
    with locked(path.parent):
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(report.as_dict(), indent=1) + "\n", encoding="utf-8")
        unfinished.replace(path)


def last_report(name: str) -> Mapping[str, Any] | None:
    """What :meth:`Report.as_dict` gave for a board's last build, if there was one."""
    try:
        found: dict[str, Any] = json.loads(_last(name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found
