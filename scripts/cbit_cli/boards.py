"""`cbit boards`: the FPGA boards that Cbit knows."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from cbit_boards.board import Board
from cbit_boards.board import boards as known_boards
from cbit_boards.report import last_report
from cbit_cli.text_table import columns

__all__ = ["boards"]

_COLUMNS = ("board", "device", "memory", "preset", "keys", "LUT4", "block RAMs", "MHz of those needed")


@click.command()
@click.option("--format", "style", type=click.Choice(["json", "table", "names"]), default="table", show_default=True,
              help="How to print them. `names` are those that a bitstream can be built for.")
def boards(style: str) -> None:
    """List the FPGA boards, what is on them, and the figures of their last build here."""
    found = {name: (board, last_report(name)) for name, board in known_boards().items()}
    if style == "names":
        click.echo("\n".join(name for name, (board, _) in found.items() if not board.obstacle))
    elif style == "json":
        click.echo(json.dumps([_as_dict(name, board, report) for name, (board, report) in found.items()], indent=1))
    else:
        click.echo(_table(found))


def _as_dict(name: str, board: Board, report: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"name": name, "title": board.title, "device": board.device, "memory_bytes": board.memory.memory_bytes,
            "memory": board.memory_name, "preset": board.preset, "parameters": board.config.as_dict(),
            "keys": board.keys, "clock_hz": board.clock_hz, "psp_clock_hz": board.psp_clock_hz,
            "obstacle": board.obstacle or None, "last_build": report}


def _table(found: Mapping[str, tuple[Board, Mapping[str, Any] | None]]) -> str:
    rows = [(name, board.device, board.memory_name, board.preset, board.keys, *_figures(report))
            for name, (board, report) in found.items()]
    return "\n".join([columns([_COLUMNS, *rows]), *_remarks(found)])


def _remarks(found: Mapping[str, tuple[Board, Mapping[str, Any] | None]]) -> Iterator[str]:
    """Why there is no bitstream of some."""
    for name, (board, report) in found.items():
        if board.obstacle:
            yield f"{name}: {board.obstacle}"
        elif report is not None and report["failure"]:
            yield f"{name}: the last build failed: {report['failure']}"


def _figures(report: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """Of the last build: LUTs, block RAMs, clocks."""
    if report is None:
        return "", "", ""
    cells, available = report["cells"], report["available"]
    clocks = ", ".join(f"{clock['mhz']:g} of {clock['needed_mhz']:g}" for clock in report["clocks"])
    return (f"{cells['luts']:,} of {available['luts']:,}",
            f"{cells['block_rams']} of {available['block_rams']}", clocks)
