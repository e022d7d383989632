"""The `cbit` command: finds its subcommands and prints what goes wrong as one line."""

import importlib
import sys
import typing
from collections.abc import Sequence

import click

from cbit_cli.group import CommandGroup

__all__ = ["COMMANDS", "cbit", "main"]

COMMANDS = {
    "demo": ("cbit_cli.demo", "Simulate a platform and show what it protects, and what not."),
    "model": ("cbit_cli.model", "Encrypt and decrypt files as the engine does."),
    "presets": ("cbit_cli.presets", "List the engine configurations that come with Cbit."),
    "verilog": ("cbit_cli.verilog", "Write an engine as Verilog, with a JSON file that describes it."),
    "regs": ("cbit_cli.regs", "Print the registers."),
    "regress": ("cbit_cli.regress", "Simulate random traffic with many seeds, here or on a farm."),
    "soak": ("cbit_cli.soak", "Simulate traffic of gateware for millions of cycles."),
    "coverage": ("cbit_cli.coverage", "Tell what the benches cover of an engine, and what not, and why."),
    "bench": ("cbit_cli.bench", "Measure engines, or parts of them, on an FPGA."),
    "mutate": ("cbit_cli.mutate", "Plant faults in an engine and see whether the benches find them."),
    "upset": ("cbit_cli.upset", "Flip bits of control registers and see whether an engine leaks."),
    "explore": ("cbit_cli.explore", "Measure many configurations, and show size against speed."),
    "boards": ("cbit_cli.boards", "List the FPGA boards, and the figures of their last build."),
    "build": ("cbit_cli.build", "Make a bitstream for an FPGA board."),
    "psp": ("cbit_cli.psp", "Drive a simulated platform by its mailbox, as the host."),
    "owner": ("cbit_cli.owner", "Verify a platform, a launch and a report, as a guest's owner."),
    "board": ("cbit_cli.board", "Read, write and attack the memory of a board, real or simulated."),
}
"""Subcommand to the module that has it under the same name, and its line in the help."""

BAD_INPUT = 2
"""Exit status when what the user gave can not be worked with."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


class _LazyGroup(CommandGroup):
    """Imports a subcommand only when it runs, so that the help is quick."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup, invoke_without_command=True)
@click.version_option(package_name="cbit")
@click.pass_context
def cbit(context: click.Context) -> None:
    """Cbit: inline memory encryption with the semantics of AMD SME and SEV.

    From a first run to your own SoC:

    \b
      cbit demo                            watch it encrypt memory in simulation
      cbit model encrypt --help            compare with the golden model
      cbit presets                         choose a configuration
      cbit bench --preset NAME             see its size and clock on an FPGA
      cbit explore --axes sbox,unroll      compare many configurations
      cbit regress --preset NAME           try it with random traffic
      cbit soak --cycles 100000000         let it run for long
      cbit coverage --preset NAME          see what the benches cover of it
      cbit mutate                          see how well the benches find faults
      cbit upset                           see what a flipped control bit can do
      cbit verilog --preset NAME -o cbit.v write it for your SoC, with cbit.json
      cbit regs --format markdown          see the registers your firmware uses
      cbit build ulx3s-85f                 make a bitstream for a board
      cbit psp --help                      launch a guest on a simulated platform
      cbit owner --help                    verify a guest's launch, as its owner
      cbit board --help                    use a board, real or simulated

    Figures go to standard output, messages to standard error. Bad input ends with status 2.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> typing.NoReturn:
    """Runs the command and ends the process with its status.

    Of what goes wrong it prints one line if the input or the files are to blame. Anything else is a fault of Cbit and
    keeps its traceback.
    """
    try:
        status = cbit.main(args=arguments, prog_name="cbit", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as missing:
        missing.show(sys.stdout)
        sys.exit(0)
    except click.NoSuchOption as error:
        _end(BAD_INPUT, f"{error.message} {_options(error)}")
    except click.ClickException as error:
        _end(BAD_INPUT, error.format_message())
    except click.Abort:
        _end(INTERRUPTED, "interrupted")
    except OSError as error:
        _end(BAD_INPUT, f"{error.filename}: {error.strerror}" if error.filename else str(error))
    sys.exit(status)


def _options(error: click.NoSuchOption) -> str:
    """The options that there are where one was given that is not."""
    assert error.ctx is not None
    options = [parameter.opts[0] for parameter in error.ctx.command.get_params(error.ctx)
               if isinstance(parameter, click.Option)]
    return f"Options are {', '.join(options)}."


def _end(status: int, message: str) -> typing.NoReturn:
    click.echo(f"cbit: {' '.join(message.split())}", err=True)
    sys.exit(status)
