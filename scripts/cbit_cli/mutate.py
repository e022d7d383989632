"""`cbit mutate`: how good the benches are, by faults that they must find."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from cbit_cli.configuration import configuration_options, configure, require_one_block, settings_words
from cbit_cli.files import require_writable, write_together
from cbit_cli.mutation.campaign import Shares, judged
from cbit_cli.mutation.trial import WrongEngineError
from cbit_cli.progress import stages
from cbit_fpga.store import Store
from cbit_fpga.yosys import YosysError
from cbit_sim.simulators import BuildError, MissingToolError

__all__ = ["mutate"]


@click.command()
@click.option("--count", metavar="N", type=click.IntRange(1, 10_000), default=100, show_default=True,
              help="How many mutants.")
@click.option("--seed", metavar="SEED", type=click.IntRange(0), default=1, show_default=True,
              help="The same seed gives the same mutants.")
@click.option("--out", "output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the mutants here, as JSON, too.")
@configuration_options
@click.pass_context
def mutate(context: click.Context, count: int, seed: int, output: Path | None, preset_name: str,
           settings: Sequence[str]) -> None:
    """Change the engine's netlist in one place at a time, and see whether the benches find out.

    Three in ten mutants are other operators, one in ten is in AES, the others are bits, constants and conditions that
    are stuck, inverted, or inverted by another bit. A mutant that no bench kills is compared with the engine by proof.
    Each line names where in the gateware it is.

    The data bus must have 128 bits. All mutants are in one model; a small engine with the table S-box is soonest built.
    Every step is kept in the folder that CBIT_BUILD names, or in build: after an interruption the same command goes
    on where it was.
    """
    config = configure(preset_name, settings)
    require_one_block(config, "as wide as the benches' blocks")
    if output is not None:
        require_writable(output, "FILE")
    command = shlex.join(["cbit", "mutate", "--count", str(count), "--seed", str(seed), "--preset", preset_name,
                          *settings_words(settings)])
    try:
        with stages() as progress:
            progress.begin("mutants")
            report = judged(config, shares=Shares.of(count), seed=seed, store=Store(), command=command,
                            progress=progress.advance)
    except (WrongEngineError, YosysError, MissingToolError, BuildError) as error:
        click.echo(f"cbit: {error}", err=True)
        context.exit(1)
    click.echo(report.table())
    if output is not None:
        write_together({output: (json.dumps(report.as_dict(), indent=1) + "\n").encode()})
