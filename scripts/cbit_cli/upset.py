"""`cbit upset`: what one inverted bit of a control register can do."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cbit_cli.configuration import configuration_options, configure, require_one_block, settings_words
from cbit_cli.files import require_writable, write_together
from cbit_cli.mutation.trial import WrongEngineError
from cbit_cli.progress import stages
from cbit_cli.upsets.campaign import struck
from cbit_fpga.store import Store
from cbit_fpga.yosys import YosysError
from cbit_sim.runner import BenchError
from cbit_sim.simulators import BuildError, MissingToolError

__all__ = ["upset"]

EVERY = "every"


class _Count(click.ParamType[int | None]):
    """A number of bits, or the word for all of them."""

    name = "count"
    _numbers = click.IntRange(1, 100_000)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        return None if value == EVERY else self._numbers.convert(value, param, ctx)


@click.command()
@click.option("--count", metavar="N", type=_Count(), default="200", show_default=True,
              help=f"How many bits, sampled at random, or the word {EVERY}.")
@click.option("--seed", metavar="SEED", type=click.IntRange(0), default=1, show_default=True,
              help="The same seed gives the same bits, traffic and cycles.")
@click.option("--out", "output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
              help="Write all strikes here, as JSON, too.")
@configuration_options
@click.pass_context
def upset(context: click.Context, count: int | None, seed: int, output: Path | None, preset_name: str,
          settings: Sequence[str]) -> None:
    """Invert bits of control registers, one in each trial, and see what the engine makes of it.

    A trial is random traffic of the host and several guests from reset on; in one cycle of it a bit of a register
    flips, and stays so until the register is next written. Control is every bit that is not a block, a tweak, a key or
    what AES makes of them. What comes of it is masked, detected (an error, a fault bit, a broken rule of the bus,
    or no more answers), silent (wrong data or counts), or leaking: private data are shown, or a key other than the
    access's own is used, with OKAY. Each leaking bit has a line.

    The data bus must have 128 bits. All bits are in one model; a small engine with the table S-box is soonest built.
    Every step is kept in the folder that CBIT_BUILD names, or in build: after an interruption the same command goes
    on where it was.
    """
    config = configure(preset_name, settings)
    require_one_block(config, "a block a beat")
    if output is not None:
        require_writable(output, "FILE")
    command = shlex.join(["cbit", "upset", "--count", EVERY if count is None else str(count), "--seed", str(seed),
                          "--preset", preset_name, *settings_words(settings)])
    try:
        with stages() as progress:
            progress.begin("upsets")
            report = struck(config, count=count, seed=seed, store=Store(), command=command, progress=progress.advance)
    except (WrongEngineError, YosysError, MissingToolError, BuildError, BenchError) as error:
        click.echo(f"cbit: {error}", err=True)
        context.exit(1)
    click.echo(report.table())
    if output is not None:
        write_together({output: (json.dumps(report.as_dict(), indent=1) + "\n").encode()})
