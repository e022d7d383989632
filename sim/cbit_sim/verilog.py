"""The Verilog of what is simulated, generated once for each content."""

import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import NamedTuple

from cbit.config import EngineConfig

__all__ = ["TOPS", "Port", "build_folder", "cached_verilog", "locked", "ports", "top_module", "without_source_lines"]

TOPS = ("engine", "wire")
"""What can be simulated: the engine, or the bus without one."""


class Port(NamedTuple):
    """A port of a module: its ``direction`` is ``input`` or ``output``, its ``width`` in bits."""

    name: str
    direction: str
    width: int


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


def _generate(top: str, config: EngineConfig) -> str:
    if top == "engine":
        return str(import_module("cbit.engine").generate_verilog(config))
    amaranth_verilog = import_module("amaranth.back.verilog")
    wire = import_module("cbit.axi.wire").Wire(
        addr_width=config.addr_width, data_width=config.data_width, id_width=config.id_width,
        user_width=config.asid_width + 3)
    return str(amaranth_verilog.convert(import_module("cbit.axi.pins").AmbaPins(wire), name="cbit_wire"))


def _gateware_sources() -> Iterator[Path]:
    folder = Path(import_module("cbit").__file__ or "").parent
    return (path for path in sorted(folder.rglob("*")) if path.suffix in {".py", ".rdl"})


def _digest(top: str, config: EngineConfig) -> str:
    content = hashlib.sha256(f"{top} {config} {metadata.version('amaranth')}".encode())
    for path in (Path(__file__), *_gateware_sources()):
        content.update(path.read_bytes())
    return content.hexdigest()[:16]


def cached_verilog(top: str, config: EngineConfig, folder: Path) -> Path:
    """A file in ``folder`` with the Verilog of ``top``; generated only when gateware or configuration are new.

    Raises
    ------
    ValueError
        If ``top`` is not one of :data:`TOPS`.
    """
    if top not in TOPS:
        raise ValueError(f"top must be {' or '.join(TOPS)}, not {top!r}")
    path = folder / "verilog" / f"{top}-{_digest(top, config)}.v"
    with locked(path.parent):
        if not path.exists():
            unfinished = path.with_suffix(".unfinished")
            unfinished.write_text(_generate(top, config), encoding="utf-8")
            unfinished.replace(path)
    return path


def without_source_lines(text: str) -> str:
    """The Verilog without the attributes that name lines of the gateware, which change where logic does not."""
    return re.sub(r"^\s*\(\* src = .*\*\)\n", "", text, flags=re.MULTILINE)


def top_module(text: str) -> str:
    """The name of the module that Yosys has marked as the top."""
    match = re.search(r"\(\*\s*top\s*=\s*1\s*\*\).*?^module\s+(\w+)", text, re.DOTALL | re.MULTILINE)
    if match is None:
        raise ValueError("Verilog must mark one module as the top, not none")
    return match[1]


def ports(text: str) -> list[Port]:
    """The ports of the top module, in the order of their declarations."""
    _, body = re.split(rf"^module {re.escape(top_module(text))}\(", text, maxsplit=1, flags=re.MULTILINE)
    body, *_ = body.split("\nendmodule", maxsplit=1)
    declarations = re.findall(r"^ {2}(input|output) (?:\[(\d+):0\] )?(\w+);", body, re.MULTILINE)
    return [Port(name, direction, int(high or 0) + 1) for direction, high, name in declarations]
