"""`cbit board`: memory and registers of a board, over its serial port or of a simulated one."""

import contextlib
import dataclasses
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image

from cbit_boards.host.board import Board, Progress
from cbit_boards.host.frames import NO_ATTRIBUTES, Attributes
from cbit_cli.boarding.connecting import connected, open_with_random_keys, refusals, simulated_board
from cbit_cli.files import require_writable, write_together
from cbit_cli.group import CommandGroup
from cbit_cli.hosting.inputs import Number
from cbit_cli.ownership.inputs import FILE
from cbit_cli.progress import Stages, stages
from cbit_sim.demo.bytemap import ByteMap

__all__ = ["board"]

_BAUD = 1_000_000
_LINE_BYTES = 16
_PRINTABLE = range(0x20, 0x7F)
_ATTRIBUTES = {"npt_c": Attributes.NPT_C, "dma": Attributes.DMA, "walk": Attributes.WALK, "fetch": Attributes.FETCH}

_Command = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class _Target:
    """Which board."""

    port: str | None
    baud: int
    seconds: float

    def connected(self) -> AbstractContextManager[Board]:
        """It."""
        if self.port is None:
            raise click.UsageError("--port must be given before the command: a device, or sim.")
        return connected(self.port, self.baud, seconds=self.seconds)


@click.group(cls=CommandGroup)
@click.option("--port", metavar="DEV|sim", help="The board's serial port, as /dev/ttyUSB0, or the path that `sim` "
                                                "prints; sim: a board that is simulated for this command alone.")
@click.option("--baud", metavar="N", type=click.IntRange(300, 12_000_000), default=_BAUD, show_default=True,
              help="Bits in a second; the board follows.")
@click.option("--timeout", "seconds", metavar="SECONDS", type=click.FloatRange(0.05, 600), default=2.0,
              show_default=True, help="How long to wait for an answer before asking again, four times in all.")
@click.pass_context
def board(context: click.Context, port: str | None, baud: int, seconds: float) -> None:
    """Talk to a board: read and write its memory through the engine, and look at its DRAM as an attacker.

    \b
      cbit board sim                                  keep a simulated board; prints its port
      cbit board --port DEV status
      cbit board --port DEV open                      without a PSP: install keys and release
      cbit board --port DEV load secret.ppm 0x10000 --asid 1 --private
      cbit board --port DEV read 0x10000 64 --asid 1 --private
      cbit board --port DEV attack 0x10000 64         what lies in DRAM
      cbit board --port DEV attack 0x10000 73743 --like secret.ppm --out dram.png

    A real board and a simulated one are given the same bytes. A port that can not be opened ends the command with
    status 2, a board that does not answer, goes away or refuses with status 1. Files are written whole or not at all.
    """
    context.obj = _Target(port, baud, seconds)


def _access_options(command: _Command) -> _Command:
    """Who accesses memory, and how: arguments ``asid``, ``private`` and those of the attributes."""
    for name, text in reversed((
            ("--fetch", "As an instruction fetch."),
            ("--walk", "As a walk of page tables."),
            ("--dma", "As a device."),
            ("--npt-c", "With the C-bit of nested page tables."),
            ("--private", "With the C-bit: encrypted."))):
        command = click.option(name, is_flag=True, help=text)(command)
    return click.option("--asid", metavar="N", type=click.IntRange(0, 65535), default=0, show_default=True,
                        help="Whose access: 0 is the host.")(command)


def _require_fit(opened: Board, address: int, length: int) -> None:
    """Refuses, before anything is accessed, what is not all in memory."""
    size = opened.identity.memory_bytes
    if not 0 < length <= size - address:
        raise click.UsageError(f"Bytes must be at least one and within the {size:#x} of memory, not {length} at "
                               f"{address:#x}.")


def _access(opened: Board, address: int, length: int, private: bool,
            chosen: dict[str, bool]) -> tuple[int, Attributes]:
    """Address with its C-bit, and attributes."""
    _require_fit(opened, address, length)
    attributes = NO_ATTRIBUTES
    for name, attribute in _ATTRIBUTES.items():
        if chosen[name]:
            attributes |= attribute
    return address | int(private) << opened.identity.c_bit, attributes


@board.command("sim")
@click.option("--psp", "has_psp", is_flag=True, help="With a security processor; its boot takes a minute or more.")
@click.option("--closed", "is_closed", is_flag=True, help="Do not wait for the boot, or install no keys.")
@click.option("--seed", metavar="N", type=click.IntRange(0, (1 << 31) - 1), default=1, show_default=True,
              help="Of simulated entropy, and of what memory holds at first.")
def sim(has_psp: bool, is_closed: bool, seed: int) -> None:
    """Keep a simulated board behind a pseudo-terminal, whose path is printed, until Ctrl-C.

    Memory is 1 MiB. Without a PSP, a random key is installed for each ASID, another each time.
    """
    with refusals(), stages() as shown:
        with simulated_board(has_psp=has_psp, seed=seed, is_closed=is_closed, shown=shown) as simulated:
            click.echo(simulated.path)
            shown.begin(f"a board answers at {simulated.path} until Ctrl-C")
            with contextlib.suppress(KeyboardInterrupt):
                simulated.wait()


