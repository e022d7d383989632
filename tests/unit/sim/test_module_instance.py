# amaranth: UnusedElaboratable=no
"""A module of Verilog in a component's place."""

from amaranth.back import verilog
from amaranth.hdl import Module
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit_sim.compiled import CompiledComponent
from cbit_sim.gateware.module_instance import ModuleInstance


class Sums(Component):
    """Sums of what comes in."""

    i: In(stream.Signature(8))
    total: Out(40)

    def elaborate(self, _platform):
        m = Module()
        m.d.comb += self.i.ready.eq(1)
        with m.If(self.i.valid):
            m.d.sync += self.total.eq(self.total + self.i.payload)
        return m


class Around(Component):
    """What has an instance of it."""

    i: In(stream.Signature(8))
    total: Out(40)

    def elaborate(self, _platform):
        m = Module()
        m.submodules.sums = sums = ModuleInstance(Sums(), "sums")
        connect(m, flipped(self.i), sums.i)
        m.d.comb += self.total.eq(sums.total)
        return m


def test_a_module_does_what_its_component_did():
    sums = verilog.convert(Sums(), name="sums").replace("(* top =  1  *)", "")
    component = CompiledComponent(Around(), modules=sums, seed=3)
    component.set("i__valid", 1)
    component.set("i__payload", 250)
    component.step(100)
    assert component.get("total") == 25_000
    component.close()
