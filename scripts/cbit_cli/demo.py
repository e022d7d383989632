"""`cbit demo`: the engine at work on a file, judged by the golden model, with a page to show for it."""

import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from cbit.config import EngineConfig
from cbit_cli.configuration import configuration_options, configure, settings_words
from cbit_cli.demonstration.page import figures, page
from cbit_cli.demonstration.run import Run
from cbit_cli.demonstration.table import print_table
from cbit_cli.hosting.telling import platform_progress
from cbit_cli.progress import Stages, stages
from cbit_cli.report_folder import ReportFolder
from cbit_model.access import Response
from cbit_model.sev.owner.distrust import DistrustError
from cbit_sim.demo.figures import Cost
from cbit_sim.demo.guest_launch import GuestLaunch, compare_launch, launch_guest
from cbit_sim.demo.judge import compare, compare_owners
from cbit_sim.demo.model_actor import Observation, act
from cbit_sim.demo.picture import default_file
from cbit_sim.demo.story import SLOTS, Story
from cbit_sim.entropy_words import RecordedEntropy
from cbit_sim.firmware_build import FirmwareError
from cbit_sim.runner import BenchError, simulate
from cbit_sim.scoreboard import MismatchError
from cbit_sim.sev_host import UnexpectedStatusError
from cbit_sim.sev_model import ModelPlatform
from cbit_sim.simulated_platform import PlatformStoppedError, SimulatedPlatform
from cbit_sim.simulators import BuildError, MissingToolError, build_model
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES, build_folder, cached_verilog

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
    """Simulate the engine and show what it protects, and what not.

    FILE, of up to 4 MiB, is written to simulated memory four times: plain, encrypted for the host, and as private
    memory of two guests; without FILE it is a picture. Owners and others read it back, DRAM is compared with the golden
    model's byte by byte, and cost is measured in cycles. A platform with its security processor launches a guest from
    FILE, or its first 256 KiB, which the guest's owner verifies. DIR/report.html shows it all.

    Ends with status 1 where a byte differs from the golden model.
    """
    config = configure(preset_name, settings)
    data = _content(file)
    story = Story(data, seed=seed)
    _require_fit(config, story)
    target = ReportFolder(folder, command="demo", outputs=OUTPUTS, source=file)
    name = click.format_filename(file, shorten=True) if file is not None else "a picture that the demo has drawn"
    command = _command(file, folder, seed, preset_name, settings)
    try:
        with stages() as progress:
            run = _run(story, config, progress, name=name, preset=preset_name, command=command)
            progress.begin("writing the report")
            outputs = {"report.html": page(run).encode(), "figures.json": figures(run).encode(),
                       "dram.bin": run.seen["DRAM"][0]}
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


def _require_fit(config: EngineConfig, story: Story) -> None:
    if config.asid_count <= max(SLOTS):
        raise click.UsageError(f"asid_count must be {max(SLOTS) + 1} or more for the demo, not {config.asid_count}")
    if story.dram_bytes > 1 << config.c_bit:
        raise click.UsageError(f"c_bit must be {(story.dram_bytes - 1).bit_length()} or more for a FILE of "
                               f"{len(story.data)} bytes, not {config.c_bit}")


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
        If the engine and the golden model disagree.
    """
    builds = build_folder()
    progress.begin("generating the engine's Verilog")
    sources = [cached_verilog(top, config, builds) for top in ("engine", "wire")]
    progress.begin("building the simulation (minutes, once)")
    for source in sources:
        build_model("verilator", source, builds)
    progress.begin("simulating the story")
    seen, story_cycles = _simulate_story(story, config, progress)
    launched, launch_compared = _launch(story, progress)
    progress.begin("comparing with the golden model")
    expected = act(story, config.as_dict())
    got = dict(zip(expected, seen, strict=True))
    compared = compare(story, expected, got)
    compare_owners(story, got)
    parameters = {"seed": story.seed, "samples": _SAMPLES, "bursts": _BURSTS}
    reports = {}
    for top in ("engine", "wire"):
        progress.begin(f"measuring the {top}")
        reports[top] = simulate(top, "cbit_sim.benches.cost", parameters=parameters, config=config,
                                progress=progress.advance)
    return Run(story=story, config=config, preset=preset, name=name, command=command, seen=got,
               compared=compared + launch_compared, launch=launched, cost=Cost.of(reports["engine"], reports["wire"]),
               cycles=story_cycles + sum(report["cycles"] for report in reports.values()))


def _launch(story: Story, progress: Stages) -> tuple[GuestLaunch, int]:
    """What the PSP of a simulated platform has launched, and the bytes of it compared with the golden model.

    Raises
    ------
    MismatchError
        If it and the golden model disagree.
    """
    with SimulatedPlatform(story.seed % _SEEDS, progress=platform_progress(progress)) as platform:
        launched = launch_guest(platform, story.data, seed=story.seed, clock=lambda: platform.cycles)
        words = platform.entropy_words()
    model = ModelPlatform(size_bytes=PLATFORM_MEMORY_BYTES, entropy=RecordedEntropy(words))
    return launched, compare_launch(launch_guest(model, story.data, seed=story.seed), launched)


def _simulate_story(story: Story, config: EngineConfig, progress: Stages) -> tuple[list[Observation], int]:
    """What the engine's observers saw, in order, and the cycles that it took."""
    with tempfile.TemporaryDirectory(prefix="cbit-demo-") as name:
        folder = Path(name)
        (folder / "file").write_bytes(story.data)
        report = simulate("engine", "cbit_sim.benches.story", config=config, progress=progress.advance,
                          parameters={"file": str(folder / "file"), "seed": story.seed, "folder": name})
        seen = [((folder / str(number)).read_bytes(), Response(response))
                for number, response in enumerate(report["responses"])]
    return seen, report["cycles"]
