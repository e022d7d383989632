"""The models of cells: memories and multipliers behave the same before and after synthesis."""

import contextlib
import json

import pytest
from amaranth import Cat, Module, Mux, Signal
from amaranth.back import rtlil
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, Out

from cbit_fpga.yosys import YosysError
from cbit_sim.cells import MULTIPLIER, memory_models, models

SYNTHESIZE = """
read_rtlil design.il
synth_ecp5 -top memories -noccu2
tee -q -o cells.json stat -json
"""


class Memories(Component):
    """Memories of one shape under pseudorandom traffic; a read hits the word that is written every other cycle."""

    def __init__(self, *, depth, width, style):
        self.depth = depth
        self.width = width
        self.style = style
        super().__init__({"o": Out(3 * width)})

    def elaborate(self, _platform):
        m = Module()
        state = Signal(64, init=0x9E3779B97F4A7C15)
        m.d.sync += state.eq(Cat(state[63] ^ state[62] ^ state[60] ^ state[59], state))
        address_bits = (self.depth - 1).bit_length()
        write_address = Cat(state[:4], state[20:20 + address_bits - 4])
        read_address = Mux(state[40], write_address, Cat(state[8:12], state[20:20 + address_bits - 4]))
        data = (state ^ state[17:])[:self.width]
        content = [(number * 0x9E3779B97F4A7C15 >> 7) % (1 << self.width) for number in range(self.depth)]

        shape = {"shape": self.width, "depth": self.depth, "init": content}
        m.submodules.plain = plain = Memory(**shape, attrs={"ram_style": self.style})
        m.submodules.transparent = transparent = Memory(**shape, attrs={"ram_style": self.style})
        m.submodules.constant = constant = Memory(**shape, attrs={"rom_style": "block"})
        lanes = 9 if self.width % 9 == 0 else None
        for memory, is_transparent in ((plain, False), (transparent, True)):
            write = memory.write_port(granularity=lanes)
            read = memory.read_port(transparent_for=[write] if is_transparent else [])
            m.d.comb += [
                write.addr.eq(write_address),
                write.data.eq(data),
                write.en.eq(state[50:50 + len(write.en)]),
                read.addr.eq(read_address),
                read.en.eq(state[55] | state[56]),
            ]
            m.d.comb += self.o.word_select(int(is_transparent), self.width).eq(read.data)
        first = constant.read_port()
        second = constant.read_port()
        m.d.comb += [
            first.addr.eq(read_address),
            second.addr.eq(write_address),
            first.en.eq(1),
            second.en.eq(state[57]),
            self.o.word_select(2, self.width).eq(first.data ^ second.data),
        ]
        return m


class Products(Component):
    """Products of pseudorandom numbers, with signs and without."""

    o: Out(72)

    def elaborate(self, _platform):
        m = Module()
        state = Signal(72, init=0x9E3779B97F4A7C15F3)
        m.d.sync += state.eq(Cat(state[71] ^ state[65] ^ state[24] ^ state[18], state))
        a, b = state[:18], state[31:49]
        m.d.comb += self.o.eq(Cat((a * b)[:36], (a.as_signed() * b.as_signed())[:36]))
        return m


@pytest.fixture
def compare(tmp_path, compare_with_design):
    """Fails where the synthesized memories differ; returns the number of each cell."""
    def run(*, depth, width, style="block", models=None):
        (tmp_path / "design.il").write_text(
            rtlil.convert(Memories(depth=depth, width=width, style=style), name="memories"))
        compare_with_design(SYNTHESIZE, top="memories", cycles=80, models=models)
        return json.loads((tmp_path / "cells.json").read_text())["design"]["num_cells_by_type"]

    return run


@pytest.mark.parametrize(("depth", "width"), [
    (1024, 18), (512, 36),
    *(pytest.param(*shape, marks=pytest.mark.slow) for shape in [(2048, 9), (4096, 4), (8192, 2), (16384, 1)])])
def test_memories_of_every_width_survive_synthesis(compare, depth, width):
    assert compare(depth=depth, width=width)["DP16KD"] >= 3


def test_distributed_memories_survive_synthesis(compare):
    assert compare(depth=32, width=6, style="distributed")["TRELLIS_DPR16X4"] >= 6


@pytest.mark.parametrize("fault", ["", "left - right", "SIGNEDB & ~b[17]"])
def test_products_survive_synthesis_and_a_wrong_model_is_found(tmp_path, compare_with_design, fault):
    (tmp_path / "design.il").write_text(rtlil.convert(Products(), name="products"))
    read = "read_rtlil design.il\nsynth_ecp5 -top products\nselect -assert-count 2 t:MULT18X18D\n"
    right, wrong = models(MULTIPLIER), models(MULTIPLIER)
    if fault:
        wrong = right.replace("left * right" if "left" in fault else "SIGNEDB & b[17]", fault)
        assert wrong != right
    with pytest.raises(YosysError) if fault else contextlib.nullcontext():
        compare_with_design(read, top="products", cycles=80, models=memory_models() + wrong)


@pytest.mark.parametrize(("right", "fault", "depth", "width", "style"), [
    ("address[4] * 18", "!address[4] * 18", 1024, 18, "block"),
    ("memory[WAD] <= DI", "memory[WAD] <= ~DI", 32, 6, "distributed")])
def test_a_wrong_model_is_found(tmp_path, compare, right, fault, depth, width, style):
    text = memory_models()
    wrong = text.replace(right, fault)
    assert wrong != text
    with pytest.raises(YosysError):
        compare(depth=depth, width=width, style=style, models=wrong)
    assert "Assertion miter" in (tmp_path / "yosys.log").read_text()
