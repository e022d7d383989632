"""From a netlist to a placed and routed device: how fast it is, and why not faster."""

import dataclasses
from typing import Any

from cbit_fpga.devices import Device
from cbit_fpga.placer import ROUTERS, Hop, critical_path, placed
from cbit_fpga.store import Store

__all__ = ["Placement", "place"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement:
    """A placed and routed netlist.

    Parameters
    ----------
    seed : :class:`int`
        Of the placer.
    mhz : :class:`float`
        The highest clock.
    used : dict
        The placer's count of each kind of site, those of the frame included.
    critical_path : tuple of :class:`~cbit_fpga.placer.Hop`
        The slowest path from register to register.
    router : :class:`str`
        One of :data:`~cbit_fpga.placer.ROUTERS`.
    """

    seed: int
    mhz: float
    used: dict[str, int]
    critical_path: tuple[Hop, ...]
    router: str = ROUTERS[0]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Placement":
        """The inverse of :func:`dataclasses.asdict`, over JSON."""
        path = tuple(Hop(**hop | {"sources": tuple(hop["sources"])}) for hop in values["critical_path"])
        return cls(**values | {"critical_path": path})


def place(netlist: bytes, device: Device, *, seed: int, store: Store) -> Placement:
    """Places and routes a netlist.

    Parameters
    ----------
    netlist : :class:`bytes`
        As :class:`~cbit_fpga.synthesis.Synthesis` has it.
    seed : :class:`int`
        Of the placer's random choices.

    Raises
    ------
    cbit_fpga.placer.PlacementError
        If the design does not fit or can not be routed.
    """
    _, report = placed(netlist, device, seed=seed, step="placement", store=store,
                       options=("--freq", str(device.target_mhz), *device.any_pins))
    return _placement(report, seed)


def _placement(report: dict[str, Any], seed: int) -> Placement:
    (clock,) = report["fmax"].values()
    return Placement(
        seed=seed, mhz=round(clock["achieved"], 2),
        used={site: counts["used"] for site, counts in report["utilization"].items() if counts["used"]},
        critical_path=critical_path(report), router=report["router"])
