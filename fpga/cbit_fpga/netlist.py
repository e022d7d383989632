"""The netlist that is placed, back as Verilog, so that a bench can judge it."""

import gzip
import json
from pathlib import Path
from typing import Any

from cbit_fpga.devices import Device
from cbit_fpga.elaboration import CORE, TOP
from cbit_fpga.ring_models import model_rings
from cbit_fpga.store import Store
from cbit_fpga.synthesis import Synthesis
from cbit_fpga.yosys import run_yosys
from cbit_sim.cells import MEMORIES, MULTIPLIER, RING_MODEL, memory_models, models
from cbit_sim.sources import digest

__all__ = ["netlist_verilog"]

_SCRIPT = f"""
read_json core.json
delete {TOP} =A:blackbox
read_verilog -DNO_INCLUDES {{models}}
read_verilog flat.v
delete {' '.join(MEMORIES)}
read_verilog -lib memories.v
hierarchy -check -top {CORE}
proc
flatten
rename -hide
opt_clean -purge
rename {CORE} cbit
write_verilog -noattr netlist.v
"""
"""The models of the cells, but for memories, multipliers and rings, are yosys' own. Memories stay cells, which the
simulator takes better."""


def netlist_verilog(synthesis: Synthesis, device: Device, *, store: Store) -> Path:
    """Verilog of an engine's netlist, of the very cells that are placed, with models of them: of rings of gates
    :mod:`~cbit_fpga.ring_models`."""
    packed = (store.place("cells", synthesis.content) / "core.json.gz").read_bytes()
    memories, flat = memory_models(), models(MULTIPLIER, RING_MODEL)
    script = _SCRIPT.format(models=device.models)
    content = digest(packed, script, memories, flat)

    def run(folder: Path) -> dict[str, Any]:
        cells = json.loads(gzip.decompress(packed))
        model_rings(cells)
        (folder / "core.json").write_text(json.dumps(cells), encoding="utf-8")
        (folder / "flat.v").write_text(flat, encoding="utf-8")
        (folder / "memories.v").write_text(memories, encoding="utf-8")
        run_yosys(script, folder)
        netlist = (folder / "netlist.v").read_text(encoding="utf-8")
        (folder / "cbit.v").write_text(f"(* top = 1 *)\n{netlist[netlist.index('module cbit'):]}\n{memories}",
                                       encoding="utf-8")
        for name in ("core.json", "flat.v", "memories.v", "netlist.v", "yosys.log"):
            (folder / name).unlink()
        return {}

    store.done("netlist", content, run)
    return store.place("netlist", content) / "cbit.v"
