"""The security processor's firmware, compiled once for each content: as its image, and as a library of the tests."""

import dataclasses
import hashlib
import itertools
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from cbit.csr.zig_header import zig_header
from cbit_sim.elf import Elf
from cbit_sim.verilog import build_folder, locked

__all__ = ["SOURCES", "Firmware", "FirmwareError", "firmware", "main", "native_library", "with_checksum"]

SOURCES = Path(__file__).parents[2] / "firmware"
"""The folder of the firmware in a checkout."""

MEMORY_BYTES = 1 << 16
"""Of the processor."""

_IMAGE_ALIGNMENT = 256
_WORD_BYTES = 4
_CHECKSUM_ROTATION = 5
_IMAGE_OPTIONS = ("build-exe", "-target", "riscv32-freestanding-none", "-mcpu", "generic_rv32", "-OReleaseSmall",
                  "-fno-strip", "-fentry=_start", "--script", "link.ld", "--dep", "registers",
                  "-Mroot=src/main.zig", "src/start.s", "src/copy.s")
_LIBRARY_OPTIONS = ("build-lib", "-dynamic", "-OReleaseSafe", "-fstrip", "--dep", "registers",
                    "-Mroot=src/native_library.zig")


class FirmwareError(RuntimeError):
    """The firmware can not be compiled; the text says why."""


@dataclasses.dataclass(frozen=True)
class Firmware:
    """What memory holds when the processor starts, and where its stack lies.

    Attributes
    ----------
    image : :class:`bytes`
        From address 0 on; a multiple of 256 bytes, the last word a checksum.
    stack_bottom, stack_top : :class:`int`
        The first byte of the stack, and the first past it. It grows down.
    stack_paint : :class:`int`
        What the words of the stack have that were never used.
    memory_end : :class:`int`
        The first byte of memory that is never used.
    """

    image: bytes
    stack_bottom: int
    stack_top: int
    stack_paint: int
    memory_end: int

    def stack_used(self, memory: bytes) -> int:
        """The most bytes that were ever on the stack, told from the paint that is left in the processor's memory."""
        stack = memory[self.stack_bottom:self.stack_top]
        words = (stack[start:start + _WORD_BYTES] for start in range(0, len(stack), _WORD_BYTES))
        paint = self.stack_paint.to_bytes(_WORD_BYTES, "little")
        return len(stack) - _WORD_BYTES * sum(1 for _ in itertools.takewhile(paint.__eq__, words))


def firmware() -> Firmware:
    """The firmware for the security processor.

    Raises
    ------
    FirmwareError
        If there are no sources, or the compiler is missing or refuses them.
    """
    elf = Elf(_compiled("psp.elf", _IMAGE_OPTIONS).read_bytes())
    symbols = elf.symbols()
    return Firmware(with_checksum(elf.image(), symbols["image_end"]), symbols["stack_bottom"], symbols["stack_top"],
                    symbols["stack_paint"], symbols["bss_end"])


def native_library() -> Path:
    """The firmware as a shared library for this machine. Errors as of :func:`firmware`."""
    return _compiled("libcbit_firmware.so", _LIBRARY_OPTIONS)


def with_checksum(content: bytes, size_bytes: int) -> bytes:
    """An image of a size, whose last word makes its checksum zero.

    Raises
    ------
    FirmwareError
        If the content leaves no room for it.
    """
    if len(content) > size_bytes - _WORD_BYTES or size_bytes % _IMAGE_ALIGNMENT:
        raise FirmwareError(f"Firmware image must leave room for its checksum in a multiple of {_IMAGE_ALIGNMENT} "
                            f"bytes, not be {len(content)} bytes in {size_bytes}")
    padded = content.ljust(size_bytes - _WORD_BYTES, b"\0")
    missing = -_rotated(_checksum(padded)) % (1 << 32)
    return padded + missing.to_bytes(_WORD_BYTES, "little")


def _checksum(content: bytes) -> int:
    value = 0
    for start in range(0, len(content), _WORD_BYTES):
        value = (_rotated(value) + int.from_bytes(content[start:start + _WORD_BYTES], "little")) % (1 << 32)
    return value


def _rotated(value: int) -> int:
    return (value << _CHECKSUM_ROTATION | value >> 32 - _CHECKSUM_ROTATION) & 0xFFFF_FFFF


def _sources() -> Iterator[Path]:
    return (path for path in sorted(SOURCES.rglob("*")) if path.suffix in {".zig", ".s", ".ld"})


def _compiled(name: str, options: Sequence[str]) -> Path:
    """What the compiler makes of the sources."""
    if not SOURCES.is_dir():
        raise FirmwareError(f"Firmware must be compiled from a checkout of Cbit, and there is no {SOURCES}")
    registers = zig_header()
    content = hashlib.sha256(f"{options} {registers} {_compiler_version()}".encode())
    for path in _sources():
        content.update(path.name.encode() + path.read_bytes())
    folder = build_folder() / "firmware" / content.hexdigest()[:16]
    result = folder / name
    with locked(folder):
        if not result.exists():
            header = folder / "registers.zig"
            header.write_text(registers, encoding="utf-8")
            _compile([*options, f"-Mregisters={header}"], folder, result)
    return result


def _compiler_version() -> str:
    try:
        return metadata.version("ziglang")
    except metadata.PackageNotFoundError as error:
        raise FirmwareError("ziglang must be installed to compile the firmware: pip install ziglang") from error


def _compile(options: Sequence[str], folder: Path, result: Path) -> None:
    unfinished = result.with_suffix(".unfinished")
    cache = str(folder.parent / "cache")
    command = [sys.executable, "-m", "ziglang", *options, "--name", result.stem, f"-femit-bin={unfinished}",
               "--cache-dir", cache, "--global-cache-dir", cache]
    done = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, check=False)
    if done.returncode:
        log = folder / "build.log"
        log.write_text(done.stderr, encoding="utf-8")
        raise FirmwareError(f"Zig could not compile the firmware; its messages are in {log}")
    unfinished.replace(result)


def main() -> None:
    """What `make firmware` does: compiles the image, and says where it is and how large."""
    try:
        built = firmware()
    except FirmwareError as error:
        sys.exit(f"cbit: {error}")
    path = build_folder() / "firmware.bin"
    path.write_bytes(built.image)
    print(f"{path}: {len(built.image)} bytes; stack {built.stack_top - built.stack_bottom} bytes, "
          f"{MEMORY_BYTES - built.memory_end} bytes of memory left")


if __name__ == "__main__":
    main()
