"""Streams and buses cross from one clock to another, whatever the clocks, and whenever there is a reset."""

import random
from functools import partial

import pytest
from amaranth.hdl import ClockDomain, DomainRenamer, Module, ResetSignal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.sim import Simulator

from cbit.axi.ports import AxiLiteSignature, Response
from cbit.csr.bank import Bank
from cbit.csr.map import registers
from cbit.psp.crossing import BusCrossing, ResetCrossing, StreamCrossing
from cbit_sim import axi_lite

PERIODS = [(1.0, 1.0), (1.0, 1.13), (1.13, 1.0), (1.0, 5.7), (5.7, 1.0), (1.0, 31.0)]
DIRECTIONS = [("sync", "psp"), ("psp", "sync")]
COUNT = 40


class TwoClocks(wiring.Component):
    """A crossing between a clock and another one, whose reset is made from the first one's."""

    def __init__(self, crossing):
        self.crossing = crossing
        super().__init__({"i": In(crossing.i.signature.flip()), "o": Out(crossing.o.signature), "reset": In(1),
                          "psp_in_reset": Out(1)})

    def elaborate(self, _platform):
        m = Module()
        m.domains += [ClockDomain("sync"), ClockDomain("psp")]
        m.submodules.crossing = self.crossing
        m.submodules.psp_reset = ResetCrossing(from_domain="sync", to_domain="psp")
        m.d.comb += [ResetSignal("sync").eq(self.reset), self.psp_in_reset.eq(ResetSignal("psp"))]
        connect(m, flipped(self.i), self.crossing.i)
        connect(m, self.crossing.o, flipped(self.o))
        return m


def simulated(dut, periods):
    simulator = Simulator(dut)
    for domain, period in zip(("sync", "psp"), periods):
        simulator.add_clock(period * 1e-6, domain=domain)
    return simulator


async def until(ctx, domain, condition, *samples):
    """Waits for a cycle in which a condition holds, and which is none of a reset; returns what was sampled in it."""
    while True:
        _, is_reset, is_met, *values = await ctx.tick(domain).sample(condition, *samples)
        if is_met and not is_reset:
            return values


async def receive(ctx, port, domain, rng, received, *, stalls=0.3):
    while True:
        while rng.random() < stalls:
            await ctx.tick(domain)
        ctx.set(port.ready, 1)
        (payload,) = await until(ctx, domain, port.valid, port.payload)
        ctx.set(port.ready, 0)
        received.append(payload)


@pytest.mark.parametrize("periods", PERIODS)
@pytest.mark.parametrize(("from_domain", "to_domain"), DIRECTIONS)
def test_payloads_come_in_order_and_once(from_domain, to_domain, periods):
    dut = TwoClocks(StreamCrossing(shape=16, from_domain=from_domain, to_domain=to_domain))
    rng = random.Random(1)
    sent, received = [rng.getrandbits(16) for _ in range(COUNT)], []

    async def send(ctx):
        for payload in sent:
            ctx.set(dut.i.payload, payload)
            ctx.set(dut.i.valid, 1)
            await until(ctx, from_domain, dut.i.ready)
            ctx.set(dut.i.valid, 0)
            while rng.random() < 0.3:
                await ctx.tick(from_domain)
        for _ in range(20):
            await ctx.tick(to_domain)

    simulator = simulated(dut, periods)
    simulator.add_testbench(send)
    simulator.add_testbench(partial(receive, port=dut.o, domain=to_domain, rng=random.Random(2), received=received),
                            background=True)
    simulator.run()
    assert received == sent


