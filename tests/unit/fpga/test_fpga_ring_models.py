"""What stands for rings of gates in the simulation of a netlist."""

import pytest

from cbit_fpga.ring_models import model_rings
from cbit_sim.cells import RING_MODEL


def inverter(o):
    return {"type": "LUT4", "attributes": {"ring_oscillator": "1"}, "parameters": {"INIT": "0" * 16},
            "port_directions": {}, "connections": {"A": [9], "B": ["1"], "C": ["0"], "D": ["0"], "Z": [o]}}


def register(of, pin="DI"):
    return {"type": "TRELLIS_FF", "attributes": {}, "connections": {"CLK": [2], pin: [of], "Q": [5]}}


def netlist(**cells):
    return {"modules": {"core": {"cells": cells}}}


@pytest.mark.parametrize("pin", ["DI", "M"])
def test_each_inverter_is_a_bit_of_its_own_under_the_clock_that_samples_them(pin):
    found = netlist(a=inverter(7), b=inverter(8), sampled=register(8, pin), other=register(4))
    assert model_rings(found) == 2
    cells = found["modules"]["core"]["cells"]
    assert [cells[name]["connections"] for name in "ab"] == [{"clk": [2], "o": [7]}, {"clk": [2], "o": [8]}]
    assert {cells[name]["type"] for name in "ab"} == {RING_MODEL}
    assert len({cells[name]["parameters"]["START"] for name in "ab"}) == 2
    assert cells["sampled"] == register(8, pin)


def test_where_there_are_none_nothing_is_changed():
    found = netlist(one=register(3))
    assert model_rings(found) == 0
    assert found == netlist(one=register(3))


def test_rings_that_nothing_samples_are_refused():
    with pytest.raises(ValueError, match=r"^no register samples the rings of gates$"):
        model_rings(netlist(a=inverter(7), other=register(4)))
