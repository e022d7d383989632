from cbit_fpga.devices import DEFAULT_DEVICE, DEVICES
from cbit_fpga.ring_sites import ring_sites
from cbit_fpga.round_sites import neighbors


def netlist(*names, kind="DP16KD"):
    return {"modules": {"top": {"cells": {name: {"type": kind} for name in names}}}}


RING = [f"core.bus.cipher.ring.sub_bytes_{number}.rom_{place}.block_ram" for number in range(2) for place in range(8)]
OTHERS = [*(f"core.bus.cipher.ring.keys_{number}.column_{column}.0.0" for number in range(2) for column in range(4)),
          *(f"core.bus.store.memory.0.{place}" for place in range(8)),
          *(f"core.bus.{name}.0.{place}" for name in ("cipher.beside", "writes.data.memory") for place in range(4))]


def test_the_rounds_of_the_ring_are_beside_each_other():
    sites = ring_sites(netlist(*RING))
    assert [sites[name] for name in RING] == [site for eight in neighbors()[5:7] for site in eight]


def test_all_block_rams_of_the_bus_side_have_sites_of_their_own():
    sites = ring_sites(netlist(*RING, *OTHERS))
    assert len(set(sites.values())) == len(sites) == len(RING) + len(OTHERS)
    assert {*sites.values()} == {site for eight in neighbors()[4:9] for site in eight}


def test_other_cells_are_left_to_the_placer():
    assert ring_sites(netlist("core.control.keys.sub_word.rom_0.block_ram", "core.read.aes.round_1.keys.0.0")) == {}
    assert ring_sites(netlist(*RING, kind="LUT4")) == {}


def test_a_device_has_sites_for_rings_and_for_rounds_in_a_row():
    names = ["core.aes.round_0.sub_bytes.rom_0.block_ram", RING[0]]
    assert {*DEVICES[DEFAULT_DEVICE].floorplan(netlist(*names))} == {*names}
