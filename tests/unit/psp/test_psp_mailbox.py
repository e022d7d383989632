"""The mailbox: what the host's port does, access by access, and what it does not do at any address."""

import pytest
from amaranth.sim import Simulator

from cbit.axi.ports import Response
from cbit.csr.map import registers, size_bytes
from cbit.psp.mailbox import Mailbox
from cbit_sim import axi_lite

OKAY, SLVERR, DECERR = (Response[name].value for name in ("OKAY", "SLVERR", "DECERR"))


def run(dut, *testbenches):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.run()


class Bench:
    """A mailbox, with both of its sides by the names of registers."""

    def __init__(self):
        self.dut = Mailbox()
        self.host = axi_lite.Registers(self.dut.s_axil, "mailbox")

    async def command(self, ctx, command, *, low=0, high=0, ioc=1):
        assert await self.host.write(ctx, "BUFFER_LOW", ADDRESS=low) == OKAY
        assert await self.host.write(ctx, "BUFFER_HIGH", ADDRESS=high) == OKAY
        assert await self.host.write(ctx, "COMMAND", COMMAND=command, STATUS=ioc) == OKAY

    async def answer(self, ctx, status):
        assert not ctx.get(self.dut.mailbox_response.refuse)
        ctx.set(self.dut.mailbox_response.data.status, status)
        ctx.set(self.dut.mailbox_response.write, 1)
        await ctx.tick()
        ctx.set(self.dut.mailbox_response.write, 0)

    def words(self, ctx):
        dut = self.dut
        return [ctx.get(port.value.as_value()) for port in (dut.mailbox_command, dut.mailbox_low, dut.mailbox_high)]


@pytest.mark.parametrize("ioc", [0, 1])
def test_a_command_goes_to_the_processor_and_its_status_comes_back(ioc):
    bench = Bench()

    async def testbench(ctx):
        assert await bench.host.read(ctx, "COMMAND") == {"STATUS": 0, "COMMAND": 0, "DONE": 1}
        assert bench.words(ctx) == [0, 0, 0]
        for number, status in ((0x7FFF, 0xFFFF), (1, 0), (2, 0x16)):
            assert not ctx.get(bench.dut.waits)
            assert ctx.get(bench.dut.mailbox_response.refuse)
            await bench.command(ctx, number, low=0x8000_0001 + number, high=0x7654_3210, ioc=ioc)
            assert ctx.get(bench.dut.waits)
            assert bench.words(ctx) == [number << 16 | ioc, 0x8000_0001 + number, 0x7654_3210]
            assert await bench.host.read(ctx, "COMMAND") == {"STATUS": ioc, "COMMAND": number, "DONE": 0}
            await bench.answer(ctx, status)
            assert await bench.host.read(ctx, "COMMAND") == {"STATUS": status, "COMMAND": 0, "DONE": 1}
            assert bench.words(ctx)[0] == 0
            assert await bench.host.read(ctx, "INTERRUPT_STATUS") == {"COMPLETE": ioc}
            assert await bench.host.write(ctx, "INTERRUPT_STATUS", COMPLETE=1) == OKAY
            assert await bench.host.read(ctx, "INTERRUPT_STATUS") == {"COMPLETE": 0}

    run(bench.dut, testbench)


def test_a_command_that_is_under_way_stands_still():
    bench = Bench()

    async def testbench(ctx):
        await bench.command(ctx, 5, low=6, high=7)
        before = bench.words(ctx)
        for name, field in (("COMMAND", "COMMAND"), ("BUFFER_LOW", "ADDRESS"), ("BUFFER_HIGH", "ADDRESS")):
            assert await bench.host.write(ctx, name, **{field: 1}) == SLVERR
        assert bench.words(ctx) == before
        assert await bench.host.read(ctx, "BUFFER_LOW") == {"ADDRESS": 6}
        assert await bench.host.read(ctx, "BUFFER_HIGH") == {"ADDRESS": 7}
        await bench.answer(ctx, 0)
        assert await bench.host.write(ctx, "BUFFER_LOW", ADDRESS=8) == OKAY
        assert await bench.host.read(ctx, "BUFFER_LOW") == {"ADDRESS": 8}

    run(bench.dut, testbench)


