"""What stands for rings of gates where a netlist is simulated: no simulator can run a loop without delays."""

from collections.abc import Iterator, Mapping
from typing import Any

from cbit_sim.cells import RING_MODEL

__all__ = ["model_rings"]

_MARK = "ring_oscillator"
_REGISTER = "TRELLIS_FF"


def model_rings(netlist: Mapping[str, Any]) -> int:
    """Puts a pseudo-random bit in the place of each inverter of a ring, and returns how many there are.

    Each bit has a start of its own, and changes with the clock of the register that samples a ring.

    Parameters
    ----------
    netlist : mapping
        As yosys writes it in JSON, mapped to cells of ECP5. It is changed in place.

    Raises
    ------
    ValueError
        If nothing samples the rings of a module.
    """
    return sum(_model_in(module["cells"]) for module in netlist["modules"].values())


def _model_in(cells: Mapping[str, dict[str, Any]]) -> int:
    inverters = [cell for cell in cells.values() if _MARK in cell["attributes"]]
    if not inverters:
        return 0
    rings = {cell["connections"]["Z"][0] for cell in inverters}
    clock = next(_sampling_clocks(cells, rings), None)
    if clock is None:
        raise ValueError("no register samples the rings of gates")
    for number, cell in enumerate(inverters):
        cell["type"] = RING_MODEL
        cell["parameters"] = {"START": f"{number + 1:031b}"}
        cell["port_directions"] = {"clk": "input", "o": "output"}
        cell["connections"] = {"clk": clock, "o": cell["connections"]["Z"]}
    return len(inverters)


def _sampling_clocks(cells: Mapping[str, Any], rings: set[int]) -> Iterator[list[int]]:
    for cell in cells.values():
        connections = cell["connections"]
        if cell["type"] == _REGISTER and any(rings.intersection(connections.get(name, [])) for name in ("DI", "M")):
            yield connections["CLK"]
