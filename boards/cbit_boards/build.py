"""The way from a board's name to its bitstream."""

import dataclasses
import gzip
import json
import secrets
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cbit.config import SBox
from cbit.dram.spec import DramSpec
from cbit_boards.board import Board
from cbit_boards.elaboration import Design, elaborate
from cbit_boards.pll import OUTPUTS
from cbit_boards.report import Report, failure_of, lack_of_room
from cbit_fpga.elaboration import TOP
from cbit_fpga.seeds import Trial, trials
from cbit_fpga.store import Store
from cbit_fpga.synthesis import synthesize
from cbit_sim.firmware_build import firmware
from cbit_sim.sources import digest, sources_digest
from cbit_sim.verilog import build_folder, locked

__all__ = ["SECRET_BYTES", "MissingToolError", "Progress", "build", "build_design", "kept_secret", "require_tools"]

Progress = Callable[[str], None]
"""Told what begins."""

SECRET_BYTES = 32

_DRAM_PACKAGES = ("litedram", "litex")
_PARTS = ("rtlil", "verilog", "constraints")


class MissingToolError(RuntimeError):
    """A program is not installed; the text says which, and how to get it."""


def require_tools(board: Board) -> None:
    """Refuses to begin without what the build of a board needs.

    Raises
    ------
    MissingToolError
        If a program is missing.
    """
    for program in (board.fpga.placer, board.fpga.packer[0]):
        if shutil.which(str(Path(sys.executable).with_name(program))) is None:
            raise MissingToolError(f"{program} must be installed: pip install {board.fpga.placer}")
    if isinstance(board.memory, DramSpec):
        for package in _DRAM_PACKAGES:
            if find_spec(package) is None:
                raise MissingToolError(f"{package} must be installed: pip install {package}")


def kept_secret(name: str) -> bytes:
    """The device secret of the board of that name which is at hand: random, drawn once, and kept where builds are."""
    path = build_folder() / "boards" / f"{name}.secret"
    with locked(path.parent):
        if not path.exists():
            unfinished = path.with_suffix(".unfinished")
            unfinished.unlink(missing_ok=True)
            unfinished.touch(mode=0o600)
            unfinished.write_bytes(secrets.token_bytes(SECRET_BYTES))
            unfinished.replace(path)
        return path.read_bytes()


def build(name: str, board: Board, *, seeds: Sequence[int], device_secret: bytes, store: Store,
          scheduler: str | None = None, progress: Progress = lambda _text: None) -> Report:
    """Builds a board, as far as that has not been done before.

    Parameters
    ----------
    seeds : sequence of :class:`int`
        Of the placer; one or more.
    device_secret : :class:`bytes`
        The 32 bytes that tell this device from others. Not looked at without a security processor.
    scheduler : :class:`str` or :data:`None`
        As of :func:`~cbit_fpga.seeds.trials`.

    Raises
    ------
    cbit_fpga.elaboration.ElaborationError, cbit_fpga.yosys.YosysError, cbit_sim.firmware_build.FirmwareError
        If a step fails for another reason than the device.
    """
    progress("elaborating")
    has_psp = board.psp_clock_hz is not None
    image = firmware().image if has_psp else b""
    own_secret = device_secret if has_psp else b""
    sources = sources_digest("cbit", "cbit_boards", "cbit_fpga")
    packages = ("amaranth-boards", *(_DRAM_PACKAGES if isinstance(board.memory, DramSpec) else ()))
    versions = [metadata.version(package) for package in packages]
    content = digest(name, image, own_secret, sources, versions)

    def run(folder: Path) -> dict[str, Any]:
        design = elaborate(name, firmware=image, device_secret=own_secret)
        for part in _PARTS:
            (folder / part).write_text(getattr(design, part), encoding="utf-8")
        return {}

    store.done("board", content, run)
    place = store.place("board", content)
    design = Design(**{part: (place / part).read_text(encoding="utf-8") for part in _PARTS})
    return build_design(name, board, design, seeds=seeds, store=store, scheduler=scheduler, progress=progress,
                        seconds={"elaborating": store.seconds("board", content)})


def build_design(name: str, board: Board, design: Design, *, seeds: Sequence[int], store: Store,
                 scheduler: str | None = None, progress: Progress = lambda _text: None,
                 seconds: dict[str, float] | None = None) -> Report:
    """Builds gateware that is there, as :func:`build` does."""
    progress("synthesizing")
    synthesis = synthesize(design.rtlil, board.fpga, wide_luts=board.config.sbox is SBox.TABLE, store=store, core=TOP,
                           verilog=design.verilog)
    stages = {**(seconds or {}), "synthesizing": synthesis.seconds}
    failure = lack_of_room(synthesis.cells, board)
    tried: list[Trial] = []
    if not failure:
        domains = _domains(synthesis.netlist, board)
        progress(f"placing and routing with {len(seeds)} seed{'s' if len(seeds) > 1 else ''}")
        for trial in trials(synthesis.netlist, design.constraints, board.device, seeds=seeds, scheduler=scheduler):
            tried.append(_named(trial, domains))
            progress(f"{len(tried)} of {len(seeds)}: {_told(tried[-1])}")
        tried.sort(key=lambda trial: trial.seed)
        failure = failure_of(tried)
    return Report(name=name, board=board, cells=synthesis.cells, trials=tuple(tried), seconds=stages, failure=failure)


def _domains(netlist: bytes, board: Board) -> dict[str, str]:
    """Nets that are clocks of PLLs or made of theirs, and their domains: names of nets are those of any place that a
    clock goes to."""
    names: dict[str, str] = {}
    for module in json.loads(gzip.decompress(netlist))["modules"].values():
        clocks = {cell["connections"][output][0]: domain for name, cell in module["cells"].items()
                  for output, domain in _clocks(name, cell["type"], board).items() if output in cell["connections"]}
        names |= {name: clocks[net["bits"][0]] for name, net in module["netnames"].items() if net["bits"][0] in clocks}
    return names


def _clocks(cell: str, kind: str, board: Board) -> Mapping[str, str]:
    """Outputs of a cell that are clocks, and the domains that they are for: of our PLL, and, where the memory makes its
    own clocks, of LiteDRAM's PLL and of the divider behind that."""
    match kind:
        case "EHXPLLL" if board.levels_dram and cell.startswith("memory."):
            return {"CLKOP": "edge", "CLKOS": "init"}
        case "EHXPLLL":
            return dict(zip(OUTPUTS, board.domains))
        case "CLKDIVF":
            return {"CDIVX": "sync"}
        case _:
            return {}


def _named(trial: Trial, domains: Mapping[str, str]) -> Trial:
    """A trial whose clocks have the names of their domains."""
    found = trial.implementation
    if found is None:
        return trial
    clocks = tuple(dataclasses.replace(clock, net=domains.get(clock.net, clock.net)) for clock in found.clocks)
    return dataclasses.replace(trial, implementation=dataclasses.replace(found, clocks=clocks))


def _told(trial: Trial) -> str:
    found = trial.implementation
    if found is None:
        return f"seed {trial.seed} can not be placed"
    clocks = ", ".join(f"{clock.net} {clock.mhz:g} of {clock.needed_mhz:g} MHz" for clock in found.clocks)
    return f"seed {trial.seed}, {clocks}"
