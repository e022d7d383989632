"""The netlist that is placed, back as Verilog, so that a bench can judge it."""

import gzip
from pathlib import Path
from typing import Any

from cbit_fpga.devices import Device
from cbit_fpga.elaboration import CORE, TOP
from cbit_fpga.store import Store, digest
from cbit_fpga.synthesis import Synthesis
from cbit_fpga.yosys import run_yosys
from cbit_sim.cells import BLOCK_RAM_MODEL

__all__ = ["netlist_verilog"]

_SCRIPT = f"""
read_json core.json
delete {TOP} =A:blackbox
read_verilog -DNO_INCLUDES {{models}}
hierarchy -check -top {CORE}
proc
flatten
rename -hide
opt_clean -purge
rename {CORE} cbit
write_verilog -noattr netlist.v
"""
"""The models of the cells, but for block RAMs, are yosys' own."""


def netlist_verilog(synthesis: Synthesis, device: Device, *, store: Store) -> Path:
    """Verilog of an engine's netlist, of the very cells that are placed, with models of them."""
    packed = (store.place("synthesis", synthesis.content) / "core.json.gz").read_bytes()
    model = BLOCK_RAM_MODEL.read_text(encoding="utf-8")
    script = _SCRIPT.format(models=device.models)
    content = digest(packed, script, model)

    def run(folder: Path) -> dict[str, Any]:
        (folder / "core.json").write_bytes(gzip.decompress(packed))
        run_yosys(script, folder)
        netlist = (folder / "netlist.v").read_text(encoding="utf-8")
        (folder / "cbit.v").write_text(f"(* top = 1 *)\n{netlist[netlist.index('module cbit'):]}\n{model}",
                                       encoding="utf-8")
        for name in ("core.json", "netlist.v", "yosys.log"):
            (folder / name).unlink()
        return {}

    store.done("netlist", content, run)
    return store.place("netlist", content) / "cbit.v"
