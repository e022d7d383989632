"""`cbit regress`: the random bench with many seeds, at once."""

import json
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from cbit_cli.configuration import configuration_options, configure, settings_words
from cbit_cli.progress import stages
from cbit_cli.regression.summary import Summary
from cbit_cli.scheduler import scheduler_option
from cbit_cli.seeds import seeds_option
from cbit_sim.farm import Farm, MissingBatchError, require_batch
from cbit_sim.netlist import top_module
from cbit_sim.power_on import PowerOn
from cbit_sim.regression import Job, Outcome
from cbit_sim.regression import regress as outcomes_of
from cbit_sim.simulators import BuildError, MissingToolError
from cbit_sim.sources import OtherSourcesError

__all__ = ["regress"]


def _folder(path: Path | None) -> Path | None:
    if path is not None:
        path.mkdir(parents=True, exist_ok=True)
    return path.resolve() if path is not None else None


@click.command()
@click.option("--transactions", metavar="N", type=click.IntRange(1, 10_000_000), default=1000, show_default=True,
              help="Transactions of each seed, at least.")
@seeds_option
@configuration_options
@click.option("--verilog", "design", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Simulate this Verilog, such as a netlist or a changed engine, with the ports of the engine that "
                   "--preset and --set name.")
@click.option("--power-on", "start", type=click.Choice(["random", "zero"]), default="random", show_default=True,
              help="What registers and memories hold before the first reset.")
@click.option("--workers", metavar="N", type=click.IntRange(1, 10_000),
              help="Seeds at once: processes of this machine, by default as many as it has cores, or jobs.")
@scheduler_option
@click.option("--slurm", "batch", flag_value="slurm", help="Submit --workers jobs to Slurm.")
@click.option("--lsf", "batch", flag_value="lsf", help="Submit --workers jobs to LSF.")
@click.option("--waves", "waves", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
              help="Write signals over time, DIR/seed-K.vcd, on this machine. Some kilobytes a cycle.")
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="How to print the figures.")
@click.pass_context
def regress(context: click.Context, transactions: int, seeds: range, preset_name: str, settings: Sequence[str],
            design: Path | None, start: PowerOn, workers: int | None, scheduler: str | None,
            batch: Literal["slurm", "lsf"] | None, waves: Path | None, style: str) -> None:
    """Simulate random traffic with many seeds, judged by the golden model.

    \b
      cbit regress --transactions 1000 --seeds 1-100 --preset compact
      cbit regress --seeds 1-5000 --slurm --workers 40

    Each seed has its own state at power-on, DRAM, back-pressure, mode, key changes and resets. For each that fails the
    first error is printed, and the command that repeats it with signals over time. Ends with status 1 if one has
    failed.

    The simulation is built once, and the seeds of a worker that dies are done by another. Of a farm every worker needs
    this Cbit, and its own or a shared folder of builds, which CBIT_BUILD names. Queue, account and time limit of jobs
    are those of dask-jobqueue's configuration.
    """
    config = configure(preset_name, settings)
    farm = _farm(workers, scheduler, batch, waves)
    text = None if design is None else _design(design)
    job = Job(config=config, transactions=transactions, design=text, waves=_folder(waves), start=start)
    command = ["cbit", "regress", "--transactions", str(transactions), "--seeds", "", "--preset", preset_name]
    command += settings_words(settings)
    command += [] if design is None else ["--verilog", str(design)]
    command += [] if start == "random" else ["--power-on", start]
    try:
        outcomes, seconds = _outcomes(job, seeds, farm)
    except (BuildError, MissingToolError, OtherSourcesError, OSError) as error:
        click.echo(f"cbit: {farm}: {error}", err=True)
        context.exit(1)
    summary = Summary(
        command=_with_seeds(command, f"{seeds[0]}-{seeds[-1]}"), outcomes=outcomes, seconds=seconds,
        replays=[_with_seeds(command, f"{outcome.seed}-{outcome.seed}", "--waves", str(waves or "waves"))
                 for outcome in outcomes if outcome.error])
    click.echo(json.dumps(summary.as_dict(), indent=1) if style == "json" else summary.as_text())
    context.exit(1 if summary.failed else 0)


def _farm(workers: int | None, scheduler: str | None, batch: Literal["slurm", "lsf"] | None,
          waves: Path | None) -> Farm:
    if scheduler is not None and (batch or workers is not None):
        raise click.UsageError(f"--scheduler has workers of its own: {f'--{batch}' if batch else '--workers'} must not "
                               "stand beside it")
    if waves is not None and (scheduler or batch):
        raise click.UsageError("--waves writes on this machine: no --scheduler, --slurm or --lsf must stand beside it")
    if batch and workers is None:
        raise click.UsageError(f"--{batch} must have --workers, the number of jobs, beside it")
    if batch:
        try:
            require_batch()
        except MissingBatchError as error:
            raise click.UsageError(str(error)) from error
    return Farm(scheduler=scheduler, batch=batch) if workers is None else Farm(workers=workers, batch=batch)


def _design(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        top_module(text)
    except ValueError as error:
        raise click.UsageError(f"--verilog must be a file of Verilog, and {path} is not: {error}") from error
    return text


def _outcomes(job: Job, seeds: range, farm: Farm) -> tuple[list[Outcome], float]:
    """What came of the seeds, in their order, and the seconds that they took."""
    outcomes = []
    started = time.monotonic()

    def built() -> None:
        nonlocal started
        started = time.monotonic()
        progress.begin(f"simulating {len(seeds)} seeds")

    with stages() as progress:
        progress.begin(f"{'waiting for workers, ' if farm.batch or farm.scheduler else ''}building the simulation")
        for outcome in outcomes_of(job, seeds, farm, built=built):
            outcomes.append(outcome)
            if outcome.error:
                click.echo(f"cbit: seed {outcome.seed} failed: {outcome.error}", err=True)
            progress.advance(len(outcomes) / len(seeds), f"{len(outcomes)} of {len(seeds)} seeds")
        seconds = time.monotonic() - started
    for outcome in outcomes:
        if outcome.waves:
            click.echo(f"cbit: seed {outcome.seed}: signals over time are in {outcome.waves}", err=True)
    return sorted(outcomes, key=lambda outcome: outcome.seed), seconds


def _with_seeds(command: Sequence[str], seeds: str, *more: str) -> str:
    words = list(command)
    words[words.index("--seeds") + 1] = seeds
    return shlex.join([*words, *more])
