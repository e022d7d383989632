"""`cbit explore`: many configurations, measured at once, on one page."""

import importlib
import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from cbit_cli.configuration import configuration_options, configure, settings_words
from cbit_cli.exploration.axes import AXES, Space, parse_axes
from cbit_cli.exploration.page import page
from cbit_cli.exploration.point import Point, setting_words
from cbit_cli.progress import stages
from cbit_cli.report_folder import ReportFolder
from cbit_cli.scheduler import scheduler_option
from cbit_fpga.devices import DEFAULT_DEVICE, DEVICES
from cbit_fpga.store import Store
from cbit_fpga.subject import Subject
from cbit_fpga.sweep import sweep
from cbit_sim.sources import OtherSourcesError

__all__ = ["explore"]

_OUTPUTS = ("report.html", "points.json")


@click.command()
@click.option("--axes", "axes_text", metavar="AXES", required=True,
              help=f"What to vary: of {', '.join(AXES)}. A name alone means all its values that make sense; "
                   "name=a,b or name=1..4 restricts them.")
@click.option("--seeds", metavar="N", type=click.IntRange(1, 100), default=1, show_default=True,
              help="Place and route each this many times, with seeds 1 to N.")
@scheduler_option
@click.option("--out", "folder", metavar="DIR", type=click.Path(path_type=Path), default="exploration",
              show_default=True, help="Folder for the report: a new or an empty one, or an earlier exploration's.")
@configuration_options
@click.pass_context
def explore(context: click.Context, axes_text: str, seeds: int, scheduler: str | None, folder: Path, preset_name: str,
            settings: Sequence[str]) -> None:
    """Synthesize and place every combination of some parameters, and show size against speed.

    \b
      cbit explore --axes sbox,unroll=5,10
      cbit explore --axes cycles_per_round,key_bits --preset balanced --seeds 3

    DIR/report.html is complete in itself: what is best for its size, and a table that sorts, with the command that
    repeats each point. DIR/points.json has the figures. An interrupted exploration goes on where it was.
    """
    space = Space.of(configure(preset_name, settings), parse_axes(axes_text))
    target = ReportFolder(folder, command="explore", outputs=_OUTPUTS)
    device = DEVICES[DEFAULT_DEVICE]
    subjects = {Subject(config): setting for config, setting in zip(space.configs, space.settings)}
    click.echo(f"cbit: {len(subjects)} engines, {space.left_out} combinations left out", err=True)
    points = []
    # Amaranth takes long to import: what is wrong with the input is told before.
    latency_cycles = importlib.import_module("cbit.engine").latency_cycles
    try:
        with stages() as progress:
            progress.begin("synthesizing, placing and routing")
            for subject, measurement in sweep(list(subjects), device, seeds=range(1, seeds + 1), store=Store(),
                                              scheduler=scheduler):
                words = setting_words(space.axes, subjects[subject])
                command = _bench_command(preset_name, [*settings, *words], seeds)
                points.append(Point(setting=dict(zip(space.axes, subjects[subject])), subject=subject, device=device,
                                    measurement=measurement, command=command,
                                    latency_cycles=latency_cycles(subject.config)["encrypted_read"]))
                progress.advance(len(points) / len(subjects), f"{len(points)} of {len(subjects)}: {' '.join(words)}")
    except (OtherSourcesError, OSError) as error:
        click.echo(f"cbit: {scheduler or 'this machine'}: {error}", err=True)
        context.exit(1)
    points.sort(key=lambda point: list(subjects).index(point.subject))
    command = _explore_command(axes_text, seeds, preset_name, settings)
    target.write({"report.html": page(points, space=space, preset=preset_name, seeds=seeds, command=command).encode(),
                  "points.json": (json.dumps([point.as_dict() for point in points], indent=1) + "\n").encode()})
    failed = sum(point.figures is None for point in points)
    click.echo(f"cbit: {len(points) - failed} engines placed, {failed} not; see {folder / 'report.html'}", err=True)


def _bench_command(preset_name: str, settings: Sequence[str], seeds: int) -> str:
    return shlex.join(["cbit", "bench", "--preset", preset_name,
                       *settings_words(settings), "--seeds", str(seeds)])


def _explore_command(axes_text: str, seeds: int, preset_name: str, settings: Sequence[str]) -> str:
    return shlex.join(["cbit", "explore", "--axes", axes_text, "--seeds", str(seeds), "--preset", preset_name,
                       *settings_words(settings)])
