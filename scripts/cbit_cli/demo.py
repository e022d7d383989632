"""`cbit demo`: a platform at work on a file, judged by the golden model, with a page to show for it."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from cbit.config import EngineConfig
from cbit_cli.configuration import configuration_options, configure, settings_words
from cbit_cli.demonstration.page import figures, page
from cbit_cli.demonstration.platform_engine import deviation, platform_engine, require_fit
from cbit_cli.demonstration.run import Run
from cbit_cli.demonstration.table import print_table
from cbit_cli.hosting.telling import platform_progress
from cbit_cli.progress import Stages, stages
from cbit_cli.report_folder import ReportFolder
from cbit_model.sev.owner.distrust import DistrustError
from cbit_sim.demo.actor import Progress, act
from cbit_sim.demo.figures import Cost
from cbit_sim.demo.judge import compare, compare_owners
from cbit_sim.demo.picture import default_file
from cbit_sim.demo.platforms import GoldenPlatform
from cbit_sim.demo.story import Story
from cbit_sim.firmware_build import FirmwareError
from cbit_sim.runner import BenchError, simulate
from cbit_sim.scoreboard import MismatchError
from cbit_sim.sev_host import UnexpectedStatusError
from cbit_sim.simulated_platform import PlatformStoppedError, SimulatedPlatform
from cbit_sim.simulators import BuildError, MissingToolError, build_model
from cbit_sim.verilog import build_folder, cached_verilog

__all__ = ["OUTPUTS", "demo"]

OUTPUTS = ("report.html", "figures.json", "dram.bin")
"""The files of the report."""

_MAX_FILE_BYTES = 4 << 20
_SAMPLES = 200
_SEEDS = (1 << 32) - 1
_BURSTS = 400

_FAILURES = (MismatchError, BenchError, MissingToolError, BuildError, FirmwareError, PlatformStoppedError,
             DistrustError, UnexpectedStatusError)


@click.command()
@click.argument("file", metavar="[FILE]", type=click.Path(path_type=Path), required=False)
@click.option("--out", "folder", metavar="DIR", type=click.Path(path_type=Path), default="demo", show_default=True,
              help="Folder for the report: a new or an empty one, or that of an earlier demo.")
@click.option("--seed", metavar="N", type=int, default=1, show_default=True,
              help="Of keys, of the cuts into bursts, of traffic.")
@configuration_options
@click.pass_context
def demo(context: click.Context, file: Path | None, folder: Path, seed: int, preset_name: str,
         settings: Sequence[str]) -> None:
    """Simulate a platform and show what it protects, and what not.

    A security processor boots and launches two guests, the first of which its owner verifies. FILE, of up to 4 MiB, is
    in simulated memory four times: plain, encrypted for the host, and as private memory of each guest; without FILE it
    is a picture. Owners and others read it, DRAM is compared with the golden model's byte by byte, and the cost of the
    engine is measured in cycles. DIR/report.html shows it all.

    Ends with status 1 where a byte differs from the golden model.
    """
    config = configure(preset_name, settings)
    require_fit(config)
    story = Story(_content(file), seed=seed)
    target = ReportFolder(folder, command="demo", outputs=OUTPUTS, source=file)
    name = click.format_filename(file, shorten=True) if file is not None else "a picture that the demo has drawn"
    command = _command(file, folder, seed, preset_name, settings)
    if remark := deviation(config):
        click.echo(f"cbit: {remark}", err=True)
    try:
        with stages() as progress:
            run = _run(story, config, progress, name=name, preset=preset_name, command=command)
            progress.begin("writing the report")
            outputs = {"report.html": page(run).encode(), "figures.json": figures(run).encode(),
                       "dram.bin": run.content("DRAM")}
            target.write(outputs)
    except _FAILURES as error:
        click.echo(f"cbit: {error}", err=True)
        context.exit(1)
    print_table(run)
    click.echo(f"cbit: every byte agrees with the golden model; see {folder / 'report.html'}", err=True)


def _content(file: Path | None) -> bytes:
    if file is None:
        return default_file()
    if not file.is_file():
        what = "a folder" if file.is_dir() else "not one" if file.exists() else "missing"
        raise click.UsageError(f"FILE must be a regular file, and {file} is {what}")
    size = file.stat().st_size
    if not 0 < size <= _MAX_FILE_BYTES:
        raise click.UsageError(f"FILE must be of 1 to {_MAX_FILE_BYTES} bytes, and {file} is of {size}")
    return file.read_bytes()


def _command(file: Path | None, folder: Path, seed: int, preset_name: str, settings: Sequence[str]) -> str:
    words: list[str | Path] = ["cbit", "demo", *([file] if file is not None else []), "--out", folder,
                               "--seed", str(seed), "--preset", preset_name,
                               *settings_words(settings)]
    return shlex.join(click.format_filename(word) for word in words)


def _run(story: Story, config: EngineConfig, progress: Stages, *, name: str, preset: str, command: str) -> Run:
    """Everything but the report, stage by stage.

    Raises
    ------
    MismatchError
        If gateware and golden model disagree.
    """
    builds = build_folder()
    progress.begin("generating the engine's Verilog")
    sources = [cached_verilog(top, config, builds) for top in ("engine", "wire")]
    progress.begin("building the simulation (minutes, once)")
    for source in sources:
        build_model("verilator", source, builds)
    platform_config, told = platform_engine(config), platform_progress(progress)
    with SimulatedPlatform(story.seed % _SEEDS, config=platform_config, progress=told) as platform:
        account = act(story, platform, platform_config, progress=_accesses(progress))
        words, cycles, engine_cycles = platform.entropy_words(), platform.cycles, platform.engine_cycles
    progress.begin("comparing with the golden model")
    expected = act(story, GoldenPlatform(words, platform_config), platform_config)
    compared = compare(expected.seen, account.seen)
    compare_owners(story, account.seen)
    parameters = {"seed": story.seed, "samples": _SAMPLES, "bursts": _BURSTS}
    reports = {}
    for top in ("engine", "wire"):
        progress.begin(f"measuring the {top}")
        reports[top] = simulate(top, "cbit_sim.benches.cost", parameters=parameters, config=config,
                                progress=progress.advance)
    return Run(story=story, config=config, platform_config=platform_config, preset=preset, name=name, command=command,
               account=account, compared=compared, cost=Cost.of(reports["engine"], reports["wire"]), psp_cycles=cycles,
               engine_cycles=engine_cycles + sum(report["cycles"] for report in reports.values()))


def _accesses(progress: Stages) -> Progress:
    """What shows all accesses of the story as a stage."""
    def tell(part: float, text: str) -> None:
        if not part:
            progress.begin("simulating accesses to memory")
        progress.advance(part, text)

    return tell
