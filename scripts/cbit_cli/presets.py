"""`cbit presets`: the configurations that come with Cbit."""

import json

import click

from cbit.config import PRESETS
from cbit_cli.text_table import columns

__all__ = ["presets"]

_COLUMNS = ("key_bits", "data_unit_bytes", "duplex", "unroll", "rounds_per_cycle", "cycles_per_round", "pipelined",
            "pipelined_writes", "serial", "sbox")


@click.command()
@click.option("--format", "style", type=click.Choice(["json", "table"]), default="table", show_default=True,
              help="How to print them.")
def presets(style: str) -> None:
    """List the engine configurations that come with Cbit."""
    if style == "json":
        click.echo(json.dumps([
            {"name": name, "summary": summary, "parameters": config.as_dict()}
            for name, (summary, config) in PRESETS.items()], indent=2))
    else:
        click.echo(_table())


def _table() -> str:
    rows: list[tuple[str, ...]] = [("preset", *_COLUMNS, "")]
    for name, (summary, config) in PRESETS.items():
        parameters = config.as_dict()
        rows.append((name, *(str(parameters[column]).lower() for column in _COLUMNS), summary))
    return columns(rows)
