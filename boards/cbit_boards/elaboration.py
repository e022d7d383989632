"""From a board to RTLIL and the constraints of its pins: in a process of its own, the same for each run.

As a program it reads what is asked for from standard input, and writes a :class:`Design` to standard output, both as
JSON.
"""

import dataclasses
import json
import os
import subprocess
import sys
from importlib import import_module
from typing import Any

from cbit.dram.spec import DramSpec
from cbit_boards.board import Board, board
from cbit_fpga.elaboration import TOP, ElaborationError
from cbit_sim.verilog import build_folder

__all__ = ["Design", "elaborate", "joined", "prepared"]

_CONSTRAINTS = (".lpf", ".pcf")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Design:
    """A board's gateware.

    Parameters
    ----------
    rtlil : :class:`str`
        Whose module ``top`` has the board's pins as ports.
    verilog : :class:`str`
        Modules that it has instances of.
    constraints : :class:`str`
        Pins and clocks, as the device's placer reads them.
    """

    rtlil: str
    verilog: str
    constraints: str


def elaborate(name: str, *, firmware: bytes, device_secret: bytes) -> Design:
    """The gateware of a board that is named.

    Parameters
    ----------
    firmware, device_secret : :class:`bytes`
        The security processor's; not looked at for a board without one.

    Raises
    ------
    cbit_fpga.elaboration.ElaborationError
        If the gateware can not be made; the text is the traceback.
    """
    request = json.dumps({"name": name, "firmware": firmware.hex(), "device_secret": device_secret.hex()})
    run = subprocess.run([sys.executable, "-m", __name__], input=request, capture_output=True, text=True, check=False,
                         env=os.environ | {"PYTHONHASHSEED": "0"})
    if run.returncode:
        raise ElaborationError(run.stderr)
    return Design(**json.loads(run.stdout))


def joined(board: Board, *, firmware: bytes, device_secret: bytes) -> Any:
    """The top of a board, with its SoC and its memory."""
    config, memory = board.config, board.memory
    options: dict[str, Any] = {}
    if board.psp_clock_hz is not None:
        options = {"firmware": firmware, "device_secret": device_secret}
    # The bridge, and the security processor if there is one, each have a bit of an ID to be told by.
    widths = {"addr_width": config.addr_width, "id_width": config.id_width + (2 if options else 1)}
    behind: Any
    if board.levels_dram:
        behind = import_module("cbit.dram.ddr3").Ddr3(memory, folder=build_folder(), **widths)
        options["dram_table"] = behind.table(timer_hz=board.psp_clock_hz)
    elif isinstance(memory, DramSpec):
        behind = import_module("cbit.dram.litedram").LiteDram(memory, folder=build_folder(), **widths)
    else:
        on_chip = import_module("cbit_boards.gateware.on_chip_memory")
        behind = on_chip.OnChipMemory(size_bytes=memory.memory_bytes, **widths)
    soc = import_module("cbit.soc.soc").Soc(config, memory_bytes=memory.memory_bytes, **options)
    return import_module("cbit_boards.gateware.top").BoardTop(board, soc=soc, memory=behind)


def prepared(top: Any, platform: Any) -> Design:
    """What a platform of Amaranth's makes of a top."""
    files = platform.prepare(top, TOP).files
    (constraints,) = (text for name, text in files.items() if name.endswith(_CONSTRAINTS))
    verilog = "".join(files[name] for name in platform.iter_files(".v"))
    return Design(rtlil=_text(files[f"{TOP}.il"]), verilog=verilog, constraints=_text(constraints))


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else content.decode()


def _main() -> None:
    request = json.load(sys.stdin)
    found = board(request["name"])
    top = joined(found, firmware=bytes.fromhex(request["firmware"]),
                 device_secret=bytes.fromhex(request["device_secret"]))
    json.dump(dataclasses.asdict(prepared(top, found.platform())), sys.stdout)


if __name__ == "__main__":
    _main()
