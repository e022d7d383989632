"""The register buses keep AXI4-Lite's rules, whatever their managers and the registers do."""

import pytest
from amaranth import Module
from amaranth.hdl import Assert, Signal
from amaranth.lib.wiring import Component

from cbit.axi.ports import Response
from cbit.csr.bank import Bank
from cbit.csr.map import registers
from cbit.csr.rotation import ROTATING, ROTATION_CYCLES
from cbit_sim.formal import DisprovedError, Engine, prove
from cbit_sim.free_inputs import connect_inputs, free_inputs

WRITE_CYCLES = 2
"""Between the later of address and data, and the answer."""

READ_CYCLES = 4 + ROTATION_CYCLES - 1
"""Between an address and the answer, that of a rotating register as it has just passed."""


class BusRules(Component):
    """An answer stays until it is taken (IHI 0022, A3.2.1), belongs to a request, and comes after it and in time.

    All inputs are free: managers may withdraw what they offer, and registers refuse when they like. A write is answered
    once for each address and word, after both; a read once for each address. One more request than answers is taken at
    most. At most ``write_cycles`` and ``read_cycles`` go by before an answer, if the rotating registers are shown in
    turn. A write that is refused reaches no register; one that is answered OKAY has reached one.
    """

    def __init__(self, bank=Bank, *, space, write_cycles=WRITE_CYCLES, read_cycles=READ_CYCLES):
        self.bank = bank(registers=registers(space), rotating=ROTATING)
        self.write_cycles = write_cycles
        self.read_cycles = read_cycles
        super().__init__(free_inputs(self.bank))

    def elaborate(self, _platform):
        m = Module()
        m.submodules.bank = bank = self.bank
        place = Signal(range(ROTATION_CYCLES))
        m.d.sync += place.eq(place + 1)
        connect_inputs(m, self, bank, but=(("rotation",),))
        m.d.comb += [bank.rotation.place.eq(place), bank.rotation.word.eq(self.rotation.word)]
        bus = bank.s_axil
        self._keeps(m, bus.r)
        self._keeps(m, bus.b)
        addresses, words = self._owed(m, bus.aw, bus.b), self._owed(m, bus.w, bus.b)
        self._comes(m, bus.b, (addresses != 0) & (words != 0), self.write_cycles)
        self._comes(m, bus.r, self._owed(m, bus.ar, bus.r) != 0, self.read_cycles)
        self._writes_what_it_says(m, bus)
        return m

    def _keeps(self, m, channel):
        waits, shown = Signal(), Signal(channel.payload.shape())
        m.d.sync += [waits.eq(channel.valid & ~channel.ready), shown.eq(channel.payload)]
        with m.If(waits):
            m.d.comb += [Assert(channel.valid), Assert(channel.payload.as_value() == shown.as_value())]

    def _owed(self, m, request, answer):
        """Requests taken that are not answered yet."""
        owed = Signal(2)
        m.d.sync += owed.eq(owed + (request.valid & request.ready) - (answer.valid & answer.ready))
        m.d.comb += [Assert(owed <= 2), Assert(~answer.valid | (owed != 0))]
        return owed

    def _comes(self, m, channel, is_due, most):
        late = Signal(range(most + 2))
        with m.If(is_due & ~channel.valid):
            m.d.sync += late.eq(late + 1)
        with m.Else():
            m.d.sync += late.eq(0)
        m.d.comb += Assert(late <= most)

    def _writes_what_it_says(self, m, bus):
        """Whether a register was written in the cycle before an answer came, and the answer."""
        ports = [getattr(self.bank, name) for name in self.bank.signature.members if name not in ("s_axil", "rotation")]
        writes = sum((port.write for port in ports if "write" in port.signature.members), start=Signal(4))
        written, was_valid = Signal(4), Signal()
        m.d.sync += [written.eq(writes), was_valid.eq(bus.b.valid)]
        m.d.comb += Assert(writes <= 1)
        with m.If(bus.b.valid & ~was_valid):
            m.d.comb += Assert((bus.b.payload.resp == Response.OKAY) == (written == 1))
        with m.Else():
            m.d.comb += Assert(written == 0)


@pytest.mark.parametrize("space", ["psp", "host"])
def test_bus_keeps_its_rules(space):
    prove(BusRules(space=space), engine=Engine.REACHABILITY)


@pytest.mark.parametrize("late", [{"write_cycles": WRITE_CYCLES - 1}, {"read_cycles": READ_CYCLES - 1}])
def test_the_cycles_of_an_answer_are_no_more_than_needed(late):
    with pytest.raises(DisprovedError):
        prove(BusRules(space="psp", **late), engine=Engine.REACHABILITY)


class ForgetfulBank(Bank):
    """A fault: an answer to a read goes when the next address comes."""

    def _elaborate_read(self, m):
        super()._elaborate_read(m)
        with m.If(self.s_axil.ar.valid & self.s_axil.ar.ready):
            m.d.sync += self.s_axil.r.valid.eq(0)


class WritesAnyway(Bank):
    """A fault: a write of less than all bytes is answered with an error, and yet done."""

    def _offer_write(self, m, address, word, whole, perform):
        resp = super()._offer_write(m, address, word, whole, perform)
        m.d.comb += self.command.write.eq(perform)
        return resp


@pytest.mark.parametrize("faulty", [ForgetfulBank, WritesAnyway])
def test_a_broken_rule_is_found(faulty):
    with pytest.raises(DisprovedError):
        prove(BusRules(faulty, space="psp"), engine=Engine.REACHABILITY)
