from cbit_fpga.placer import SMALL, router_for


def netlist(luts):
    cells = {f"lut_{number}": {"type": "LUT4"} for number in range(luts)} | {"register": {"type": "TRELLIS_FF"}}
    return {"modules": {"top": {"cells": cells}}}


def test_the_router_follows_from_the_size():
    assert [router_for(netlist(luts)) for luts in (0, SMALL, SMALL + 1)] == ["router1", "router1", "router2"]
