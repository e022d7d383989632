import pytest
from amaranth import Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from cbit_sim.flow import Flow


class Paths(Component):
    """One output for each kind of path from ``secret``, or of none."""

    secret: In(4)
    other: In(4)
    place: In(2)
    low_bits: Out(2)
    high_bits: Out(2)
    kept: Out(4)
    chosen: Out(4)
    summed: Out(4)
    column: Out(4)
    other_column: Out(4)
    addressed: Out(4)
    unrelated: Out(4)

    def elaborate(self, _platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=8, depth=4, init=[])
        m.submodules.table = table = Memory(shape=4, depth=4, init=[1, 2, 3, 4])
        write, read, look_up = memory.write_port(), memory.read_port(domain="comb"), table.read_port(domain="comb")
        middle = Signal(4)
        mixed = Signal(4)
        m.d.sync += middle.eq(self.secret)
        m.d.sync += self.kept.eq(middle)
        m.d.comb += [
            mixed.eq((self.secret & 0b0011) ^ self.other),
            self.low_bits.eq(mixed[:2]), self.high_bits.eq(self.other[2:]),
            self.chosen.eq(Mux(self.secret[3], self.other, 0)),
            self.summed.eq(self.other + self.secret[0]),
            write.en.eq(1), write.addr.eq(self.place), write.data[:4].eq(self.secret), write.data[4:].eq(self.other),
            read.addr.eq(self.place), self.column.eq(read.data[:4]), self.other_column.eq(read.data[4:]),
            look_up.addr.eq(self.secret[:2]), self.addressed.eq(look_up.data),
            self.unrelated.eq(self.other),
        ]
        return m


@pytest.fixture(scope="module")
def flow():
    return Flow(Paths())


def test_every_way_is_found_and_no_other(flow):
    reached = flow.reached(["secret"])
    assert flow.outputs & reached == {"low_bits", "kept", "chosen", "summed", "column", "addressed"}


def test_what_is_declassified_ends_a_way(flow):
    assert "kept" in flow.reached(["secret"], declassified=["mixed"])
    assert "kept" not in flow.reached(["secret"], declassified=["middle"])


def test_a_signal_that_is_not_there_is_refused(flow):
    with pytest.raises(KeyError):
        flow.reached(["secrets"])
    with pytest.raises(KeyError):
        flow.reached(["secret"], declassified=["nothing"])
