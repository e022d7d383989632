"""A board of gateware behind a pseudo-terminal: a program that talks to a serial port finds it there."""

import contextlib
import os
import select
import threading
import tty
from importlib import import_module
from typing import Any, Self

from cbit.config import EngineConfig, preset
from cbit_sim.compiled import CompiledComponent
from cbit_sim.firmware_build import firmware
from cbit_sim.serial_model import SerialModel

__all__ = ["BOARD_MEMORY_BYTES", "BOARD_PRESET", "SimulatedBoard", "board_model"]

BOARD_PRESET = "compact"
BOARD_MEMORY_BYTES = 1 << 20

_PIECE_CYCLES = 4000
_AWAKE_CYCLES = {False: 1_000_000, True: 60_000_000}
_IDLE_SECONDS = 0.2
_READ_BYTES = 4096


def board_model(config: EngineConfig | None = None, *, has_psp: bool = False, seed: int = 1) -> SerialModel:
    """A board, simulated.

    Parameters
    ----------
    config : :class:`~cbit.config.EngineConfig`
        Of the engine; by default the preset ``compact``.
    has_psp : :class:`bool`
        Whether it has a security processor with its firmware.
    seed : :class:`int`
        Of the simulated entropy, and of what registers and memories hold before reset.

    Raises
    ------
    cbit_sim.firmware_build.FirmwareError, cbit_sim.simulators.MissingToolError, cbit_sim.simulators.BuildError
        If it can not be built.
    """
    soc: Any = import_module("cbit.soc.soc").Soc(
        config or preset(BOARD_PRESET), memory_bytes=BOARD_MEMORY_BYTES, firmware=b"" if has_psp else None,
        simulated_entropy=has_psp)
    top: Any = import_module("cbit_sim.gateware.board_top").BoardTop(soc, memory_bytes=BOARD_MEMORY_BYTES)
    component = CompiledComponent(top, seed=seed, firmware=firmware().image if has_psp else None)
    if has_psp:
        component.set("entropy_seed", 1 + seed)
    return SerialModel(component)


class SimulatedBoard:
    """Puts a board behind a pseudo-terminal, and lets time pass for it in a thread.

    The simulation goes on for a million cycles after the last byte either way, with a security processor for 60
    million, and then stands still until the next.

    Parameters
    ----------
    model : :class:`~cbit_sim.serial_model.SerialModel`
        The board. It is closed with this.
    has_psp : :class:`bool`
        Whether it has a security processor.

    Attributes
    ----------
    path : :class:`str`
        Of the terminal, for others to open.
    """

    def __init__(self, model: SerialModel, *, has_psp: bool = False) -> None:
        self._model = model
        self._awake_cycles = _AWAKE_CYCLES[has_psp]
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the simulation; who has the terminal open finds it gone."""
        if not self._ends.is_set():
            self._ends.set()
            self._thread.join()
            os.close(self._theirs)
            os.close(self._ours)
            self._model.close()

    def wait(self) -> None:
        """Returns when the simulation ends."""
        self._thread.join()

    def _serve(self) -> None:
        awake = self._awake_cycles
        while not self._ends.is_set():
            readable, _, _ = select.select([self._ours], [], [], 0 if awake > 0 else _IDLE_SECONDS)
            if readable:
                self._model.send(os.read(self._ours, _READ_BYTES))
                awake = self._awake_cycles
            elif awake <= 0:
                continue
            answer = self._model.run(_PIECE_CYCLES)
            awake = self._awake_cycles if answer else awake - _PIECE_CYCLES
            # What nobody takes is lost, as on a line.
            with contextlib.suppress(BlockingIOError):
                os.write(self._ours, answer)
