"""The harness: every pin has its place in a vector, held where the design reads it, and the rest passes through."""

import re

import pytest

from cbit_sim.beats import CHANNELS
from cbit_sim.harness import PACKED, PORTS, handshake_bit, harness
from cbit_sim.netlist import Port, top_module

_WIDTHS = {"id": 4, "addr": 48, "len": 8, "size": 3, "burst": 2, "data": 128, "strb": 16, "resp": 2, "user": 7}


def _pins() -> list[Port]:
    """A design like the engine; the managers' port alone has AxUSER."""
    pins = [Port("clk", "input", 1), Port("s_axil_psp_awaddr", "input", 12), Port("irq", "output", 1)]
    for port in PORTS:
        for channel, beat in CHANNELS.items():
            to_design = (port == "s_axi") == (channel in ("aw", "w", "ar"))
            for field in (*beat._fields, "valid", "ready"):
                if field != "user" or port == "s_axi":
                    direction = "input" if to_design != (field == "ready") else "output"
                    pins.append(Port(f"{port}_{channel}{field}", direction, _WIDTHS.get(field, 1)))
    return pins


def _design(pins: list[Port]) -> str:
    widths = [f"[{pin.width - 1}:0] " if pin.width > 1 else "" for pin in pins]
    declared = [f"  {pin.direction} {width}{pin.name};" for pin, width in zip(pins, widths, strict=True)]
    return "\n".join(["(* top =  1  *)", f"module part({', '.join(pin.name for pin in pins)});", *declared,
                      "endmodule", ""])


@pytest.fixture(scope="module")
def text() -> str:
    return harness(_design(_pins()))


def test_the_harness_is_the_top(text):
    assert top_module(text) == "part_bench"
    assert text.count("top =") == 1
    assert "module part(" in text


def test_every_pin_reaches_the_design(text):
    (instance,) = re.findall(r"part core\((.*)\);", text)
    held = {pin.name for pin in _pins() if pin.direction == "input"} - {"clk"}
    assert instance.split(", ") == [f".{pin.name}({pin.name}{'_held' if pin.name in held else ''})" for pin in _pins()]


def test_every_pin_is_a_port_too(text):
    for declaration in ("input clk", "input [11:0] s_axil_psp_awaddr", "output irq", "input [47:0] s_axi_awaddr"):
        assert f"  {declaration} /*verilator" in text
    for name in ("s_axil_psp_awaddr", "s_axi_awaddr"):
        assert f"    {name}_held <= {name};\n" in text


def test_vectors_have_the_width_of_their_fields(text):
    declared = {name: int(high) + 1 for high, name in re.findall(r"put \[(\d+):0\] (\w+_beat) ", text)}
    pins = {pin.name: pin.width for pin in _pins()}
    for port in PORTS:
        for channel, beat in CHANNELS.items():
            name = f"{port}_{channel}"
            assert declared[f"{name}_beat"] == sum(pins.get(name + field, 0) for field in beat._fields)


def test_inputs_are_held_and_outputs_seen(text):
    blocks = re.findall(r"    if \(drive\[1[01]\]\) begin\n(.*?)    end\n", text, re.DOTALL)
    held = dict(zip(PORTS, blocks, strict=True))
    for pin in _pins():
        match = re.fullmatch(r"([sm]_axi)_(aw|w|b|ar|r)(valid|ready)", pin.name)
        if match is None:
            continue
        number = handshake_bit(match[1], match[2]).bit_length() - 1
        if pin.direction == "input":
            assert f"      {pin.name}_held <= drive[{number}];\n" in held[match[1]]
        else:
            assert f"  assign seen[{number}] = {pin.name};\n" in text
    assert "{m_axi_rid_held, m_axi_rdata_held, m_axi_rresp_held, m_axi_rlast_held} <= m_axi_r_beat;" in held["m_axi"]
    assert "assign s_axi_r_beat = {s_axi_rid, s_axi_rdata, s_axi_rresp, s_axi_rlast};" in text


def test_a_design_without_these_ports_has_its_inputs_held():
    pins = [Port("clk", "input", 1), Port("run", "input", 1), Port("counts", "output", 48)]
    text = harness(_design(pins))
    assert "module part_bench(clk, run, counts);" in text
    assert "    run_held <= run;\n  end" in text
    assert ".run(run_held), .counts(counts));" in text


def test_other_clocks_begin_with_a_reset():
    text = harness(_design([Port(name, "input", 1) for name in ("clk", "psp_clk", "rst")]))
    assert "part core(.clk(clk), .psp_clk(psp_clk & psp_clk_begun), .rst(rst_held));" in text
    assert "always @(negedge psp_clk) if (reset_seen) psp_clk_begun <= 1;" in text


def test_a_design_may_have_one_of_these_ports():
    pins = [pin for pin in _pins() if not pin.name.startswith("m_axi_")]
    text = harness(_design(pins))
    assert "s_axi_r_beat" in text
    assert "m_axi" not in text


def test_bits_are_distinct():
    bits = [handshake_bit(port, channel) for port in PORTS for channel in CHANNELS] + list(PACKED.values())
    assert len({*bits}) == len(bits)
    assert sum(bits) == (1 << len(bits)) - 1
