"""Boards that commands talk to, real ones and simulated, and one line where something fails."""

import contextlib
import secrets
from collections.abc import Iterator
from typing import NoReturn

import click

from cbit_boards.host.board import Board, BoardError
from cbit_boards.host.keys import open_engine
from cbit_boards.host.link import Link, NoAnswerError
from cbit_boards.host.port import PortClosedError, PortError, SerialPort
from cbit_cli.progress import Stages, stages
from cbit_sim.firmware_build import FirmwareError
from cbit_sim.simulated_board import SimulatedBoard, board_model
from cbit_sim.simulators import BuildError, MissingToolError

__all__ = ["SIMULATED", "connected", "open_with_random_keys", "refusals", "simulated_board"]

SIMULATED = "sim"
"""What stands for a port where a board is to be simulated for one command."""

_SIMULATED_BAUD = 115_200
_SIMULATED_SECONDS = 20.0
_BOOT_SECONDS = 1800.0
_TRIES = 4


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Ends the command where a board fails: with status 2 if there is none, else with status 1."""
    try:
        yield
    except PortError as error:
        raise click.ClickException(str(error)) from error
    except (BoardError, BuildError, FirmwareError, MissingToolError, NoAnswerError, PortClosedError) as error:
        _fail(error)


@contextlib.contextmanager
def connected(port: str, baud: int, *, seconds: float) -> Iterator[Board]:
    """The board at a port; with port ``sim`` one that is simulated for as long, with random keys."""
    with refusals(), contextlib.ExitStack() as opened:
        if port == SIMULATED:
            with stages() as shown:
                board = opened.enter_context(_simulated(shown))
        else:
            board = opened.enter_context(_board(port, baud, seconds))
        yield board


@contextlib.contextmanager
def simulated_board(*, has_psp: bool, seed: int, is_closed: bool, shown: Stages) -> Iterator[SimulatedBoard]:
    """A simulated board that serves memory, unless it is to stay closed."""
    shown.begin("building the simulation (minutes, once)")
    with SimulatedBoard(board_model(has_psp=has_psp, seed=seed), has_psp=has_psp) as simulated:
        if not is_closed:
            shown.begin("the security processor boots" if has_psp else "installing keys")
            with _board(simulated.path, _SIMULATED_BAUD, _SIMULATED_SECONDS) as board:
                if has_psp:
                    board.wait_until_released(seconds=_BOOT_SECONDS)
                else:
                    open_with_random_keys(board, guests=board.identity.asid_count - 1)
        yield simulated


def open_with_random_keys(board: Board, *, guests: int) -> None:
    """Opens the engine of a board without a security processor, with keys that are kept nowhere else."""
    size = board.identity.key_bits // 8
    open_engine(board, {slot: (secrets.token_bytes(size), secrets.token_bytes(size)) for slot in range(guests + 1)})


@contextlib.contextmanager
def _simulated(shown: Stages) -> Iterator[Board]:
    with simulated_board(has_psp=False, seed=secrets.randbelow(1 << 31), is_closed=False, shown=shown) as simulated:
        with _board(simulated.path, _SIMULATED_BAUD, _SIMULATED_SECONDS) as board:
            yield board


@contextlib.contextmanager
def _board(port: str, baud: int, seconds: float) -> Iterator[Board]:
    with contextlib.closing(SerialPort(port, baud=baud)) as opened:
        yield Board(Link(opened, seconds=seconds, tries=_TRIES))


def _fail(error: Exception) -> NoReturn:
    click.echo(f"cbit: {error}", err=True)
    raise click.exceptions.Exit(1) from error
