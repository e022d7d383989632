"""An engine as a netlist of cells, in RTLIL, in which yosys, or we, may change some."""

import re
import tempfile
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from cbit.config import EngineConfig
from cbit_fpga.store import Store
from cbit_fpga.yosys import run_yosys
from cbit_sim.sources import digest, sources_digest

__all__ = ["Cell", "cells", "engine_netlist", "made_cells"]

_PREPARE = "read_rtlil design.il\nproc\nmemory_collect\nwrite_rtlil netlist.il\n"
_MODULE = re.compile(r"^module (\S+)$(.*?)^end$", re.DOTALL | re.MULTILINE)
_CELL = re.compile(r"^((?:  attribute .*\n)*)  cell (\S+) (\S+)\n((?:    .*\n)*)  end$", re.MULTILINE)
_CONNECTION = re.compile(r"^    connect (\S+) (.*)$", re.MULTILINE)
_SOURCES = re.compile(r'attribute \\src "(.*)"')


class Cell(typing.NamedTuple):
    """A cell: its module, its name and its type as RTLIL has them, what its ports are connected to, and the lines of
    the gateware, such as ``read/gate.py:47``, that it comes from. ``text`` is all of it."""

    module: str
    name: str
    kind: str
    ports: dict[str, str]
    sources: tuple[str, ...]
    text: str


def engine_netlist(config: EngineConfig, store: Store) -> str:
    """The RTLIL of an engine: its hierarchy kept, as :func:`made_cells` makes it."""
    def prepare(folder: Path) -> dict[str, typing.Any]:
        # Amaranth takes long to import.
        rtlil, engine = import_module("amaranth.back.rtlil"), import_module("cbit.engine").Engine(config)
        design = rtlil.convert(import_module("cbit.axi.pins").AmbaPins(engine), name="cbit")
        (folder / "netlist.il").write_text(made_cells(design), encoding="utf-8")
        return {}

    content = digest(_PREPARE, config.as_dict(), sources_digest("cbit"))
    store.done("mutable", content, prepare)
    return (store.place("mutable", content) / "netlist.il").read_text(encoding="utf-8")


def made_cells(design: str) -> str:
    """RTLIL of Amaranth's with its processes made cells, and lines named from the packages' folders."""
    for package in ("cbit", "amaranth"):
        inside = Path(import_module(package).__file__ or "").parent
        design = design.replace(f"{inside}/", "" if package == "cbit" else f"{package}/")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "design.il").write_text(design, encoding="utf-8")
        run_yosys(_PREPARE, folder)
        return (folder / "netlist.il").read_text(encoding="utf-8")


def cells(text: str) -> Iterator[Cell]:
    """All cells of a netlist."""
    for module, body in _MODULE.findall(text):
        for match in _CELL.finditer(body):
            attributes, kind, name, rest = match.groups()
            sources = tuple(source for joined in _SOURCES.findall(attributes) for source in joined.split("|"))
            yield Cell(module.removeprefix("\\"), name.removeprefix("\\"), kind.removeprefix("\\"),
                       {port.removeprefix("\\"): signal for port, signal in _CONNECTION.findall(rest)},
                       sources, match[0])