@board.command()
@click.pass_obj
def status(target: _Target) -> None:
    """Print what the board says of itself and of its engine."""
    with target.connected() as opened:
        identity = opened.identity
        mode, denied = opened.host_register("MODE"), opened.host_register("VIOLATION_STATUS")
        boot = opened.mailbox_register("BOOT_STATUS") if identity.has_psp else None
    click.echo(f"memory {identity.memory_bytes} bytes, {'ready' if identity.memory_ready else 'not initialized'}")
    click.echo(f"c-bit {identity.c_bit}")
    click.echo(f"guests {identity.asid_count - 1}")
    click.echo(f"keys {identity.key_bits} bits, held by {'the PSP' if boot else 'whoever has this port'}")
    if boot is not None:
        click.echo(f"boot {boot['CODE']:#04x}")
    click.echo(f"released {_yes(identity.released)}")
    click.echo(f"mode {' '.join(name for name, is_set in mode.items() if is_set) or 'plain'}")
    click.echo(f"violation {_yes(denied['VALID'])}")
    click.echo(f"self-test {'failed' if identity.self_test_failed else 'passed'}")


@board.command("open")
@click.option("--guests", metavar="N", type=click.IntRange(0, 1023), help="Guests with a key; by default all.")
@click.pass_obj
def open_command(target: _Target, guests: int | None) -> None:
    """Install random keys, set SME and SEV, and release the engine of a board without a PSP.

    The keys go over the serial line and are kept nowhere else. With a PSP, it alone makes and holds keys.
    """
    with target.connected() as opened:
        most = opened.identity.asid_count - 1
        if guests is not None and guests > most:
            raise click.UsageError(f"--guests must be at most {most} for this board, not {guests}.")
        open_with_random_keys(opened, guests=most if guests is None else guests)
    click.echo("released")


@board.command()
@click.argument("address", type=Number())
@click.argument("length", type=Number())
@_access_options
@click.pass_obj
def read(target: _Target, /, address: int, length: int, asid: int, private: bool, **chosen: bool) -> None:
    """Print LENGTH bytes of memory at ADDRESS, as software under an ASID sees them."""
    with target.connected() as opened:
        place, attributes = _access(opened, address, length, private, chosen)
        content = opened.read(place, length, asid=asid, attributes=attributes)
    _show(address, content)


@board.command()
@click.argument("address", type=Number())
@click.argument("content", metavar="HEX")
@_access_options
@click.pass_obj
def write(target: _Target, /, address: int, content: str, asid: int, private: bool, **chosen: bool) -> None:
    """Write the bytes HEX into memory at ADDRESS."""
    try:
        data = bytes.fromhex(content)
    except ValueError:
        raise click.UsageError("HEX must be pairs of hexadecimal digits.") from None
    _store(target, address, data, asid, private, chosen)


@board.command()
@click.argument("file", type=FILE)
@click.argument("address", type=Number())
@_access_options
@click.pass_obj
def load(target: _Target, /, file: Path, address: int, asid: int, private: bool, **chosen: bool) -> None:
    """Write FILE into memory at ADDRESS."""
    _store(target, address, file.read_bytes(), asid, private, chosen)


@board.command()
@click.argument("address", type=Number())
@click.argument("length", type=Number())
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_access_options
@click.pass_obj
def dump(target: _Target, /, address: int, length: int, file: Path, asid: int, private: bool, **chosen: bool) -> None:
    """Write LENGTH bytes of memory at ADDRESS, as software under an ASID sees them, into FILE."""
    require_writable(file, "FILE")
    with target.connected() as opened, stages() as shown:
        place, attributes = _access(opened, address, length, private, chosen)
        shown.begin("reading")
        content = opened.read(place, length, asid=asid, attributes=attributes, progress=_progress(shown, length))
    write_together({file: content})
    click.echo(f"{length} bytes")


@board.command()
@click.argument("address", type=Number())
@click.argument("length", type=Number())
@click.option("--out", "file", metavar="FILE.png", type=click.Path(dir_okay=False, path_type=Path),
              help="Write a picture, a pixel for each byte, instead of printing.")
@click.option("--like", metavar="FILE", type=FILE, help="Lay the picture out as this one, a PPM or PGM file.")
@click.pass_obj
def attack(target: _Target, address: int, length: int, file: Path | None, like: Path | None) -> None:
    """Print LENGTH bytes of DRAM at ADDRESS, as an attacker there sees them: behind the engine, without any key."""
    if like is not None and file is None:
        raise click.UsageError("--like must come with --out.")
    if file is not None:
        require_writable(file, "FILE.png")
        if file.suffix != ".png":
            raise click.UsageError(f"--out must be a name that ends in .png, not {str(file)!r}.")
    pattern = like.read_bytes() if like is not None else None
    with target.connected() as opened, stages() as shown:
        _require_fit(opened, address, length)
        shown.begin("reading")
        content = opened.read_raw(address, length, progress=_progress(shown, length))
    if file is None:
        _show(address, content)
    else:
        write_together({file: _picture(content, ByteMap.of(pattern or content))})
        click.echo(f"{length} bytes")


def _store(target: _Target, address: int, data: bytes, asid: int, private: bool, chosen: dict[str, bool]) -> None:
    with target.connected() as opened, stages() as shown:
        place, attributes = _access(opened, address, len(data), private, chosen)
        shown.begin("writing")
        opened.write(place, data, asid=asid, attributes=attributes, progress=_progress(shown, len(data)))
    click.echo(f"{len(data)} bytes")


def _progress(shown: Stages, length: int) -> Progress:
    return lambda done: shown.advance(done / length, f"{done} of {length} bytes")


def _show(address: int, content: bytes) -> None:
    for start in range(0, len(content), _LINE_BYTES):
        line = content[start:start + _LINE_BYTES]
        text = "".join(chr(byte) if byte in _PRINTABLE else "." for byte in line)
        click.echo(f"{address + start:#x}: {line.hex(' '):<{3 * _LINE_BYTES - 1}} {text}")


def _picture(content: bytes, layout: ByteMap) -> bytes:
    pixels = layout.pixels(content)
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0]) if layout.channels == 1 else pixels)
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()


def _yes(value: object) -> str:
    return "yes" if value else "no"
