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

from .dfi import Step
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
_PADS = re.compile(r"^    input  wire +(\[\d+:0\] ddram_(?:dq|dqs_p)),$", re.MULTILINE)
_STATEMENT = re.compile(r"^\s+(\w+)\(([\w|]+)\);$", re.MULTILINE)
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
        ``sdram_dq_i``, ``sdram_dq_o`` and ``sdram_dq_oe`` instead of bidirectional pins. For DDR3 the buffers of
        bidirectional pins are in it.
    registers : mapping
        LiteDRAM's name of a register to its address on the port ``wb_ctrl``, in bytes.
    phy : mapping
        LiteDRAM's name of a number that tells of the PHY, to that.
    sequence : tuple of :class:`~cbit.dram.dfi.Step`
        For DDR3, how the chip is initialized. A wait is what LiteDRAM gives, in turns of a loop that each take a cycle
        or more.
    """

    verilog: str
    registers: dict[str, int]
    phy: dict[str, int]
    sequence: tuple[Step, ...]

    @property
    def cas_latency(self) -> int:
        """The CAS latency that the PHY expects, in clock cycles of the DRAM."""
        return self.phy["CL"]

    def port_width(self, name: str) -> int:
        """Bits of a port of the module. Raises :exc:`KeyError` if there is none."""
        found = re.search(rf"^    (?:input|output) +wire +(?:\[(\d+):0\])? *{name},?$", self.verilog, re.MULTILINE)
        if found is None:
            raise KeyError(name)
        return int(found[1] or 0) + 1


def _configuration(spec: DramSpec, id_width: int) -> dict[str, Any]:
    """What ``litedram_gen`` reads, as YAML, of which JSON is a part."""
    # The PHY's own start takes any slow clock: half of the controller's can be made of the same oscillator.
    ddr3 = {} if spec.crystal_hz is None else {
        "init_clk_freq": spec.clock_hz / 2, "cmd_delay": spec.command_delay, "dm_swap": spec.swaps_masks}
    return {
        "cpu": "None", "device": _DEVICE, "memtype": spec.kind.value, "sdram_module": spec.module,
        "sdram_module_nb": spec.width // 8, "sdram_rank_nb": 1, "sdram_phy": spec.kind.phy,
        "input_clk_freq": float(spec.crystal_hz or spec.clock_hz), "sys_clk_freq": float(spec.clock_hz), **ddr3,
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
    found["sequence"] = tuple(Step(*step) for step in found["sequence"])
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
    constants = dict(re.findall(r"^#define SDRAM_PHY_(\w+) (\d+)$", header, re.MULTILINE))
    size = re.findall(r"^#define SDRAM_PHY_SUPPORTED_MEMORY (0x\w+)ULL$", header, re.MULTILINE)
    text = _COMMENT.sub("", verilog.read_text(encoding="utf-8"))
    generated = {
        "verilog": _with_plain_data_pins(text, spec.width) if spec.kind == DramKind.SDR else _with_inout_pins(text),
        "registers": {name: each["addr"] for name, each
                      in json.loads(registers.read_text(encoding="utf-8"))["csr_registers"].items()},
        "phy": {name: int(number) for name, number in constants.items()},
        "sequence": _sequence(header) if spec.kind == DramKind.DDR3 else [],
        "memory_bytes": int(size[0], 16),
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


def _with_inout_pins(text: str) -> str:
    """The Verilog with ports for bidirectional pins that say so."""
    text, ports = _PADS.subn(r"    inout  wire \1,", text)
    if ports != 2:
        raise DramGenerationError(f"LiteDRAM's Verilog has {ports} ports of bidirectional pins where 2 were expected")
    return text


def _sequence(header: str) -> list[Step]:
    """The writes of registers of the C function ``init_sequence``, with what is waited after each."""
    bits = {name: int(value, 16) for name, value in re.findall(r"^#define (DFII_\w+) (0x\w+)$", header, re.MULTILINE)}
    body = header.partition("void init_sequence(void)\n{\n")[2].partition("\n}\n")[0]
    steps: list[Step] = []
    for function, argument in _STATEMENT.findall(body):
        value = sum(bits[name] for name in argument.split("|")) if argument in bits or "|" in argument \
            else int(argument, 0)
        match function.removesuffix("_write"), function.removeprefix("command_p"):
            case "cdelay", _:
                steps[-1] = steps[-1]._replace(wait_cycles=value)
            case register, phase if phase == function and register != function:
                steps.append(Step(register, value))
            case _, phase if phase.isdecimal():
                steps += (Step(f"sdram_dfii_pi{phase}_command", value), Step(f"sdram_dfii_pi{phase}_command_issue", 1))
            case _:
                raise DramGenerationError(f"LiteDRAM's sequence has {function}, which is not known here")
    if not steps:
        raise DramGenerationError("LiteDRAM's header has no sequence where one was expected")
    return steps
