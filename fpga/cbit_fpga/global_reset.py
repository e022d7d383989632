"""A global net for the reset: nextpnr gives one to clocks, not to what is as widely spread."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

__all__ = ["buffer_reset"]

_REGISTER = "TRELLIS_FF"
_RESET = "LSR"
_WIDE = 100
"""Registers that make a reset worth a global net."""


def buffer_reset(netlist: Mapping[str, Any]) -> int:
    """Puts a clock buffer, DCCA, before the resets of all registers that share the most used one, and returns how many.

    The net before the buffer stays with what else it goes to: a global net reaches resets of registers, but no LUTs
    (Lattice FPGA-TN-02200). Fewer than 100 registers are left alone.

    Parameters
    ----------
    netlist : mapping
        As yosys writes it in JSON, mapped to cells of ECP5. It is changed in place.
    """
    return sum(_buffer_in(module) for module in netlist["modules"].values())


def _buffer_in(module: Mapping[str, Any]) -> int:
    resets = Counter(bit for cell in module["cells"].values() if cell["type"] == _REGISTER
                     for bit in cell["connections"].get(_RESET, []) if isinstance(bit, int))
    if not resets:
        return 0
    ((reset, count),) = resets.most_common(1)
    if count < _WIDE:
        return 0
    nets = (*module["netnames"].values(), *module["ports"].values())
    wired = (*(net["bits"] for net in nets), *(bits for cell in module["cells"].values()
                                               for bits in cell["connections"].values()))
    buffered = 1 + max(bit for bits in wired for bit in bits if isinstance(bit, int))
    for cell in module["cells"].values():
        if cell["type"] == _REGISTER and cell["connections"].get(_RESET) == [reset]:
            cell["connections"][_RESET] = [buffered]
    module["netnames"]["global_reset"] = {"hide_name": 0, "bits": [buffered], "attributes": {}}
    module["cells"]["global_reset_buffer"] = {
        "hide_name": 0, "type": "DCCA", "parameters": {}, "attributes": {},
        "port_directions": {"CLKI": "input", "CE": "input", "CLKO": "output"},
        "connections": {"CLKI": [reset], "CE": ["1"], "CLKO": [buffered]}}
    return count
