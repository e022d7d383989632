"""Registers move into block RAMs where that changes nothing, and stay where it would."""

import copy
import json

import pytest
from amaranth import Cat, ClockDomain, ClockSignal, Const, Module, Mux, Signal
from amaranth.back import rtlil
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, Out

from cbit_fpga.output_registers import absorb_output_registers
from cbit_fpga.yosys import YosysError, run_yosys

SYNTHESIZE = """
read_rtlil design.il
synth_ecp5 -top reader -noccu2
write_json mapped.json
"""

BITS = {"plain": 36, "enabled port": 36, "enabled register": 36, "one port": 18, "short word": 6, "constant": 18}
"""What moves, and how many bits of it."""

STAYS = ("second reader", "part", "reset", "starts as ones", "other edge", "other clock", "port has enable",
         "port has other enable", "port has reset")


class Reader(Component):
    """A memory under pseudorandom traffic, what a port of it reads, and a register behind that."""

    def __init__(self, kind):
        self.kind = kind
        self.width = BITS.get(kind, 36)
        super().__init__({"o": Out(self.width), "other": Out(self.width), "clock": Out(1)})

    def elaborate(self, _platform):
        m = Module()
        kind, width = self.kind, self.width
        state = Signal(64, init=0x9E3779B97F4A7C15)
        m.d.sync += state.eq(Cat(state[63] ^ state[62] ^ state[60] ^ state[59], state))
        # Only a port that writes and reads has to care what is read while it is written.
        m.submodules.memory = memory = Memory(
            shape=width, depth=512, attrs={"ram_style": "block"} | ({} if kind == "one port" else {"no_rw_check": 1}),
            init=[(number * 0x9E3779B97F4A7C15 >> 7) % (1 << width) for number in range(512)])
        read = memory.read_port(domain="comb")
        written = Cat(state[20:28], state[40])
        m.d.comb += read.addr.eq(written if kind == "one port" else Cat(state[8:16], ~state[40]))
        if kind != "constant":
            write = memory.write_port()
            m.d.comb += [write.addr.eq(written), write.data.eq(state ^ state[17:]), write.en.eq(state[50])]

        taken = Signal(width, reset_less=kind != "port has reset")
        shown = Signal(width, init=-1 if kind == "starts as ones" else 0, reset_less=kind != "reset")
        with m.If(state[55] if kind in ("enabled port", "port has enable", "port has other enable") else 1):
            m.d.sync += taken.eq(read.data)
        with m.If({"enabled port": state[55], "enabled register": state[56], "port has other enable": state[56]}.get(
                kind, Const(1))):
            m.d[self._domain(m, state)] += shown.eq(taken)
        if kind == "part":
            m.d.comb += self.o.eq(Cat(shown[:-1], taken[-1]))
        else:
            m.d.comb += self.o.eq(shown)
        if kind == "second reader":
            m.d.comb += self.other.eq(Mux(state[57], taken, 0))
        return m

    def _domain(self, m, state):
        if self.kind not in ("other edge", "other clock"):
            return "sync"
        m.domains.late = late = ClockDomain(clk_edge="neg" if self.kind == "other edge" else "pos", reset_less=True)
        m.d.comb += late.clk.eq(ClockSignal("sync") if self.kind == "other edge" else state[3])
        return "late"


def synthesized(folder, kind):
    (folder / "design.il").write_text(rtlil.convert(Reader(kind), name="reader"))
    run_yosys(SYNTHESIZE, folder)
    return json.loads((folder / "mapped.json").read_text())


@pytest.fixture
def compare(tmp_path, compare_with_design):
    """Fails where a netlist does not behave as the design."""
    def run(netlist):
        (tmp_path / "mapped.json").write_text(json.dumps(netlist))
        compare_with_design("read_json mapped.json", top="reader", cycles=120)

    return run


def count(netlist, kind):
    return sum(cell["type"] == kind for cell in netlist["modules"]["reader"]["cells"].values())


def block_ram(netlist):
    (cell,) = (cell for cell in netlist["modules"]["reader"]["cells"].values() if cell["type"] == "DP16KD")
    return cell


@pytest.mark.parametrize("kind", BITS)
def test_a_register_moves_and_nothing_changes(tmp_path, compare, kind):
    netlist = synthesized(tmp_path, kind)
    registers = count(netlist, "TRELLIS_FF")
    assert absorb_output_registers(netlist) == BITS[kind]
    assert count(netlist, "TRELLIS_FF") == registers - BITS[kind]
    compare(netlist)
    assert absorb_output_registers(netlist) == 0


@pytest.mark.parametrize("kind", STAYS)
def test_a_register_of_another_kind_stays(tmp_path, kind):
    netlist = synthesized(tmp_path, kind)
    before = copy.deepcopy(netlist)
    assert count(netlist, "DP16KD") == 1
    assert absorb_output_registers(netlist) == 0
    assert netlist == before


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return synthesized(tmp_path_factory.mktemp("plain"), "plain")


@pytest.mark.parametrize(("name", "value"), [
    ("CLKBMUX", "INV"), ("REGMODE_A", "OUTREG"), ("REGMODE_B", "OUTREG"), ("DATA_WIDTH_B", "36"),
    ("DATA_WIDTH_B", f"{35:032b}")])
def test_a_block_ram_that_is_set_otherwise_stays_as_it_is(plain, name, value):
    netlist = copy.deepcopy(plain)
    block_ram(netlist)["parameters"][name] = value
    assert absorb_output_registers(netlist) == 0


@pytest.mark.parametrize("reset", [None, [], ["1"], ["x"], [2]])
def test_a_block_ram_that_may_be_reset_stays_as_it_is(plain, reset):
    netlist = copy.deepcopy(plain)
    connections = block_ram(netlist)["connections"]
    del connections["RSTB"]
    if reset is not None:
        connections["RSTB"] = reset
    assert absorb_output_registers(netlist) == 0


@pytest.mark.parametrize(("of", "name", "value"), [
    ("parameters", "CLKMUX", "INV"), ("parameters", "CEMUX", "INV"), ("parameters", "CEMUX", "0 "),
    ("parameters", "LSRMUX", "INV"), ("parameters", "LSRMODE", "PRLD"), ("parameters", "REGSET", "SET"),
    ("connections", "LSR", ["1"]), ("connections", "LSR", []), ("connections", "CLK", [3]),
    ("attributes", "keep", "1")])
def test_one_register_that_is_set_otherwise_keeps_all(plain, of, name, value):
    netlist = copy.deepcopy(plain)
    cells = netlist["modules"]["reader"]["cells"]
    (output,) = block_ram(netlist)["connections"]["DOB3"]
    (register,) = (cell for cell in cells.values()
                   if cell["type"] == "TRELLIS_FF" and cell["connections"]["DI"] == [output])
    assert absorb_output_registers(copy.deepcopy(netlist)) == 36
    register[of][name] = value
    assert absorb_output_registers(netlist) == 0


def test_a_port_of_the_module_is_a_reader(plain):
    netlist = copy.deepcopy(plain)
    module = netlist["modules"]["reader"]
    module["ports"]["other"]["bits"][0] = block_ram(netlist)["connections"]["DOA0"][0]
    assert absorb_output_registers(netlist) == 0


def test_a_lost_enable_is_found(tmp_path, compare):
    netlist = synthesized(tmp_path, "enabled register")
    assert absorb_output_registers(netlist) == 36
    block_ram(netlist)["connections"]["OCEB"] = ["1"]
    with pytest.raises(YosysError):
        compare(netlist)
