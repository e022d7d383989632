"""From RTLIL to a netlist of the device's cells."""

import dataclasses
import gzip
import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

from cbit_fpga.cells import Cells
from cbit_fpga.devices import Device
from cbit_fpga.elaboration import CORE, TOP
from cbit_fpga.store import Store
from cbit_fpga.yosys import run_yosys
from cbit_sim.sources import digest

__all__ = ["Synthesis", "gateware_digest", "synthesize"]

_SCRIPT = f"""
{{sources}}read_rtlil design.il
setattr -mod -set keep_hierarchy 1 {{core}}
scratchpad -set abc9.verify 0
{{synthesize}} -top {TOP}
write_json core.json
"""

_JOIN = """
read_json core.json
tee -q -o cells.json stat -json
setattr -mod -unset keep_hierarchy {core}
flatten
clean -purge
write_json netlist.json
"""
"""The core stays a module until its cells are counted; `core.json` has it so, for the check in simulation."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Synthesis:
    """A netlist.

    Parameters
    ----------
    content : :class:`str`
        Digest of what it was made from.
    gateware : :class:`str`
        The :func:`gateware_digest` of the same.
    cells : :class:`~cbit_fpga.cells.Cells`
        Those of the core alone.
    netlist : :class:`bytes`
        The core in its frame, flat: yosys' JSON, packed by gzip.
    seconds : :class:`float`
        What mapping to cells took when it was done.
    """

    content: str
    gateware: str
    cells: Cells
    netlist: bytes = dataclasses.field(repr=False)
    seconds: float = 0.0


def synthesize(rtlil: str, device: Device, *, wide_luts: bool, store: Store, core: str = CORE,
               verilog: str = "") -> Synthesis:
    """The netlist of a core in its frame.

    Parameters
    ----------
    rtlil : :class:`str`
        As :func:`~cbit_fpga.elaboration.elaborate` writes it.
    wide_luts : :class:`bool`
        Whether LUTs may be joined by multiplexers to wider ones: good for tables, bad for all other logic.
    core : :class:`str`
        Name of the core's module. That of the frame, :data:`~cbit_fpga.elaboration.TOP`, if the whole is one.
    verilog : :class:`str`
        Modules in Verilog that the design has instances of.

    Raises
    ------
    cbit_fpga.yosys.YosysError
        If yosys fails.
    """
    command = device.synthesize if wide_luts else f"{device.synthesize} {device.narrow}"
    script = _SCRIPT.format(synthesize=command, core=core, sources="read_verilog modules.v\n" if verilog else "")
    content = digest(_without_sources(rtlil), verilog, script, metadata.version("pyosys"))

    def run(folder: Path) -> dict[str, Any]:
        (folder / "modules.v").write_text(verilog, encoding="utf-8")
        (folder / "design.il").write_text(_without_brackets(rtlil), encoding="utf-8")
        run_yosys(script, folder)
        for name in ("design.il", "modules.v", "core.json", "yosys.log"):
            _pack(folder / name)
        return {}

    store.done("synthesis", content, run)
    seconds = store.seconds("synthesis", content)
    netlist = json.loads(gzip.decompress((store.place("synthesis", content) / "core.json.gz").read_bytes()))
    device.finish(netlist)
    content, cells, joined = _join(json.dumps(netlist), device, core=core, store=store)
    return Synthesis(content=content, gateware=gateware_digest(rtlil, verilog=verilog), cells=cells, netlist=joined,
                     seconds=seconds)


def _join(netlist: str, device: Device, *, core: str, store: Store) -> tuple[str, Cells, bytes]:
    """Counts the cells of a core, and joins it with its frame: a digest of both, the cells, the whole packed."""
    script = _JOIN.format(core=core)
    content = digest(netlist, script, metadata.version("pyosys"))

    def run(folder: Path) -> dict[str, Any]:
        (folder / "core.json").write_text(netlist, encoding="utf-8")
        run_yosys(script, folder)
        counted = json.loads((folder / "cells.json").read_text())["modules"][f"\\{core}"]
        for name in ("core.json", "netlist.json", "yosys.log"):
            _pack(folder / name)
        return {"cells": counted["num_cells_by_type"]}

    result = store.done("cells", content, run)
    joined = (store.place("cells", content) / "netlist.json.gz").read_bytes()
    return content, Cells.of(result["cells"], device.resources), joined


def gateware_digest(rtlil: str, *, verilog: str = "") -> str:
    """Tells a design in its frame from others: the same on every machine, wherever in the sources its logic stands."""
    return digest(_without_sources(rtlil), verilog)


def _without_sources(rtlil: str) -> str:
    """The design without the lines that it came from, which change where logic does not."""
    return re.sub(r"^\s*attribute \\src .*\n", "", rtlil, flags=re.MULTILINE)


def _without_brackets(rtlil: str) -> str:
    """The design with no name such as ``slots[0]``, which abc9 takes for a bit of ``slots`` (YosysHQ/yosys#4349)."""
    return re.sub(r"\\\S+", lambda name: name[0].replace("[", "(").replace("]", ")"), rtlil)


def _pack(path: Path) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), compresslevel=4, mtime=0))
    path.unlink()
