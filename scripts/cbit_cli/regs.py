"""`cbit regs`: the registers, for tools, for firmware and for readers."""

import importlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from cbit.csr.map import as_dict
from cbit.csr.zig_header import zig_header
from cbit_cli.files import require_writable, write_together
from cbit_cli.registers.c_header import c_header
from cbit_cli.registers.markdown import markdown

__all__ = ["regs"]

_TEXTS: Mapping[str, Callable[[], str]] = {
    "json": lambda: json.dumps(as_dict(), indent=2) + "\n",
    "markdown": lambda: markdown() + "\n",
    "c": c_header,
    "zig": zig_header,
    "ipxact": lambda: importlib.import_module("cbit_cli.registers.peakrdl").ip_xact(),
}


@click.command()
@click.option("--format", "style", type=click.Choice([*_TEXTS, "html"]), default="markdown", show_default=True,
              help="How to write them.")
@click.option("-o", "--output", metavar="PATH", type=click.Path(path_type=Path),
              help="Write this file instead of to standard output. With html, this new folder.")
def regs(style: str, output: Path | None) -> None:
    """Write the registers: of the engine, one map for the security processor and one for the host; of the PSP, one for
    its processor, one of the table by which that levels DRAM, and one, the mailbox, for the host.

    json, c and zig are for programs, ipxact (IEEE 1685-2014) for SoC tools, markdown and html for readers. All come
    from the descriptions of the registers in SystemRDL.
    """
    if style == "html":
        _write_html(output)
        return
    if output is not None:
        require_writable(output, "PATH")
        if output.is_dir():
            raise click.UsageError(f"PATH must be a file, and {output} is a folder")
    text = _TEXTS[style]()
    if output is None:
        click.echo(text, nl=False)
    else:
        write_together({output: text.encode()})


def _write_html(output: Path | None) -> None:
    if output is None:
        raise click.UsageError("--format html writes a folder: give its name with --output PATH")
    if output.exists():
        raise click.UsageError(f"PATH must be a new folder, and {output} exists")
    require_writable(output, "PATH")
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        pages = Path(folder) / "pages"
        importlib.import_module("cbit_cli.registers.peakrdl").write_html(pages)
        shutil.move(pages, output)
    click.echo(f"cbit: wrote {output / 'index.html'}", err=True)
