# amaranth: UnusedElaboratable=no

import random
import types

import pytest
from amaranth import Cat, Module, Signal
from amaranth.back import rtlil
from amaranth.lib.wiring import Component, Out

from cbit.aes.rom import DualPortRom
from cbit_fpga.yosys import YosysError, run_yosys
from cbit_sim.cells import memory_models

ECP5 = types.SimpleNamespace(device="LFE5U-85F")

SCRIPT = """
read_verilog model.v
read_rtlil block_ram.il
hierarchy -check -top block_ram
proc
flatten
opt_clean
design -stash got
read_rtlil inferred.il
hierarchy -top inferred
proc
flatten
design -copy-from got block_ram
miter -equiv -make_assert -flatten inferred block_ram miter
hierarchy -top miter
proc
flatten
memory_nordff
opt_clean
sim -clock in_clk -reset in_rst -n {cycles} -assert miter
"""


class Reads(Component):
    """Reads a word at each port in every cycle: all of them upward at one, downward at the other."""

    o: Out(36)

    def __init__(self, rom):
        self.rom = rom
        super().__init__()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.rom = self.rom
        address = Signal.like(self.rom.address_0)
        started = Signal(3)
        m.d.sync += [
            address.eq(address + 1),
            started.eq(Cat(1, started)),
        ]
        m.d.comb += [
            self.rom.address_0.eq(address),
            self.rom.address_1.eq(~address),
        ]
        with m.If(started.all()):
            m.d.comb += self.o.eq(Cat(self.rom.data_0, self.rom.data_1))
        return m


def compare(folder, block_ram, inferred):
    """Fails where the block RAM reads something else than the memory that is inferred."""
    (folder / "model.v").write_text(memory_models())
    (folder / "block_ram.il").write_text(rtlil.convert(Reads(block_ram), platform=ECP5, name="block_ram"))
    (folder / "inferred.il").write_text(rtlil.convert(Reads(inferred), name="inferred"))
    run_yosys(SCRIPT.format(cycles=len(inferred.contents) + 16), folder)


@pytest.mark.parametrize(("words", "read_cycles"), [(256, 1), (256, 2), pytest.param(1024, 2, marks=pytest.mark.slow)])
def test_a_block_ram_reads_what_the_inferred_memory_does(tmp_path, words, read_cycles):
    seed = 5
    print(f"seed {seed}")
    rng = random.Random(seed)
    contents = [rng.getrandbits(18) for _ in range(words)]
    compare(tmp_path, *(DualPortRom(contents=contents, read_cycles=read_cycles) for _ in range(2)))
    assert "DP16KD" in (tmp_path / "block_ram.il").read_text()
    assert "DP16KD" not in (tmp_path / "inferred.il").read_text()


def test_a_wrong_bit_is_found(tmp_path):
    contents = list(range(256))
    with pytest.raises(YosysError):
        compare(tmp_path, DualPortRom(contents=contents, read_cycles=2),
                DualPortRom(contents=[*contents[:-1], contents[-1] ^ 0x20000], read_cycles=2))
