"""Sites for some cells, chosen before the placer chooses those of the others."""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Floorplan", "joined", "with_sites"]

Floorplan = Callable[[Mapping[str, Any]], Mapping[str, str]]
"""From a netlist, as yosys' JSON has it, to the site of each cell that is to have one."""


def with_sites(netlist: dict[str, Any], sites: Mapping[str, str]) -> dict[str, Any]:
    """A netlist, changed in place, whose cells carry the sites that a floorplan has chosen."""
    for module in netlist["modules"].values():
        for name, site in sites.items():
            if name in module["cells"]:
                module["cells"][name]["attributes"]["BEL"] = site
    return netlist


def joined(*floorplans: Floorplan) -> Floorplan:
    """The floorplan of all that several are for, of which none has cells of another."""
    return lambda netlist: {name: site for floorplan in floorplans for name, site in floorplan(netlist).items()}