@pytest.mark.parametrize("periods", PERIODS)
@pytest.mark.parametrize(("from_domain", "to_domain"), DIRECTIONS)
def test_a_reset_drops_what_is_in_flight_and_nothing_else(from_domain, to_domain, periods):
    """What is sent after a reset of one cycle comes, and nothing of before does."""
    dut = TwoClocks(StreamCrossing(shape=16, from_domain=from_domain, to_domain=to_domain))
    rng = random.Random(3)
    received = []

    async def send(ctx):
        payload = 0
        for _ in range(25):
            ctx.set(dut.i.valid, 1)
            for _ in range(rng.randrange(1, 30)):
                ctx.set(dut.i.payload, payload)
                _, _, taken = await ctx.tick(from_domain).sample(dut.i.ready)
                payload += taken
            ctx.set(dut.i.valid, 0)
            ctx.set(dut.reset, 1)
            await ctx.tick("sync")
            ctx.set(dut.reset, 0)
            # What the other clock's registers take at the edge at which these are reset is lost with the next one.
            await ctx.delay(1e-9)
            received.clear()
            if from_domain == "psp":
                # Its registers offer nothing while they are in reset.
                await until(ctx, "psp", ~dut.psp_in_reset)
            first = payload
            for _ in range(3):
                ctx.set(dut.i.payload, payload)
                ctx.set(dut.i.valid, 1)
                await until(ctx, from_domain, dut.i.ready)
                ctx.set(dut.i.valid, 0)
                payload += 1
            for _ in range(30):
                await ctx.tick(to_domain)
            assert received == [first, first + 1, first + 2]

    simulator = simulated(dut, periods)
    simulator.add_testbench(send)
    simulator.add_testbench(partial(receive, port=dut.o, domain=to_domain, rng=random.Random(4), received=received),
                            background=True)
    simulator.run()


@pytest.mark.parametrize("periods", PERIODS)
@pytest.mark.parametrize(("from_domain", "to_domain"), DIRECTIONS)
def test_a_pulse_that_no_register_sees_is_no_reset(from_domain, to_domain, periods):
    """The reset is high between two edges of its clock, for long enough that the other clock has one, if it is fast."""
    dut = TwoClocks(StreamCrossing(shape=16, from_domain=from_domain, to_domain=to_domain))
    received = []

    async def send(ctx):
        for payload in range(COUNT):
            ctx.set(dut.i.payload, payload)
            ctx.set(dut.i.valid, 1)
            await until(ctx, from_domain, dut.i.ready)
            ctx.set(dut.i.valid, 0)
            for _ in range(payload % 5):
                await ctx.tick(from_domain)
            await ctx.tick("sync")
            await ctx.delay(0.05 * periods[0] * 1e-6)
            ctx.set(dut.reset, 1)
            await ctx.delay(0.8 * periods[0] * 1e-6)
            ctx.set(dut.reset, 0)
            assert not ctx.get(dut.psp_in_reset)
        for _ in range(60):
            await ctx.tick(to_domain)
        assert received == [*range(COUNT)]

    async def watch(ctx):
        waits = False
        while True:
            _, _, valid, ready = await ctx.tick(to_domain).sample(dut.o.valid, dut.o.ready)
            assert valid or not waits
            waits = valid and not ready

    simulator = simulated(dut, periods)
    simulator.add_testbench(send)
    simulator.add_testbench(watch, background=True)
    simulator.add_testbench(partial(receive, port=dut.o, domain=to_domain, rng=random.Random(5), received=received,
                                    stalls=0.8), background=True)
    simulator.run()


@pytest.mark.parametrize("periods", PERIODS)
def test_registers_are_reached_across_clocks(periods):
    signature = AxiLiteSignature(addr_width=12)

    class Design(wiring.Component):
        s_axil: In(signature)

        def elaborate(self, _platform):
            m = Module()
            bank = Bank(registers=registers("psp"))
            m.submodules.crossing = crossing = BusCrossing(signature=signature, from_domain="sync", to_domain="psp")
            m.submodules.bank = DomainRenamer("psp")(bank)
            connect(m, flipped(self.s_axil), crossing.i)
            connect(m, crossing.o, bank.s_axil)
            return m

    dut = Design()

    async def testbench(ctx):
        for _ in range(5):
            assert await axi_lite.read(ctx, dut.s_axil, 0) == (int.from_bytes(b"CBIT", "little"), Response.OKAY.value)
            assert await axi_lite.write(ctx, dut.s_axil, 0, 1) == Response.SLVERR.value
            assert await axi_lite.read(ctx, dut.s_axil, 0xFFC) == (0, Response.DECERR.value)

    simulator = simulated(dut, periods)
    simulator.add_testbench(testbench)
    simulator.run()

