"""From a netlist to a bitstream: placed and routed on a board's pins, for its clocks."""

import dataclasses
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from cbit_fpga.devices import Device
from cbit_fpga.placer import Hop, critical_path, placed
from cbit_fpga.store import Store
from cbit_sim.sources import digest

__all__ = ["Clock", "Implementation", "Usage", "implement", "pack"]

_CONFIGURATION = "configuration"
_CONSTRAINTS = "constraints"
_BITSTREAM = "bitstream"
_GLOBAL_NET = "$glbnet$"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clock:
    """A clock of a routed design.

    Parameters
    ----------
    net : :class:`str`
        Its name in the netlist.
    mhz, needed_mhz : :class:`float`
        The highest that its paths allow, and what the constraints ask for.
    critical_path : tuple of :class:`~cbit_fpga.placer.Hop`
        Its slowest path from register to register.
    """

    net: str
    mhz: float
    needed_mhz: float
    critical_path: tuple[Hop, ...]

    @property
    def margin(self) -> float:
        """What it reaches, as a part of what it needs."""
        return self.mhz / self.needed_mhz


@dataclasses.dataclass(frozen=True, kw_only=True)
class Usage:
    """Sites of one kind, as the placer names it: how many are used, of how many."""

    used: int
    available: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Implementation:
    """A netlist, placed and routed on a board.

    Parameters
    ----------
    seed : :class:`int`
        Of the placer.
    clocks : tuple of :class:`Clock`
        Those that have paths, by name.
    usage : mapping
        Kind of a site to its :class:`Usage`; kinds of which none is used are left out.
    seconds : :class:`float`
        What placing and routing took when it was done.
    content : :class:`str`
        Where the store has the configuration.
    """

    seed: int
    clocks: tuple[Clock, ...]
    usage: Mapping[str, Usage]
    seconds: float
    content: str

    @property
    def margin(self) -> float:
        """The least of any clock: under one, and a clock is missed."""
        return min((clock.margin for clock in self.clocks), default=1.0)

    @property
    def missed(self) -> tuple[Clock, ...]:
        """The clocks that it does not reach."""
        return tuple(clock for clock in self.clocks if clock.margin < 1)


def implement(netlist: bytes, constraints: str, device: Device, *, seed: int, store: Store) -> Implementation:
    """Places and routes a netlist on a board.

    Parameters
    ----------
    netlist : :class:`bytes`
        As :class:`~cbit_fpga.synthesis.Synthesis` has it.
    constraints : :class:`str`
        Pins of all its ports and frequencies of its clocks, as the device's placer reads them.
    seed : :class:`int`
        Of the placer's random choices.

    Raises
    ------
    cbit_fpga.placer.PlacementError
        If the design does not fit, a port has no pin, or it can not be routed.
    """
    content, result = placed(
        netlist, device, seed=seed, step="implementation", store=store, files={_CONSTRAINTS: constraints},
        options=(device.constraints, _CONSTRAINTS, device.configuration, _CONFIGURATION))
    return Implementation(
        seed=seed, seconds=store.seconds("implementation", content), content=content,
        clocks=tuple(_clock(net, found, result) for net, found in sorted(result["fmax"].items())),
        usage={site: Usage(used=counts["used"], available=counts["available"])
               for site, counts in result["utilization"].items() if counts["used"]})


def pack(implementation: Implementation, device: Device, *, store: Store) -> bytes:
    """The bitstream of a placed and routed netlist whose configuration the store has."""
    program, *words = device.packer
    source = store.place("implementation", implementation.content) / _CONFIGURATION
    content = digest(implementation.content, device.packer, metadata.version(device.placer))

    def run(folder: Path) -> dict[str, Any]:
        (folder / _CONFIGURATION).write_bytes(source.read_bytes())
        # The program sees nothing outside its working folder.
        command = [str(Path(sys.executable).with_name(program)), *words, _BITSTREAM]
        packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if packed.returncode:
            raise RuntimeError(f"{program} ended with status {packed.returncode}: {packed.stderr}")
        (folder / _CONFIGURATION).unlink()
        return {}

    store.done("bitstream", content, run)
    return (store.place("bitstream", content) / _BITSTREAM).read_bytes()


def _clock(net: str, found: Mapping[str, float], report: Mapping[str, Any]) -> Clock:
    return Clock(net=net.removeprefix(_GLOBAL_NET), mhz=round(found["achieved"], 2),
                 needed_mhz=round(found["constraint"], 2), critical_path=critical_path(report, net))
