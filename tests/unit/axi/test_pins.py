# amaranth: UnusedElaboratable=no
"""AMBA's names at the pins, and the wire behind them."""

import re

import pytest
from amaranth.back import verilog
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from cbit.axi.pins import AmbaPins
from cbit.axi.ports import Axi4Signature, AxiLiteSignature, address_layout, write_data_layout
from cbit.axi.wire import Wire

_ADDRESS = ("id", "addr", "len", "size", "burst", "lock", "cache", "prot", "qos", "region")
_HANDSHAKE = ("valid", "ready")


def _wire() -> Wire:
    return Wire(addr_width=48, data_width=128, id_width=4, user_width=7)


class _Registers(wiring.Component):
    """A register port and a plain port."""

    s_axil: In(AxiLiteSignature(addr_width=12))
    irq: Out(1, init=1)

    def elaborate(self, _platform) -> Module:
        m = Module()
        m.d.sync += self.irq.eq(~self.irq)
        return m


def _axi4_names(port: str, *, user: bool) -> set[str]:
    address = (*_ADDRESS, *(("user",) if user else ()), *_HANDSHAKE)
    fields = {"aw": address, "ar": address, "w": ("data", "strb", "last", *_HANDSHAKE),
              "b": ("id", "resp", *_HANDSHAKE), "r": ("id", "data", "resp", "last", *_HANDSHAKE)}
    return {f"{port}_{channel}{field}" for channel, names in fields.items() for field in names}


def _pins(core: wiring.Component) -> dict[str, tuple[str, int]]:
    """Direction and width of each port of the Verilog."""
    text = verilog.convert(AmbaPins(core), name="core_pins")
    declared = re.findall(r"^ {2}(input|output) (?:\[(\d+):0\] )?(\w+);",
                          text.split("module core_pins(")[1].split("endmodule")[0], re.MULTILINE)
    return {name: (direction, int(high or 0) + 1) for direction, high, name in declared}


def test_verilog_has_exactly_the_pins_of_amba():
    pins = _pins(_wire())
    assert set(pins) == {"clk", "rst"} | _axi4_names("s_axi", user=True) | _axi4_names("m_axi", user=False)
    assert pins["clk"] == pins["rst"] == ("input", 1)
    assert pins["s_axi_awaddr"] == ("input", 48)
    assert pins["s_axi_awuser"] == ("input", 7)
    assert pins["s_axi_awready"] == ("output", 1)
    assert pins["s_axi_rdata"] == ("output", 128)
    assert pins["m_axi_awburst"] == ("output", 2)
    assert pins["m_axi_bresp"] == ("input", 2)


def test_register_ports_and_plain_ports():
    pins = _pins(_Registers())
    assert set(pins) == {"clk", "rst", "irq"} | {
        f"s_axil_{name}" for name in (
            "awaddr", "awprot", "awvalid", "awready", "wdata", "wstrb", "wvalid", "wready", "bresp", "bvalid",
            "bready", "araddr", "arprot", "arvalid", "arready", "rdata", "rresp", "rvalid", "rready")}
    assert pins["irq"] == ("output", 1)


def test_clock_and_reset_reach_the_core():
    assert re.search(r"always @\(posedge clk\).*?rst", verilog.convert(AmbaPins(_Registers())), re.DOTALL)


def test_other_members_are_refused():
    class Odd(wiring.Component):
        numbers: Out(stream.Signature(8))

    with pytest.raises(ValueError, match=r"Members of core must be plain ports or bundles of streams of structs, "
                                         r"not numbers\.payload"):
        AmbaPins(Odd())


def test_user_is_there_when_it_has_bits():
    assert "user" in address_layout(addr_width=32, id_width=2, user_width=1).members
    assert "user" not in address_layout(addr_width=32, id_width=2).members
    assert write_data_layout(128).size == 128 + 16 + 1


@pytest.mark.parametrize(("make", "text"), [
    (lambda: Axi4Signature(addr_width=32, data_width=48, id_width=1), "8, 16, 32, 64, 128, 256, 512, 1024, not 48"),
    (lambda: AxiLiteSignature(addr_width=12, data_width=128), "32, 64, not 128"),
])
def test_data_widths_that_axi_does_not_have(make, text):
    with pytest.raises(ValueError, match=f"data_width must be one of {text}"):
        make()


def test_signatures_compare_by_their_members():
    assert Axi4Signature(addr_width=32, data_width=64, id_width=1) == Axi4Signature(
        addr_width=32, data_width=64, id_width=1)
    assert AxiLiteSignature(addr_width=12) != AxiLiteSignature(addr_width=13)


def test_wire_passes_all_but_user():
    wire = _wire()

    async def testbench(ctx):
        fields = {"id": 9, "addr": 0x8000_1234_5678, "len": 7, "size": 4, "burst": 1, "lock": 1, "cache": 11,
                  "prot": 5, "qos": 3, "region": 6}
        ctx.set(wire.s_axi.ar.payload, fields | {"user": 0x55})
        ctx.set(wire.s_axi.ar.valid, 1)
        ctx.set(wire.m_axi.ar.ready, 1)
        ctx.set(wire.m_axi.r.payload, {"id": 9, "data": 1 << 127, "resp": 2, "last": 1})
        ctx.set(wire.m_axi.r.valid, 1)
        await ctx.delay(1e-9)
        seen = ctx.get(wire.m_axi.ar.payload)
        assert {name: getattr(seen[name], "value", seen[name]) for name in fields} == fields
        assert ctx.get(wire.m_axi.ar.valid)
        assert ctx.get(wire.s_axi.ar.ready)
        assert not ctx.get(wire.s_axi.aw.ready)
        answer = ctx.get(wire.s_axi.r.payload)
        assert (answer.id, answer.data, answer.last) == (9, 1 << 127, 1)
        assert not ctx.get(wire.m_axi.r.ready)

    simulator = Simulator(wire)
    simulator.add_testbench(testbench)
    simulator.run()
