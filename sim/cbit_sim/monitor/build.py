"""Builds the monitor, and names its commands."""

import enum
import subprocess
import sys
import tempfile
from pathlib import Path

from cbit.csr.map import registers
from cbit_sim.monitor.elf import loadable

__all__ = ["INTERRUPTS", "Command", "build_monitor"]

INTERRUPTS = 0x8000
"""Address of the word that counts interrupts."""

_TARGET = ("-target", "riscv32-freestanding-none", "-mcpu", "generic_rv32")
_FOLDER = Path(__file__).parent


class Command(enum.Enum):
    """What the monitor does. The mailbox's buffer address is its operands: low word, high word."""

    PEEK = 0x10
    """Reads the word at the low word; the status is its lower half."""

    UPPER = 0x11
    """The status is the upper half of the last word read."""

    POKE = 0x12
    """Writes the high word at the low word."""

    POKE_BYTE = 0x13
    """Writes the lowest byte of the high word at the low word."""

    TRAP = 0x14
    """Meets an instruction that there is not."""


def build_monitor() -> bytes:
    """The image, by Zig's assembler."""
    defined = {register.name: register.offset for register in registers("processor")}
    defined |= {f"COMMAND_{command.name}": command.value for command in Command}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "-m", "ziglang", "build-exe", *_TARGET, "-fno-entry", "-OReleaseSmall", "-fstrip",
             "-T", str(_FOLDER / "link.ld"), "-femit-bin=monitor.elf", "--cache-dir", "cache",
             "--global-cache-dir", "global", "-cflags", *(f"-D{key}={value}" for key, value in defined.items()), "--",
             str(_FOLDER / "monitor.S")], cwd=folder, check=True)
        return loadable((folder / "monitor.elf").read_bytes())
