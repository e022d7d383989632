"""`cbit bench`: what engines and their parts take on an FPGA, and how fast they are there."""

import importlib
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from cbit.config import DEFAULT_PRESET, PRESETS
from cbit_cli.benchmark.rows import Row, results
from cbit_cli.benchmark.simulation import bandwidth_ratios, checked_transactions
from cbit_cli.benchmark.simulation_speed import (
    measured_model,
    measured_simulation,
    simulation_results,
    simulation_table,
)
from cbit_cli.benchmark.tables import paths, table
from cbit_cli.configuration import configure, settings_words
from cbit_cli.files import require_writable, write_together
from cbit_cli.progress import stages
from cbit_fpga.devices import DEVICES, Device, device_of
from cbit_fpga.elaboration import UnknownPartError
from cbit_fpga.measurement import measure
from cbit_fpga.store import Store
from cbit_fpga.subject import Subject
from cbit_fpga.yosys import YosysError
from cbit_sim.runner import BenchError
from cbit_sim.simulators import BuildError, MissingToolError

__all__ = ["bench"]

_FPGA_ONLY = ("parts", "device_name", "seeds", "simulate", "check", "show_paths")


@click.command()
@click.option("--preset", "preset_names", metavar="NAME", multiple=True,
              help=f"One of {', '.join(PRESETS)}; may be given several times. Without it: all of them, or for a part "
                   f"{DEFAULT_PRESET}.")
@click.option("--set", "settings", metavar="FIELD=VALUE", multiple=True,
              help="Change a parameter of each preset. May be given several times.")
@click.option("--part", "parts", metavar="PATH", multiple=True,
              help="Measure only a part, such as read or xts.tweaks: submodules' names from the engine down; or "
                   "traffic, the generator of cbit soak, psp, the security processor, or bridge, the serial one of a "
                   "board. May be given several times.")
@click.option("--device", "device_name", metavar="NAME", type=click.Choice([*DEVICES]),
              help=f"The FPGA: {', '.join(DEVICES)}. By default that of the preset: an iCE40UP5K of tiny, an "
                   "LFE5U-85F of all others.")
@click.option("--seeds", metavar="N", type=click.IntRange(0, 100), default=3, show_default=True,
              help="Place and route this many times, with seeds 1 to N; 0 counts cells only.")
@click.option("--simulate/--no-simulate", default=True,
              help="Whether to measure the bandwidth of engines in simulation. By default it is.")
@click.option("--check", is_flag=True,
              help="Simulate the netlist that is placed, too, judged by the golden model. It takes minutes.")
@click.option("--simulation", is_flag=True,
              help="Measure how fast simulations run instead, and where their time goes, and the golden model. Without "
                   f"--preset: a default configuration and {DEFAULT_PRESET}.")
@click.option("--paths", "show_paths", is_flag=True, help="Show the slowest path of each.")
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="How to print the figures.")
@click.option("--out", "output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the figures here, as JSON, too.")
@click.pass_context
def bench(context: click.Context, preset_names: Sequence[str], settings: Sequence[str], parts: Sequence[str],
          device_name: str | None, seeds: int, simulate: bool, check: bool, simulation: bool, show_paths: bool,
          style: str, output: Path | None) -> None:
    """Measure engines, or parts of them, on an FPGA.

    Synthesizes with yosys, places and routes with nextpnr, for an LFE5U-85F of speed grade 6 or another
    device. Every step is kept in
    the folder that CBIT_BUILD names, or in build, and done once for its content: after an interruption the same
    command goes on where it was. An engine of all rounds takes minutes for each seed.

    With --simulation it measures simulations on this machine instead, which takes a minute or two for each engine.
    """
    if simulation:
        _refuse_beside_simulation(context)
    if output is not None:
        require_writable(output, "FILE")
    if simulation:
        _bench_simulation(context, preset_names, settings, style, output)
        return
    names = preset_names or ([DEFAULT_PRESET] if parts else list(PRESETS))
    subjects = [(name, Subject(configure(name, settings), part)) for name in names for part in parts or [""]]
    store = Store()
    try:
        rows = [_measured(name, subject, DEVICES[device_name] if device_name else device_of(name), seeds=seeds,
                          simulate=simulate, check=check, store=store)
                for name, subject in subjects]
    except (YosysError, BenchError, MissingToolError, BuildError) as error:
        click.echo(f"cbit: {error}", err=True)
        context.exit(1)
    command = _command(preset_names, settings, parts, device_name, seeds, check=check)
    text = "\n\n".join([table(rows), *(paths(row) for row in rows if show_paths)])
    _show(results(rows, command=command), text, style, output)


def _refuse_beside_simulation(context: click.Context) -> None:
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is not ParameterSource.DEFAULT
        if given and parameter.name in _FPGA_ONLY:
            raise click.UsageError(f"--simulation measures no FPGA: {parameter.opts[0]} must not stand beside it")


def _bench_simulation(context: click.Context, preset_names: Sequence[str], settings: Sequence[str], style: str,
                      output: Path | None) -> None:
    engines = {name or "default": configure(name, settings) for name in preset_names or (None, DEFAULT_PRESET)}
    try:
        with stages() as progress:
            rows = []
            for name, config in engines.items():
                progress.begin(f"{name}: building and simulating")
                rows.append(measured_simulation(name, config, progress.advance))
            progress.begin("golden model")
            model = measured_model()
    except (BenchError, MissingToolError, BuildError) as error:
        click.echo(f"cbit: {error}", err=True)
        context.exit(1)
    options = [word for name in preset_names for word in ("--preset", name)]
    options += settings_words(settings)
    command = shlex.join(["cbit", "bench", "--simulation", *options])
    _show(simulation_results(rows, model, command=command), simulation_table(rows, model), style, output)


def _show(figures: Mapping[str, Any], text: str, style: str, output: Path | None) -> None:
    content = json.dumps(figures, indent=1) + "\n"
    click.echo(content if style == "json" else text, nl=style != "json")
    if output is not None:
        write_together({output: content.encode()})


def _measured(name: str, subject: Subject, device: Device, *, seeds: int, simulate: bool, check: bool,
              store: Store) -> Row:
    def tell(text: str) -> None:
        click.echo(f"cbit: {f'{name} {subject.part}'.strip()}: {text}", err=True)

    try:
        measurement = measure(subject, device, seeds=range(1, seeds + 1), store=store, progress=tell)
    except UnknownPartError as error:
        raise click.UsageError(str(error)) from error
    if measurement.failure:
        tell(measurement.failure)
    if subject.part:
        return Row(preset=name, subject=subject, device=device, measurement=measurement)
    bandwidth, checked = {}, None
    if simulate:
        tell("simulating")
        bandwidth = bandwidth_ratios(subject.config, store=store)
    if check:
        tell("simulating the netlist")
        checked = checked_transactions(subject, device, store=store)
    # Amaranth takes long to import: what is wrong with the input is told before.
    latency = importlib.import_module("cbit.engine").latency_cycles(subject.config)
    return Row(preset=name, subject=subject, device=device, measurement=measurement, latency_cycles=latency,
               bandwidth=bandwidth, checked=checked)


def _command(preset_names: Sequence[str], settings: Sequence[str], parts: Sequence[str],
             device_name: str | None, seeds: int, *, check: bool) -> str:
    options = {"--preset": preset_names, "--set": settings, "--part": parts,
               "--device": [device_name] if device_name else []}
    words = [word for option, values in options.items() for value in values for word in (option, value)]
    return shlex.join(["cbit", "bench", *words, "--seeds", str(seeds), *(["--check"] if check else [])])
