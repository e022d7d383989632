"""`cbit bench`: what engines and their parts take on an FPGA, and how fast they are there."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from cbit.config import DEFAULT_PRESET, PRESETS
from cbit_cli.benchmark.report import Row, results, table
from cbit_cli.configuration import configure
from cbit_cli.files import write_together
from cbit_fpga.devices import DEFAULT_DEVICE, DEVICES
from cbit_fpga.elaboration import UnknownPartError
from cbit_fpga.measurement import measure
from cbit_fpga.placement import PlacementError
from cbit_fpga.store import Store
from cbit_fpga.subject import Subject
from cbit_fpga.synthesis import SynthesisError

__all__ = ["bench"]


@click.command()
@click.option("--preset", "preset_names", metavar="NAME", multiple=True,
              help=f"One of {', '.join(PRESETS)}; may be given several times. Without it: all of them, or for a part "
                   f"{DEFAULT_PRESET}.")
@click.option("--set", "settings", metavar="FIELD=VALUE", multiple=True,
              help="Change a parameter of each preset. May be given several times.")
@click.option("--part", "parts", metavar="PATH", multiple=True,
              help="Measure only a part, such as read or xts.tweaks: submodules' names from the engine down. May be "
                   "given several times.")
@click.option("--seeds", metavar="N", type=click.IntRange(0, 100), default=3, show_default=True,
              help="Place and route this many times, with seeds 1 to N; 0 counts cells only.")
@click.option("--paths", is_flag=True, help="Show the slowest path of each.")
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="How to print the figures.")
@click.option("--out", "output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the figures here, as JSON, too.")
@click.pass_context
def bench(context: click.Context, preset_names: Sequence[str], settings: Sequence[str], parts: Sequence[str],
          seeds: int, paths: bool, style: str, output: Path | None) -> None:
    """Measure engines, or parts of them, on an FPGA.

    Synthesizes with yosys, places and routes with nextpnr, for an LFE5U-85F of speed grade 6. Every step is kept in
    the folder that CBIT_BUILD names, or in build, and done once for its content: after an interruption the same
    command goes on where it was.
    """
    device = DEVICES[DEFAULT_DEVICE]
    store = Store()
    names = preset_names or ([DEFAULT_PRESET] if parts else list(PRESETS))
    rows = []
    for preset_name in names:
        config = configure(preset_name, settings)
        for part in parts or [""]:
            name = f"{preset_name} {part}".strip()

            def tell(text: str, name: str = name) -> None:
                click.echo(f"cbit: {name}: {text}", err=True)

            try:
                measurement = measure(Subject(config, part), device, seeds=range(1, seeds + 1), store=store,
                                      progress=tell)
            except UnknownPartError as error:
                raise click.UsageError(str(error)) from error
            except (SynthesisError, PlacementError) as error:
                tell(str(error))
                context.exit(1)
            rows.append(Row(preset=preset_name, subject=Subject(config, part), device=device, measurement=measurement))
    content = json.dumps(results(rows), indent=1) + "\n"
    click.echo(content if style == "json" else table(rows, paths=paths), nl=style != "json")
    if output is not None:
        write_together({output: content.encode()})
