"""What a board is, in plain Python without Amaranth, and those that there are."""

import dataclasses
import functools
import pkgutil
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import cbit_boards.catalog
from cbit.config import EngineConfig, preset
from cbit.dram.spec import DramKind, DramSpec
from cbit_boards.pll import PllDividers, Wanted, dividers
from cbit_fpga.devices import DEVICES, Device

__all__ = ["Board", "OnChip", "Pin", "board", "boards"]


@dataclasses.dataclass(frozen=True)
class OnChip:
    """Memory of the FPGA itself."""

    memory_bytes: int


@dataclasses.dataclass(frozen=True)
class Pin:
    """A resource of the board's platform, by name and number, or a part of one."""

    resource: str
    number: int = 0
    part: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Board:
    """A board.

    Parameters
    ----------
    title : :class:`str`
        What its maker calls it.
    device : :class:`str`
        One of :data:`~cbit_fpga.devices.DEVICES`.
    platform : callable
        Makes Amaranth's platform of it. It imports that when called.
    crystal_hz, clock_hz : :class:`int`
        The clock that the platform has by default, and that of engine and memory. Where they are the same and nothing
        needs another, there is no PLL.
    memory : :class:`~cbit.dram.spec.DramSpec` or :class:`OnChip`
        Behind the engine. DDR3 only with a security processor, which levels it.
    memory_phase_degrees : :class:`int`
        How much the clock at the pins of SDRAM lags that of engine and memory.
    has_byte_masks : :class:`bool`
        Whether the memory can be told to write some bytes of a beat.
    preset : :class:`str`
        The engine's.
    changes : mapping
        Parameters that differ from the preset's.
    psp_clock_hz : :class:`int` or :data:`None`
        Clock of the security processor. :data:`None` where there is none, and the host gives keys by the bridge.
    lights : mapping
        Output of the SoC, ``released``, ``violation`` or ``self_test_failed``, to the LED that shows it.
    levels : mapping
        Pins that must be high or low.
    programmer : tuple of :class:`str`
        The words of openFPGALoader for this board.
    obstacle : :class:`str`
        Why there can be no bitstream yet, where there can be none.
    """

    title: str
    device: str
    platform: Callable[[], Any]
    crystal_hz: int
    clock_hz: int
    memory: DramSpec | OnChip
    memory_phase_degrees: int = 90
    has_byte_masks: bool = True
    preset: str
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    psp_clock_hz: int | None = None
    lights: Mapping[str, Pin] = dataclasses.field(default_factory=dict)
    levels: Mapping[Pin, int] = dataclasses.field(default_factory=dict)
    programmer: tuple[str, ...] = ()
    obstacle: str = ""

    def __post_init__(self) -> None:
        if self.levels_dram and self.psp_clock_hz is None:
            raise ValueError("psp_clock_hz must be that of the security processor, which levels DDR3, not None")
        if self.device not in DEVICES:
            raise ValueError(f"device must be one of {', '.join(DEVICES)}, not {self.device!r}")

    @property
    def fpga(self) -> Device:
        """What the tools know of its device."""
        return DEVICES[self.device]

    @property
    def levels_dram(self) -> bool:
        """Whether its memory is DDR3, whose controller makes the clock of engine and memory."""
        return isinstance(self.memory, DramSpec) and self.memory.kind is DramKind.DDR3

    @property
    def config(self) -> EngineConfig:
        """The engine's parameters."""
        return dataclasses.replace(preset(self.preset), **self.changes)

    @property
    def domains(self) -> Mapping[str, Wanted]:
        """The clock domains that come from the PLL, and their clocks; empty where there is none."""
        if self.levels_dram:
            assert self.psp_clock_hz is not None
            return {"security": Wanted(self.psp_clock_hz)}
        if self.clock_hz == self.crystal_hz and self.psp_clock_hz is None and not isinstance(self.memory, DramSpec):
            return {}
        found = {"sync": Wanted(self.clock_hz)}
        if isinstance(self.memory, DramSpec):
            found["sdram"] = Wanted(self.clock_hz, self.memory_phase_degrees)
        if self.psp_clock_hz is not None:
            found["security"] = Wanted(self.psp_clock_hz)
        return found

    @property
    def dividers(self) -> PllDividers:
        """Of the PLL that makes :attr:`domains`.

        Raises
        ------
        ValueError
            If no PLL can.
        """
        return dividers(self.crystal_hz, list(self.domains.values()))

    @property
    def memory_name(self) -> str:
        """What its memory is, for people."""
        match self.memory:
            case DramSpec(module=module, memory_bytes=size):
                return f"{size >> 20} MiB {module}"
            case OnChip(memory_bytes=size):
                return f"{size >> 10} KiB on the chip"

    @property
    def keys(self) -> str:
        """Who gives the engine its keys: the security processor, or the host by the bridge."""
        return "bridge" if self.psp_clock_hz is None else "PSP"


@functools.cache
def boards() -> Mapping[str, Board]:
    """All boards by name: a module of :mod:`cbit_boards.catalog` is a board, with ``-`` for ``_``."""
    names = sorted(module.name for module in pkgutil.iter_modules(cbit_boards.catalog.__path__))
    return {name.replace("_", "-"): import_module(f"cbit_boards.catalog.{name}").BOARD for name in names}


def board(name: str) -> Board:
    """The board of a name.

    Raises
    ------
    ValueError
        If there is none; the text lists those there are.
    """
    if name not in boards():
        raise ValueError(f"BOARD must be one of {', '.join(boards())}, not {name!r}")
    return boards()[name]
