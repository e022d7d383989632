"""Sites for some cells, chosen before the placer chooses those of the others."""

import json
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Floorplan", "with_sites"]

Floorplan = Callable[[Mapping[str, Any]], Mapping[str, str]]
"""From a netlist, as yosys' JSON has it, to the site of each cell that is to have one."""


def with_sites(netlist: str, sites: Mapping[str, str]) -> str:
    """A netlist whose cells carry the sites that a floorplan has chosen."""
    if not sites:
        return netlist
    content = json.loads(netlist)
    for module in content["modules"].values():
        for name, site in sites.items():
            if name in module["cells"]:
                module["cells"][name]["attributes"]["BEL"] = site
    return json.dumps(content)
