"""`cbit coverage`: what traffic, lines and toggles the benches cover, and what not, and why."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from cbit_cli.configuration import configuration_options, configure, require_one_block, settings_words
from cbit_cli.covering.campaign import covered, runs
from cbit_cli.covering.page import page
from cbit_cli.covering.report import Report
from cbit_cli.covering.waivers import TABLE, read_waivers
from cbit_cli.progress import stages
from cbit_cli.report_folder import ReportFolder
from cbit_cli.seeds import seeds_option
from cbit_sim.runner import BenchError
from cbit_sim.simulators import BuildError, MissingToolError

__all__ = ["coverage"]

_OUTPUTS = ("report.html", "coverage.json")


@click.command()
@click.option("--transactions", metavar="N", type=click.IntRange(1, 10_000_000), default=1000, show_default=True,
              help="Transactions of each seed of random traffic, at least.")
@seeds_option
@click.option("--out", "folder", metavar="DIR", type=click.Path(path_type=Path), default="coverage",
              show_default=True, help="Folder for the report: a new or an empty one, or an earlier one's.")
@configuration_options
@click.pass_context
def coverage(context: click.Context, transactions: int, seeds: range, folder: Path, preset_name: str,
             settings: Sequence[str]) -> None:
    """Run the benches and tell what they cover of an engine.

    \b
      cbit coverage --seeds 1-20 --preset low-latency --set sbox=table --set unroll=2

    The benches are a short look, what power-on leaves, the corners, and random traffic with each seed; the data bus
    must have 128 bits. Counted are accesses, by what they are and what they meet, and lines and toggles of the
    engine's Verilog. What is not covered is listed with its reason.

    DIR/report.html is complete in itself; DIR/coverage.json has the figures. A model that counts is built first, which
    takes minutes; a small engine is soonest built. Ends with status 1 if a bench fails.
    """
    config = configure(preset_name, settings)
    require_one_block(config, "whose accesses are told apart")
    target = ReportFolder(folder, command="coverage", outputs=_OUTPUTS)
    command = shlex.join(["cbit", "coverage", "--transactions", str(transactions), "--seeds",
                          f"{seeds[0]}-{seeds[-1]}", "--preset", preset_name,
                          *settings_words(settings)])
    try:
        with stages() as progress:
            progress.begin("building the simulation, and running benches")
            found = covered(config, runs(seeds, transactions), progress=progress.advance)
    except (BenchError, BuildError, MissingToolError) as error:
        click.echo(f"cbit: {' '.join(str(error).split())}", err=True)
        context.exit(1)
    report = Report(found, config=config, waivers=read_waivers(TABLE.read_text(encoding="utf-8")), command=command)
    target.write({"report.html": page(report).encode(),
                  "coverage.json": (json.dumps(report.as_dict(), indent=1) + "\n").encode()})
    click.echo(report.as_text())
    click.echo(f"cbit: {folder / _OUTPUTS[0]} shows it", err=True)
