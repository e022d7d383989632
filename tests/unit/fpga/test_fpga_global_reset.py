"""The reset that most registers share goes over a global net, and nothing else changes."""

import copy

import pytest

from cbit_fpga.global_reset import buffer_reset

RESET, OTHER, CLOCK = 3, 4, 2
UNUSED_PORT, UNUSED_NET = 1000, 1001


def netlist(*, shared, others=5, without=7):
    """Registers with the shared reset, with another, and with none; and a LUT that reads the shared one."""
    def register(number, reset):
        return {"type": "TRELLIS_FF", "connections": {"CLK": [CLOCK], "LSR": [reset], "D": [10], "Q": [100 + number]}}

    resets = [RESET] * shared + [OTHER] * others + ["0"] * without
    cells = {f"ff{number}": register(number, reset) for number, reset in enumerate(resets)}
    cells["lut"] = {"type": "LUT4", "connections": {"A": [RESET], "Z": [11]}}
    empty = {"cells": {}, "netnames": {}, "ports": {}}
    unconnected = {"ports": {"i": {"bits": [UNUSED_PORT]}}, "netnames": {"n": {"bits": [UNUSED_NET, "x"]}}}
    return {"modules": {"top": {"cells": cells} | unconnected, "empty": empty}}


@pytest.mark.parametrize("shared", [100, 300])
def test_the_widest_reset_is_buffered(shared):
    design = netlist(shared=shared)
    before = copy.deepcopy(design["modules"]["top"]["cells"])
    assert buffer_reset(design) == shared
    cells = design["modules"]["top"]["cells"]
    buffer = cells.pop("global_reset_buffer")
    assert buffer["type"] == "DCCA"
    assert (buffer["connections"]["CLKI"], buffer["connections"]["CE"]) == ([RESET], ["1"])
    (buffered,) = buffer["connections"]["CLKO"]
    assert buffered > max(UNUSED_PORT, UNUSED_NET)
    assert all(buffered not in bits for cell in before.values() for bits in cell["connections"].values())
    for name, cell in before.items():
        if cell["connections"].get("LSR") == [RESET]:
            cell["connections"]["LSR"] = [buffered]
        assert cells[name] == cell


@pytest.mark.parametrize("shared", [0, 1, 99])
def test_a_narrow_reset_stays(shared):
    design = netlist(shared=shared)
    before = copy.deepcopy(design)
    assert buffer_reset(design) == 0
    assert design == before
