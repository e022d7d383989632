"""The Verilog of what is simulated, generated once for each content."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from cbit.config import EngineConfig
from cbit_sim.entropy_words import with_recorded_entropy
from cbit_sim.firmware import with_loaded_firmware
from cbit_sim.harness import harness

__all__ = ["CHIP", "PLATFORM_MEMORY_BYTES", "TOPS", "build_folder", "cached_verilog", "generate", "harnessed", "kept",
           "locked", "with_chip"]

TOPS = ("engine", "wire", "soak", "soak_wire", "dram", "dram_wire", "platform")
"""What can be simulated: the engine, or the bus without one; each of them between traffic and DRAM in gateware, and in
front of LiteDRAM and a chip; and the engine with its security processor."""

PLATFORM_MEMORY_BYTES = 1 << 25
"""Of DRAM, as the platform's security processor is told."""

_OWN_SOURCES = ("beats.py", "entropy_words.py", "firmware.py", "harness.py", "netlist.py", "verilog.py")
_MORE_SOURCES = (("soak", "gateware"), ("dram", "gateware"), ("dram", "cells"))
"""What tops whose name begins so are made of, too: folders."""

CHIP = {"module": "MT48LC16M16", "memory_bytes": 1 << 25, "clock_hz": 50_000_000}
"""The chip behind LiteDRAM, as :class:`cbit.dram.spec.DramSpec` describes it."""


def build_folder() -> Path:
    """Where builds are kept: ``CBIT_BUILD`` of the environment, or ``build`` in the current folder."""
    return Path(os.environ.get("CBIT_BUILD", "build")).resolve()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds a folder, which it makes, against other processes."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def generate(top: str, config: EngineConfig, folder: Path) -> str:
    """The Verilog of a top, without its harness. ``folder`` is where LiteDRAM's is kept."""
    if top == "engine":
        return str(import_module("cbit.engine").generate_verilog(config))
    if top.startswith("dram"):
        return with_chip(config, has_engine=top == "dram", folder=folder, **CHIP)
    if top == "platform":
        core = import_module("cbit.psp.platform").Platform(
            config, firmware=b"", memory_bytes=PLATFORM_MEMORY_BYTES, simulated_entropy=True)
    elif top == "wire":
        core = import_module("cbit.axi.wire").Wire(
            addr_width=config.addr_width, data_width=config.data_width, id_width=config.id_width,
            user_width=config.asid_width + 3)
    else:
        core = import_module("cbit_sim.gateware.soak_top").SoakTop(config, has_engine=top == "soak")
    text = _converted(core, f"cbit_{top}")
    return with_recorded_entropy(with_loaded_firmware(text)) if top == "platform" else text


def with_chip(config: EngineConfig, *, has_engine: bool, folder: Path, **chip: Any) -> str:
    """The Verilog of an engine or a wire in front of LiteDRAM and a chip, without a harness.

    ``chip`` is as of :class:`cbit.dram.spec.DramSpec`, of SDR SDRAM.
    """
    memory = import_module("cbit.dram.spec").DramSpec(**chip)
    core = import_module("cbit_sim.gateware.dram_top").DramTop(
        config, has_engine=has_engine, memory=memory, folder=folder)
    return f"{_converted(core, 'cbit_dram')}\n{core.other_verilog}"


def _converted(core: Any, name: str) -> str:
    pins = import_module("cbit.axi.pins").AmbaPins(core)
    return str(import_module("amaranth.back.verilog").convert(pins, name=name))


def _gateware_sources() -> Iterator[Path]:
    folder = Path(import_module("cbit").__file__ or "").parent
    return (path for path in sorted(folder.rglob("*")) if path.suffix in {".py", ".rdl"})


def _digest(top: str, config: EngineConfig) -> str:
    others = ("litedram", "litex", "migen") if top.startswith("dram") else ()
    versions = " ".join(map(metadata.version, ("amaranth", *others)))
    content = hashlib.sha256(f"{top} {config} {versions}".encode())
    folders = [name for first, name in _MORE_SOURCES if top.startswith(first)]
    more = [path for name in folders for path in sorted(Path(__file__).with_name(name).glob("*.*"))]
    for path in (*map(Path(__file__).with_name, _OWN_SOURCES), *_gateware_sources(), *more):
        content.update(path.read_bytes())
    return content.hexdigest()[:16]


def harnessed(design: Path, folder: Path) -> Path:
    """A file in ``folder`` with a design's Verilog in its harness."""
    return kept(harness(design.read_text(encoding="utf-8")), design.stem, folder)


def kept(text: str, stem: str, folder: Path) -> Path:
    """A file in ``folder`` with a Verilog text, named for its content after ``stem``."""
    name = f"{stem}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    path = folder / "verilog" / name / f"{name}.v"
    with locked(path.parent):
        if not path.exists():
            _write(path, text)
    return path


def cached_verilog(top: str, config: EngineConfig, folder: Path) -> Path:
    """A file in ``folder`` with the Verilog of ``top`` in its harness, generated only when something of it is new.

    Raises
    ------
    ValueError
        If ``top`` is not one of :data:`TOPS`.
    """
    if top not in TOPS:
        raise ValueError(f"top must be one of {', '.join(TOPS)}, not {top!r}")
    name = f"{top}-{_digest(top, config)}"
    path = folder / "verilog" / name / f"{name}.v"
    with locked(path.parent):
        if not path.exists():
            _write(path, harness(generate(top, config, folder)))
    return path


def _write(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
