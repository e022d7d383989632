"""`cbit build`: a bitstream for an FPGA board."""

import json
import shlex
from pathlib import Path

import click

from cbit_boards.board import Board
from cbit_boards.board import board as known_board
from cbit_boards.build import SECRET_BYTES, MissingToolError, kept_secret, require_tools
from cbit_boards.build import build as build_board
from cbit_boards.report import Report, remember
from cbit_cli.building.picture import utilization
from cbit_cli.progress import stages
from cbit_cli.report_folder import ReportFolder
from cbit_cli.scheduler import scheduler_option
from cbit_fpga.store import Store
from cbit_sim.firmware_build import FirmwareError
from cbit_sim.sources import OtherSourcesError

__all__ = ["build"]

_REPORT = "report.json"
_PICTURE = "utilization.svg"


@click.command()
@click.argument("name", metavar="BOARD")
@click.option("--seeds", metavar="N", type=click.IntRange(1, 100), default=1, show_default=True,
              help="Place and route this many times, with seeds 1 to N, and keep the best.")
@click.option("--out", "folder", metavar="DIR", type=click.Path(path_type=Path),
              help="Folder for the bitstream and its report: a new or an empty one, or an earlier build's. By default "
                   "bitstreams/BOARD.")
@click.option("--device-secret", "secret_file", metavar="FILE", type=click.Path(path_type=Path),
              help=f"{SECRET_BYTES} bytes that tell this device from others, for a board with a security processor. By "
                   "default random ones, which are drawn once and kept where builds are.")
@scheduler_option
@click.pass_context
def build(context: click.Context, name: str, seeds: int, folder: Path | None, secret_file: Path | None,
          scheduler: str | None) -> None:
    """Make a bitstream for a board, from its gateware to the file that is loaded.

    \b
      cbit boards
      cbit build ulx3s-85f --seeds 4

    DIR has the bitstream, report.json with cells, clocks and critical paths, and a picture of what is used. A board
    that does not fit, or does not reach its clocks, ends with status 1 and has no bitstream. Steps that have been done
    before are not done again.
    """
    board = _board(name)
    target = ReportFolder(folder or Path("bitstreams") / name, command="build",
                          outputs=(_bitstream_name(name, board), _REPORT, _PICTURE))
    secret = _device_secret(name, board, secret_file)
    try:
        require_tools(board)
        with stages() as progress:
            report = build_board(name, board, seeds=range(1, seeds + 1), device_secret=secret, store=Store(),
                                 scheduler=scheduler, progress=progress.begin)
    except MissingToolError as error:
        raise click.UsageError(str(error)) from error
    except (FirmwareError, OtherSourcesError) as error:
        click.echo(f"cbit: {name}: {error}", err=True)
        context.exit(1)
    remember(report)
    _write(target, report)
    if report.failure:
        click.echo(f"cbit: {name}: {report.failure}", err=True)
        context.exit(1)
    _tell(target.path / _bitstream_name(name, board), report)


def _board(name: str) -> Board:
    try:
        return known_board(name)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _bitstream_name(name: str, board: Board) -> str:
    return f"{name}.{board.fpga.bitstream_suffix}"


def _device_secret(name: str, board: Board, file: Path | None) -> bytes:
    if board.psp_clock_hz is None:
        if file is not None:
            raise click.UsageError(f"--device-secret must not be given for {name}, which has no security processor")
        return b""
    if file is None:
        return kept_secret(name)
    secret = file.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise click.UsageError(f"--device-secret must be a file of {SECRET_BYTES} bytes, and {file} has {len(secret)}")
    return secret


def _write(target: ReportFolder, report: Report) -> None:
    """The report, and the bitstream; where there is none, not that of an earlier build either."""
    bitstream = _bitstream_name(report.name, report.board)
    files = {_REPORT: (json.dumps(report.as_dict(), indent=1) + "\n").encode(),
             _PICTURE: utilization(report).encode()}
    if not report.bitstream:
        (target.path / bitstream).unlink(missing_ok=True)
    target.write(files | ({bitstream: report.bitstream} if report.bitstream else {}))


def _tell(path: Path, report: Report) -> None:
    """The figures, and how to load the bitstream."""
    best, device = report.best, report.board.fpga
    assert best is not None
    click.echo(f"{report.name}: {report.cells.luts:,} of {device.luts:,} LUT4, {report.cells.block_rams} of "
               f"{device.block_rams} block RAMs, seed {best.seed}")
    for clock in best.clocks:
        click.echo(f"  {clock.net}: {clock.mhz:g} MHz, needs {clock.needed_mhz:g}")
    click.echo(f"  {path}")
    if report.board.programmer:
        click.echo(f"  to load it: {shlex.join(['openFPGALoader', *report.board.programmer, str(path)])}")
