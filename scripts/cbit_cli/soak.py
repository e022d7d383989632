"""`cbit soak`: hundreds of millions of cycles of traffic that gateware makes and checks."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

import click

from cbit_cli.benchmark.tables import aligned
from cbit_cli.configuration import configuration_options, configure, settings_words
from cbit_cli.progress import stages
from cbit_sim.gateware.guests import guests_of
from cbit_sim.runner import BenchError
from cbit_sim.simulators import BuildError, MissingToolError
from cbit_sim.soak import Soaked, build_soak
from cbit_sim.soak import soak as soaked

__all__ = ["soak"]


@click.command()
@click.option("--cycles", metavar="N", type=click.IntRange(1, 10**12), default=1_000_000, show_default=True,
              help="Cycles of traffic.")
@click.option("--seed", metavar="S", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True,
              help="Of traffic, keys and their changes.")
@configuration_options
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="How to print the figures.")
@click.pass_context
def soak(context: click.Context, cycles: int, seed: int, preset_name: str, settings: Sequence[str],
         style: str) -> None:
    """Simulate an engine for very long, with no Python in its cycles.

    \b
      cbit soak --cycles 100000000 --preset compact
      cbit soak --cycles 1000000 --seed 7 --set unroll=2 --format json

    A traffic generator in gateware, which also serves on a board, reads and writes at once under many keys, and knows
    what each read must show, what must be denied, and what must stay hidden. DRAM is gateware, too. Every few
    million cycles keys are exchanged. The data bus must have 128 bits. Ends with status 1 at the first wrong
    answer. A step of the simulation is never repeated: the same command does the same.
    """
    config = configure(preset_name, settings)
    try:
        guests_of(config)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    words = ["cbit", "soak", "--cycles", str(cycles), "--seed", str(seed), "--preset", preset_name]
    command = shlex.join([*words, *settings_words(settings)])
    try:
        with stages() as progress:
            progress.begin("building the simulation")
            build_soak(config)
            progress.begin(f"simulating {cycles:,} cycles")
            found = soaked(config, cycles=cycles, seed=seed, progress=progress.advance)
    except (BenchError, BuildError, MissingToolError) as error:
        click.echo(f"cbit: {error}\ncbit: {command}", err=True)
        context.exit(1)
    figures = _figures(found)
    if style == "json":
        text = json.dumps({"command": command, **figures, "counts": found.counts, "key_events": found.events,
                           "kinds": found.kinds, "error": found.error, "log": found.log}, indent=1)
    else:
        text = aligned([[name.replace("_", " "), f"{value:,}"] for name, value in figures.items()])
        text = "\n".join([text, *([found.error] if found.error else []), f"  {command}"])
    click.echo(text)
    context.exit(1 if found.error else 0)


def _figures(found: Soaked) -> dict[str, Any]:
    return {
        "cycles": found.cycles, "bursts": found.bursts, "beats": found.beats, "bytes": found.bytes,
        "denied": found.counts["denied"], "hidden": found.counts["hidden"], "keys_changed": sum(found.events.values()),
        "errors": max(found.errors, bool(found.error)), "wall_seconds": round(found.seconds, 1),
        "processor_seconds": round(found.cpu_seconds, 1),
        "cycles_per_second": round(found.cycles / found.seconds)}
