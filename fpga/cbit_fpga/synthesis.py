"""From RTLIL to a netlist of the device's cells."""

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

from cbit_fpga.cells import Cells
from cbit_fpga.devices import Device
from cbit_fpga.elaboration import TOP
from cbit_fpga.harness import CORE
from cbit_fpga.store import Store, digest

__all__ = ["Synthesis", "SynthesisError", "synthesize"]

CORE_MODULE = f"{TOP}.{CORE}"

_SCRIPT = f"""
read_rtlil design.il
setattr -mod -set keep_hierarchy 1 {CORE_MODULE}
scratchpad -set abc9.verify 0
{{synthesize}} -top {TOP}
tee -q -o cells.json stat -json
write_json core.json
setattr -mod -unset keep_hierarchy {CORE_MODULE}
flatten
clean -purge
write_json netlist.json
"""
"""The core stays a module until its cells are counted; `core.json` has it so, for the check in simulation."""

_RUN_YOSYS = "from pyosys import libyosys; libyosys.run_pass('tee -q -o yosys.log script synthesis.ys')"


class SynthesisError(RuntimeError):
    """Yosys has refused the design; the text says where its log is."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Synthesis:
    """A netlist.

    Parameters
    ----------
    content : :class:`str`
        Digest of what it was made from.
    cells : :class:`~cbit_fpga.cells.Cells`
        Those of the core alone.
    netlist : :class:`bytes`
        The core in its frame, flat: yosys' JSON, packed by gzip.
    """

    content: str
    cells: Cells
    netlist: bytes = dataclasses.field(repr=False)


def synthesize(rtlil: str, device: Device, *, wide_luts: bool, store: Store) -> Synthesis:
    """The netlist of a core in its frame.

    Parameters
    ----------
    rtlil : :class:`str`
        As :func:`~cbit_fpga.elaboration.elaborate` writes it.
    wide_luts : :class:`bool`
        Whether LUTs may be joined by multiplexers to wider ones: good for tables, bad for all other logic.

    Raises
    ------
    SynthesisError
        If yosys fails.
    """
    command = device.synthesize if wide_luts else f"{device.synthesize} -nowidelut"
    script = _SCRIPT.format(synthesize=command)
    content = digest(_without_sources(rtlil), script, metadata.version("pyosys"))

    def run(folder: Path) -> dict[str, Any]:
        (folder / "design.il").write_text(rtlil, encoding="utf-8")
        (folder / "synthesis.ys").write_text(script, encoding="utf-8")
        _run_yosys(folder)
        counted = json.loads((folder / "cells.json").read_text())["modules"][f"\\{CORE_MODULE}"]
        for name in ("design.il", "core.json", "netlist.json"):
            _pack(folder / name)
        return {"cells": counted["num_cells_by_type"]}

    result = store.done("synthesis", content, run)
    netlist = (store.place("synthesis", content) / "netlist.json.gz").read_bytes()
    return Synthesis(content=content, cells=Cells.of(result["cells"], device.resources), netlist=netlist)


def _without_sources(rtlil: str) -> str:
    """The design without the lines that it came from, which change where logic does not."""
    return re.sub(r"^\s*attribute \\src .*\n", "", rtlil, flags=re.MULTILINE)


def _run_yosys(folder: Path) -> None:
    # In a process of its own: yosys keeps state, and ends the process when it fails.
    run = subprocess.run([sys.executable, "-c", _RUN_YOSYS], cwd=folder, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True, check=False, env=os.environ | {"PYTHONHASHSEED": "0"})
    if run.returncode:
        raise SynthesisError(f"yosys failed; its messages are in {folder / 'yosys.log'}\n{run.stderr}")


def _pack(path: Path) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), compresslevel=4, mtime=0))
    path.unlink()