def outcome_of_clear_and_answer(delay):
    """Clears the host's status, and answers some cycles after the command was written. Returns the cycle in which the
    clear was done less that of the answer, and the status in the end."""
    bench = Bench()
    seen = {"clear": [], "answer": []}
    status = []

    async def watch(ctx):
        dut, cycle = bench.dut, 0
        async for _, _, is_answered, has_done in ctx.tick().sample(dut.mailbox_response.write, dut.s_axil.b.valid):
            seen["answer"] += [cycle] if is_answered else []
            # The bus answers in the cycle after.
            seen["clear"] += [cycle - 1] if has_done else []
            cycle += 1

    async def clear(ctx):
        await bench.command(ctx, 1)
        await bench.host.write(ctx, "INTERRUPT_STATUS", COMPLETE=1)
        await ctx.tick().repeat(20)
        status.append((await bench.host.read(ctx, "INTERRUPT_STATUS"))["COMPLETE"])

    async def answer(ctx):
        await ctx.tick().until(bench.dut.waits)
        await ctx.tick().repeat(delay)
        await bench.answer(ctx, 0)

    simulator = Simulator(bench.dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(watch, background=True)
    simulator.add_testbench(clear)
    simulator.add_testbench(answer)
    simulator.run()
    return seen["clear"][-1] - seen["answer"][0], status[0]


def test_an_answer_that_comes_with_the_clear_is_not_lost():
    outcomes = dict(outcome_of_clear_and_answer(delay) for delay in range(1, 10))
    assert {-1, 0, 1} <= set(outcomes)
    assert all(status == (early <= 0) for early, status in outcomes.items())


def test_interrupt_is_enabled():
    bench = Bench()

    async def testbench(ctx):
        await bench.command(ctx, 1)
        await bench.answer(ctx, 0)
        await ctx.tick().repeat(3)
        assert not ctx.get(bench.dut.irq)
        await bench.host.write(ctx, "INTERRUPT_ENABLE", COMPLETE=1)
        await ctx.tick().repeat(3)
        assert ctx.get(bench.dut.irq)
        await bench.host.write(ctx, "INTERRUPT_STATUS", COMPLETE=0)
        await ctx.tick().repeat(3)
        assert ctx.get(bench.dut.irq)
        await bench.host.write(ctx, "INTERRUPT_STATUS", COMPLETE=1)
        await ctx.tick().repeat(3)
        assert not ctx.get(bench.dut.irq)

    run(bench.dut, testbench)


def test_the_host_reads_the_code_and_what_is_known_to_all():
    """Straight from the hardware: there is no register of the processor behind these bits."""
    bench = Bench()

    async def testbench(ctx):
        for code, released, development, simulated in ((0x80, 1, 0, 0), (0xE3, 0, 1, 0), (0x01, 0, 0, 1)):
            ctx.set(bench.dut.code, code)
            ctx.set(bench.dut.released, released)
            ctx.set(bench.dut.development, development)
            ctx.set(bench.dut.simulated, simulated)
            assert await bench.host.read(ctx, "BOOT_STATUS") == {
                "CODE": code, "RELEASED": released, "DEVELOPMENT": development, "SIMULATED": simulated}

    run(bench.dut, testbench)


def addresses(*, every):
    """Words of the whole space: all, or those that differ from a register's in one bit, and some others."""
    known = {entry.offset for entry in registers("mailbox")}
    if every:
        return range(0, size_bytes("mailbox"), 4)
    near = {offset ^ 1 << bit for offset in known for bit in range(2, 17)}
    return sorted(known | near | set(range(0, size_bytes("mailbox"), 0x1FFC)))


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_nothing_is_at_any_other_address(every):
    known = {entry.offset: entry for entry in registers("mailbox")}
    bench = Bench()

    async def testbench(ctx):
        for address in addresses(every=every):
            word, response = await axi_lite.read(ctx, bench.dut.s_axil, address)
            if address in known:
                assert response == OKAY
                continue
            assert (word, response) == (0, DECERR), hex(address)
            before = bench.words(ctx), ctx.get(bench.dut.waits)
            assert await axi_lite.write(ctx, bench.dut.s_axil, address, 0xFFFF_FFFF) == DECERR, hex(address)
            assert (bench.words(ctx), ctx.get(bench.dut.waits)) == before

    run(bench.dut, testbench)
