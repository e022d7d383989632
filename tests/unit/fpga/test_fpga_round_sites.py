from cbit_fpga.round_sites import round_sites


def netlist(*names, kind="DP16KD"):
    return {"modules": {"top": {"cells": {name: {"type": kind} for name in names}}}}


def roms(pipeline, rounds):
    return [f"{pipeline}.round_{number}.sub_bytes.rom_{place}.block_ram"
            for number in range(rounds) for place in range(8)]


def position(site):
    column, row, _ = site.split("/")
    return int(column[1:]), int(row[1:])


def test_block_rams_of_a_round_are_neighbors():
    sites = round_sites(netlist(*roms("core.aes", 2)))
    assert [sites[name] for name in roms("core.aes", 1)] == [
        "X4/Y82/EBR0", "X6/Y82/EBR1", "X8/Y82/EBR2", "X10/Y82/EBR3",
        "X4/Y70/EBR0", "X6/Y70/EBR1", "X8/Y70/EBR2", "X10/Y70/EBR3"]
    assert sites["core.aes.round_1.sub_bytes.rom_0.block_ram"] == "X13/Y82/EBR0"


def test_the_rounds_of_an_engine_have_sites_of_their_own():
    names = [*roms("read.aes", 10), *roms("tweaks.aes", 5), *roms("write.aes", 10)]
    sites = round_sites(netlist(*names))
    assert len(sites) == len(set(sites.values())) == len(names) == 200
    for before, after in zip(names, names[8:]):
        if before.split(".")[0] == after.split(".")[0]:
            (x0, y0), (x1, y1) = position(sites[before]), position(sites[after])
            assert abs(x0 - x1) + abs(y0 - y1) <= 48


def test_what_does_not_fit_is_left_to_the_placer():
    assert len(round_sites(netlist(*roms("aes", 27)))) == 208


def test_other_cells_are_left_to_the_placer():
    assert round_sites(netlist("core.queue.block_ram", "round_1.keys.0.0")) == {}
    assert round_sites(netlist(*roms("aes", 1), kind="LUT4")) == {}
