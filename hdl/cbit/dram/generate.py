"""LiteDRAM's Verilog of a controller, generated in a process of its own and kept by content."""

import dataclasses
import functools
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from .spec import DramKind, DramSpec

__all__ = ["AXI_PORT", "MODULE", "DramGenerationError", "GeneratedController", "generate"]

MODULE = "litedram_core"
"""Name of the controller's module."""

AXI_PORT = "user_port_axi_"
"""What the names of its AXI4 port's pins begin with."""

_DATA_WIDTH = 128
_PACKAGES = ("litedram", "litex", "migen")
# What is generated depends on the family alone: cells of ECP5.
_DEVICE = "LFE5U-25F-6BG256C"
_KEPT = "controller.json"

# A date is in the first; nobody needs the others.
_COMMENT = re.compile(r"^\s*//[^\n]*\n|/\*.*?\*/\n?|^`timescale [^\n]*\n", re.MULTILINE | re.DOTALL)
_IO_CELL = re.compile(
    r"TRELLIS_IO #\(\s*\.DIR \(\"BIDIR\"\)\s*\) \w+ \(\s*\.B \(sdram_dq\[(\d+)\]\),\s*\.I \((\w+)\),\s*"
    r"\.T \(\(~(\w+)\)\),\s*\.O \((\w+)\)\s*\);")
_DATA_PINS = re.compile(r"^    input  wire +(\[\d+:0\]) sdram_dq,$", re.MULTILINE)


class DramGenerationError(RuntimeError):
    """LiteDRAM is not installed, or can not generate the controller; the text is one line that says why."""


@dataclasses.dataclass(frozen=True)
class GeneratedController:
    """A controller as LiteDRAM has generated it.

    Attributes
    ----------
    verilog : :class:`str`
        Module :data:`MODULE`, the same for the same parameters and versions. If it is for SDR SDRAM, it has ports
        ``sdram_dq_i``, ``sdram_dq_o`` and ``sdram_dq_oe`` instead of bidirectional pins.
    registers : mapping
        LiteDRAM's name of a register to its address on the port ``wb_ctrl``, in bytes.
    cas_latency : :class:`int`
        The CAS latency that the PHY expects, in clock cycles of the DRAM.
    """

    verilog: str
    registers: dict[str, int]
    cas_latency: int

    def port_width(self, name: str) -> int:
        """Bits of a port of the module. Raises :exc:`KeyError` if there is none."""
        found = re.search(rf"^    (?:input|output) +wire +(?:\[(\d+):0\])? *{name},?$", self.verilog, re.MULTILINE)
        if found is None:
            raise KeyError(name)
        return int(found[1] or 0) + 1


def _configuration(spec: DramSpec, id_width: int) -> dict[str, Any]:
    """What ``litedram_gen`` reads, as YAML, of which JSON is a part."""
    ddr3 = {"init_clk_freq": 25e6, "cmd_latency": 0} if spec.kind == DramKind.DDR3 else {}
    return {
        "cpu": "None", "device": _DEVICE, "memtype": spec.kind.value, "sdram_module": spec.module,
        "sdram_module_nb": spec.width // 8, "sdram_rank_nb": 1, "sdram_phy": spec.kind.phy,
        "input_clk_freq": float(spec.clock_hz), "sys_clk_freq": float(spec.clock_hz), **ddr3,
        "user_ports": {"axi": {"type": "axi", "data_width": _DATA_WIDTH, "id_width": id_width,
                               "block_until_ready": True}},
    }


@functools.cache
def generate(spec: DramSpec, *, id_width: int, folder: Path) -> GeneratedController:
    """The controller of a DRAM, with an AXI4 port of 128 bits, generated when ``folder`` has none of this content.

    Raises
    ------
    DramGenerationError
        If LiteDRAM is not installed, knows no such chip, or can not generate the controller.
    ValueError
        If the chip has another size than the specification says.
    """
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise DramGenerationError(f"LiteDRAM is not installed: pip install {' '.join(missing)}")
    configuration = json.dumps(_configuration(spec, id_width))
    versions = [metadata.version(name) for name in _PACKAGES]
    content = hashlib.sha256(f"{configuration}{versions}{Path(__file__).read_text(encoding='utf-8')}".encode())
    kept = folder / "dram" / content.hexdigest()[:16] / _KEPT
    if not kept.exists():
        generated = json.dumps(_generated(spec, configuration, folder / "dram"))
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(f".{os.getpid()}")
        unfinished.write_text(generated, encoding="utf-8")
        unfinished.replace(kept)
    found = json.loads(kept.read_text(encoding="utf-8"))
    if found.pop("memory_bytes") != spec.memory_bytes:
        size = json.loads(kept.read_text(encoding="utf-8"))["memory_bytes"]
        raise ValueError(f"memory_bytes must be {size} of {spec.width} bits of {spec.module}, not {spec.memory_bytes}")
    return GeneratedController(**found)


def _generated(spec: DramSpec, configuration: str, folder: Path) -> dict[str, Any]:
    """Runs LiteDRAM's generator, and takes from what it writes what is needed."""
    folder.mkdir(parents=True, exist_ok=True)
    run = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    (run / "dram.yml").write_text(configuration, encoding="utf-8")
    # The order of sets of strings is in its Verilog.
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "litedram.gen", "--no-compile-software", "--no-compile-gateware", "--output-dir",
               ".", "--name", MODULE, "dram.yml"]
    ended = subprocess.run(command, cwd=run, env=environment, capture_output=True, text=True, check=False)
    verilog, registers = run / "gateware" / f"{MODULE}.v", run / "csr.json"
    phy = run / "software" / "include" / "generated" / "sdram_phy.h"
    if ended.returncode or not all(path.exists() for path in (verilog, registers, phy)):
        reason = [line.strip() for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
        shutil.rmtree(run)
        raise DramGenerationError(f"LiteDRAM can not generate a controller of {spec.module} at "
                                  f"{spec.clock_hz / 1e6:g} MHz: {reason[-1] if reason else 'it says nothing'}")
    header = phy.read_text(encoding="utf-8")
    constants = dict(re.findall(r"^#define SDRAM_PHY_(\w+) (\w+)$", header, re.MULTILINE))
    text = _COMMENT.sub("", verilog.read_text(encoding="utf-8"))
    generated = {
        "verilog": _with_plain_data_pins(text, spec.width) if spec.kind == DramKind.SDR else text,
        "registers": {name: each["addr"] for name, each
                      in json.loads(registers.read_text(encoding="utf-8"))["csr_registers"].items()},
        "cas_latency": int(constants["CL"]),
        "memory_bytes": int(constants["SUPPORTED_MEMORY"].removesuffix("ULL"), 16),
    }
    shutil.rmtree(run)
    return generated


def _with_plain_data_pins(text: str, width: int) -> str:
    """The Verilog with the buffers of the data pins outside of it, where any family's can stand."""
    text, ports = _DATA_PINS.subn(r"    input  wire \1 sdram_dq_i,\n    output wire \1 sdram_dq_o,\n"
                                  r"    output wire \1 sdram_dq_oe,", text)
    text, cells = _IO_CELL.subn(r"assign sdram_dq_o[\1] = \2;\nassign sdram_dq_oe[\1] = \3;\n"
                                r"assign \4 = sdram_dq_i[\1];", text)
    if (ports, cells) != (1, width):
        raise DramGenerationError(f"LiteDRAM's Verilog has {cells} buffers of data pins where {width} were expected")
    return text
