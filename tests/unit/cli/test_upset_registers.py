"""Which bits are struck, and that a strike flips just them, until they are next written."""

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from cbit_cli.netlist import made_cells
from cbit_cli.upsets.registers import registers
from cbit_cli.upsets.strikes import with_strikes
from cbit_fpga.yosys import YosysError, run_yosys

ENTRY = StructLayout({"block": 128, "tag": StructLayout({"slot": 3, "is_last": 1})})


class Kept(Component):
    """Keeps a number that it is given with ``take``."""

    take: In(1)
    given: In(4)
    kept: Out(4)

    def elaborate(self, _platform):
        m = Module()
        with m.If(self.take):
            m.d.sync += self.kept.eq(self.given)
        return m


class Parts(Component):
    """A register of fields, and another register in a module within."""

    entry: In(ENTRY)
    take: In(1)
    given: In(4)
    kept: Out(4)
    tag: Out(4)
    block: Out(128)

    def elaborate(self, _platform):
        m = Module()
        m.submodules.inner = inner = Kept()
        held = Signal(ENTRY, reset_less=True)
        m.d.sync += held.eq(self.entry)
        m.d.comb += [inner.take.eq(self.take), inner.given.eq(self.given), self.kept.eq(inner.kept),
                     self.tag.eq(held.tag.as_value()), self.block.eq(held.block)]
        return m


@pytest.fixture(scope="module")
def netlist():
    return made_cells(rtlil.convert(Parts(), name="cbit"))


@pytest.fixture(scope="module")
def found(netlist):
    return registers(netlist)


def test_blocks_are_data_and_the_rest_is_control(found):
    names = [register.bit_name(bit) for register in found for bit in register.control_bits]
    assert sorted(name.rpartition("kept")[2] for name in names if "kept" in name) == ["[0]", "[1]", "[2]", "[3]"]
    assert sorted(name.partition(".")[2] for name in names if "tag" in name) == [
        "tag.is_last", "tag.slot[0]", "tag.slot[1]", "tag.slot[2]"]
    assert len(names) == 8
    assert sum(register.width for register in found) == 136


RESET, REST = {"rst": 1, "take": 0, "given": 0}, {"rst": 0, "take": 0, "given": 0}
TAKES_9, TAKES_6 = {"rst": 0, "take": 1, "given": 9}, {"rst": 0, "take": 1, "given": 6}


@pytest.fixture
def prove(netlist, found, tmp_path):
    """Proves what an output is in a cycle, counted from 1, given the inputs of each and the bit struck in one."""
    (tmp_path / "struck.il").write_text(with_strikes(netlist, found))

    def hold(cycles, name, at, output, cycle, value):
        ((number, bit),) = ((number, bit) for number, register in enumerate(found, 1)
                            for bit in register.control_bits if register.bit_name(bit).endswith(name))
        given = [one | {"entry": 0, "strike_register": number * (index == at), "strike_bit": bit * (index == at)}
                 for index, one in enumerate(cycles[:cycle], 1)]
        sets = [f"-set-at {index} {port} {bits}" for index, one in enumerate(given, 1) for port, bits in one.items()]
        run_yosys("\n".join([
            "read_rtlil struck.il", "hierarchy -top cbit", "flatten", "opt_clean",
            f"sat -verify -seq {cycle} {' '.join(sets)} -prove-skip {cycle - 1} -prove {output} {value}"]), tmp_path)

    return hold


def test_a_strike_flips_one_bit_which_stays_so_until_it_is_written(prove):
    cycles = [RESET, TAKES_9, REST, REST, REST, TAKES_6, REST]
    for cycle, value in ((3, 9), (4, 9 ^ 2), (5, 9 ^ 2), (6, 9 ^ 2), (7, 6)):
        prove(cycles, "kept[1]", 3, "kept", cycle, value)


def test_a_strike_of_a_bit_that_is_being_written_flips_what_it_is_given(prove):
    prove([RESET, TAKES_9, REST], "kept[1]", 2, "kept", 3, 9 ^ 2)


def test_a_strike_of_a_field_leaves_the_others(prove):
    cycles = [RESET, REST, REST, REST]
    for port, cycle, value in (("tag", 4, 0b100), ("block", 4, 0), ("kept", 4, 0)):
        prove(cycles, "tag.slot[2]", 3, port, cycle, value)


def test_nothing_is_flipped_without_a_strike(prove):
    prove([RESET, TAKES_9, REST, REST], "kept[1]", 0, "kept", 4, 9)
    with pytest.raises(YosysError):
        prove([RESET, TAKES_9, REST, REST], "kept[1]", 3, "kept", 4, 9)
