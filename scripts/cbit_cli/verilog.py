"""`cbit verilog`: an engine as Verilog, and what its integrator has to know as JSON."""

import importlib
import json
import typing
from collections.abc import Sequence
from pathlib import Path

import click

from cbit.config import PRESETS, EngineConfig
from cbit.csr import map as register_map
from cbit_cli.configuration import configuration_options, configure
from cbit_cli.files import require_writable, write_together
from cbit_sim.netlist import ports, top_module

__all__ = ["verilog"]


@click.command()
@configuration_options
@click.option("-o", "--output", metavar="FILE.v", type=click.Path(dir_okay=False, path_type=Path),
              help="Write here, and FILE.json beside it, instead of to standard output.")
def verilog(preset_name: str, settings: Sequence[str], output: Path | None) -> None:
    """Write an engine as Verilog.

    FILE.json has its ports, parameters, latency, registers and the fields of AxUSER. `verified` tells
    whether it is a preset as it stands, which the tests of Cbit cover.
    """
    config = configure(preset_name, settings)
    if output is not None:
        _require_writable(output)

    click.echo(f"cbit: generating {preset_name}{''.join(f' {setting}' for setting in settings)}", err=True)
    # Amaranth takes long to import: what is wrong with the input is told before.
    engine = importlib.import_module("cbit.engine")
    text = engine.generate_verilog(config)
    if output is None:
        click.echo(text, nl=False)
        return
    description = output.with_suffix(".json")
    facts = json.dumps(_describe(config, text, engine), indent=2) + "\n"
    write_together({output: text.encode(), description: facts.encode()})
    click.echo(f"cbit: wrote {output} and {description}", err=True)


def _require_writable(output: Path) -> None:
    if output.suffix != ".v":
        raise click.UsageError(f"FILE.v must end in .v, not be {str(output)!r}")
    require_writable(output, "FILE.v")
    if output.with_suffix(".json").is_dir():
        raise click.UsageError(f"FILE.json must be a file, and {output.with_suffix('.json')} is a folder")


def _describe(config: EngineConfig, text: str, engine: typing.Any) -> dict[str, typing.Any]:
    """What the integrator of an engine has to know, as JSON knows it."""
    return {
        "top": top_module(text),
        "ports": [port._asdict() for port in ports(text)],
        "parameters": config.as_dict(),
        "latency_cycles": engine.latency_cycles(config),
        "user": _user(config),
        "registers": register_map.as_dict(register_map.ENGINE_MAP_NAMES),
        "verified": any(config == known for _, known in PRESETS.values()),
    }


def _user(config: EngineConfig) -> list[dict[str, typing.Any]]:
    layout = importlib.import_module("cbit.access.request").user_layout(asid_width=config.asid_width)
    return [{"name": name, "lsb": field.offset, "width": field.width} for name, field in layout]
