"""The control port as the security processor and the host see it, over its buses."""

import random
from functools import partial

import pytest
from amaranth.sim import Simulator

from cbit.access.request import Violation
from cbit.axi.ports import Response
from cbit.csr import map as register_map
from cbit.csr.control import ControlPort
from cbit.keys.types import ROUND_KEY_SETTLE_CYCLES, Operation, Result, SlotState
from cbit_sim import axi_lite
from cbit_sim.key_bench import active_slots

OKAY, SLVERR = Response.OKAY.value, Response.SLVERR.value
KINDS = [kind for kind in Violation if kind is not Violation.NONE]


class Bench:
    """A control port and its two buses, by the names of registers and fields."""

    def __init__(self, *, key_bits=128, erase=True):
        self.key_words = key_bits // 32
        self.erase = erase
        self.dut = ControlPort(asid_count=4, key_bits=key_bits, addr_width=48, c_bit=47, id_width=4,
                               data_unit_bytes=4096)
        self.registers = {map_name: axi_lite.Registers(getattr(self.dut, f"s_axil_{map_name}"), map_name)
                          for map_name in register_map.ENGINE_MAP_NAMES}

    def run(self, testbench):
        async def from_erased(ctx):
            while self.erase and (await self.read(ctx, "STATUS"))["BUSY"]:
                pass
            await testbench(ctx)

        simulator = Simulator(self.dut)
        simulator.add_clock(1e-6)
        simulator.add_testbench(from_erased)
        simulator.run()

    async def read(self, ctx, name, map_name="psp"):
        """The fields of a register."""
        return await self.registers[map_name].read(ctx, name)

    async def write(self, ctx, name, map_name="psp", **values):
        """Writes a register field by field; returns the response."""
        return await self.registers[map_name].write(ctx, name, **values)

    async def write_keys(self, ctx, *keys):
        for name, key in zip(("KEY_DATA", "KEY_TWEAK"), keys):
            for index in range(self.key_words):
                word = int.from_bytes(key[4 * index:4 * index + 4], "little")
                assert await self.write(ctx, f"{name}{index}", WORD=word) == OKAY

    async def command(self, ctx, op, slot):
        assert await self.write(ctx, "COMMAND", OP=op.value, SLOT=slot) == OKAY
        while (status := await self.read(ctx, "COMMAND_STATUS"))["BUSY"]:
            pass
        return Result(status["RESULT"])

    async def state(self, ctx, slot):
        assert await self.write(ctx, "SLOT_SELECT", SLOT=slot) == OKAY
        return SlotState((await self.read(ctx, "SLOT_STATE"))["STATE"])


@pytest.fixture
def bench():
    return Bench()


def test_release_is_refused_until_keys_of_before_are_erased():
    bench = Bench(erase=False)

    async def testbench(ctx):
        assert await bench.write(ctx, "CONTROL", RELEASE=1, LOCK=1) == SLVERR
        assert await bench.read(ctx, "CONTROL") == {"RELEASE": 0, "LOCK": 0}
        assert not ctx.get(bench.dut.released)
        while (await bench.read(ctx, "STATUS"))["BUSY"]:
            pass
        assert await bench.write(ctx, "CONTROL", RELEASE=1) == OKAY
        assert ctx.get(bench.dut.released)

    bench.run(testbench)


def test_release_and_lock_stay(bench):
    async def testbench(ctx):
        assert await bench.write(ctx, "CONTROL", LOCK=1) == OKAY
        assert await bench.write(ctx, "CONTROL", RELEASE=1) == OKAY
        assert await bench.write(ctx, "CONTROL") == OKAY
        assert await bench.read(ctx, "CONTROL") == {"RELEASE": 1, "LOCK": 1}
        for map_name in ("psp", "host"):
            status = await bench.read(ctx, "STATUS", map_name)
            assert (status["RELEASED"], status["LOCKED"]) == (1, 1)

    bench.run(testbench)


def test_a_release_without_lock_leaves_the_mode_open(bench):
    async def testbench(ctx):
        assert await bench.write(ctx, "CONTROL", RELEASE=1) == OKAY
        status = await bench.read(ctx, "STATUS")
        assert (status["RELEASED"], status["LOCKED"]) == (1, 0)
        assert await bench.write(ctx, "MODE", SME=1) == OKAY
        assert await bench.write(ctx, "CONTROL", LOCK=1) == OKAY
        assert await bench.write(ctx, "MODE") == SLVERR
        assert ctx.get(bench.dut.mode.sme)

    bench.run(testbench)


def test_mode_is_written_until_locked(bench):
    async def testbench(ctx):
        for mode in ({"SME": 1, "TSME": 0, "SEV": 0}, {"SME": 0, "TSME": 1, "SEV": 0}, {"SME": 1, "TSME": 0, "SEV": 1}):
            assert await bench.write(ctx, "MODE", **mode) == OKAY
            assert await bench.read(ctx, "MODE") == await bench.read(ctx, "MODE", "host") == mode
            assert {name: ctx.get(bench.dut.mode[name.lower()]) for name in mode} == mode
        await bench.write(ctx, "CONTROL", LOCK=1)
        assert await bench.write(ctx, "MODE") == SLVERR
        assert await bench.read(ctx, "MODE") == mode

    bench.run(testbench)


@pytest.mark.parametrize("key_bits", [128, 256])
def test_keys_are_installed_retired_and_zeroized(key_bits):
    bench = Bench(key_bits=key_bits)
    rng = random.Random(8)

    async def testbench(ctx):
        for slot, end in ((0, Operation.RETIRE), (3, Operation.ZEROIZE)):
            await bench.write_keys(ctx, rng.randbytes(key_bits // 8), rng.randbytes(key_bits // 8))
            assert await bench.command(ctx, Operation.INSTALL, slot) == Result.OK
            assert await bench.state(ctx, slot) == SlotState.ACTIVE
            assert active_slots(ctx, bench.dut) == ctx.get(bench.dut.serving) == 1 << slot
            assert await bench.command(ctx, Operation.INSTALL, slot) == Result.SLOT_STATE
            assert await bench.command(ctx, end, slot) == Result.OK
            assert await bench.state(ctx, slot) == SlotState.EMPTY
            assert active_slots(ctx, bench.dut) == ctx.get(bench.dut.serving) == 0

    bench.run(testbench)


def test_key_words_reach_round_key_zero_in_their_order(bench):
    """Round key 0 of AES-128 is the key itself (FIPS 197, 5.2)."""
    keys = bytes(range(16)), bytes(range(16, 32))
    first = {}

    async def collect(ctx):
        port = bench.dut.round_key
        async for *_, valid, number, tweak_key, data in ctx.tick().sample(port.valid, port.round, port.tweak_key,
                                                                        port.data):
            if valid and number == 0:
                first[tweak_key] = data.to_bytes(16, "little")

    async def testbench(ctx):
        await bench.write_keys(ctx, *keys)
        assert await bench.command(ctx, Operation.INSTALL, 1) == Result.OK
        assert first == {0: keys[0], 1: keys[1]}

    simulator = Simulator(bench.dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(collect, background=True)

    async def from_erased(ctx):
        await ctx.tick().repeat(4 * 22 + ROUND_KEY_SETTLE_CYCLES)
        await testbench(ctx)

    simulator.add_testbench(from_erased)
    simulator.run()


def test_key_words_past_the_end_and_while_busy_are_refused(bench):
    async def testbench(ctx):
        for name in ("KEY_DATA", "KEY_TWEAK"):
            for index in range(4, 8):
                assert await bench.write(ctx, f"{name}{index}", WORD=1) == SLVERR
        await bench.write_keys(ctx, bytes(16), bytes([1]) * 16)
        await bench.command(ctx, Operation.INSTALL, 1)
        ctx.set(bench.dut.drain_busy, 1)
        await bench.write(ctx, "COMMAND", OP=Operation.RETIRE.value, SLOT=1)
        assert await bench.write(ctx, "KEY_DATA0", WORD=1) == SLVERR
        assert await bench.state(ctx, 1) == SlotState.RETIRING
        assert (await bench.read(ctx, "STATUS"))["BUSY"]
        ctx.set(bench.dut.drain_busy, 0)

    bench.run(testbench)


def test_no_key_can_be_read(bench):
    """Nothing that either bus reads has a word of the keys in it, before and after they are installed."""
    rng = random.Random(10)
    keys = rng.randbytes(16), rng.randbytes(16)
    words = {int.from_bytes(key[start:start + 4], "little") for key in keys for start in range(0, 16, 4)}

    async def testbench(ctx):
        await bench.write_keys(ctx, *keys)
        for installed in (False, True):
            for map_name in register_map.ENGINE_MAP_NAMES:
                port = getattr(bench.dut, f"s_axil_{map_name}")
                for offset in range(0, 0x100, 4):
                    word, _ = await axi_lite.read(ctx, port, offset)
                    assert word not in words
            if not installed:
                assert await bench.command(ctx, Operation.INSTALL, 1) == Result.OK

    bench.run(testbench)


def test_violations_are_shown_on_both_buses(bench):
    async def testbench(ctx):
        for kind in KINDS:
            for direction, write in (("read", 0), ("write", 1)):
                event = getattr(bench.dut, f"{direction}_violation")
                ctx.set(event.p, {"kind": kind, "asid": 2, "addr": 0x8765_4321_0fed, "id": 9})
                ctx.set(event.valid, 1)
                await ctx.tick()
                ctx.set(event.valid, 0)
                for map_name in register_map.ENGINE_MAP_NAMES:
                    shown = {"VALID": 1, "WRITE": write, "KIND": kind.value}
                    assert await bench.read(ctx, "VIOLATION_STATUS", map_name) == shown
                    assert await bench.read(ctx, "VIOLATION_ASID", map_name) == {"ASID": 2}
                    assert await bench.read(ctx, "VIOLATION_ID", map_name) == {"ID": 9}
                    assert await bench.read(ctx, "VIOLATION_ADDRESS_LOW", map_name) == {"ADDRESS": 0x4321_0fed}
                    assert await bench.read(ctx, "VIOLATION_ADDRESS_HIGH", map_name) == {"ADDRESS": 0x8765}
                    count = await bench.read(ctx, f"VIOLATION_COUNT_{kind.name}", map_name)
                    assert count == {"COUNT": write + 1}
                assert await bench.write(ctx, "VIOLATION_CLEAR", RECORD=1) == OKAY
                assert await bench.read(ctx, "VIOLATION_STATUS") == {"VALID": 0, "WRITE": 0, "KIND": 0}
        assert await bench.write(ctx, "VIOLATION_CLEAR", COUNTS=1) == OKAY
        for kind in KINDS:
            assert await bench.read(ctx, f"VIOLATION_COUNT_{kind.name}") == {"COUNT": 0}

    bench.run(testbench)


def test_interrupt_is_enabled_and_cleared(bench):
    async def testbench(ctx):
        event = bench.dut.write_violation
        ctx.set(event.p, {"kind": Violation.SEV_OFF, "asid": 1, "addr": 0, "id": 0})
        ctx.set(event.valid, 1)
        await ctx.tick()
        ctx.set(event.valid, 0)
        assert not ctx.get(bench.dut.irq)
        assert await bench.write(ctx, "IRQ_ENABLE", VIOLATION=1) == OKAY
        assert ctx.get(bench.dut.irq)
        assert await bench.read(ctx, "IRQ_ENABLE") == {"VIOLATION": 1, "FAULT": 0}
        await bench.write(ctx, "VIOLATION_CLEAR", RECORD=1)
        assert not ctx.get(bench.dut.irq)

    bench.run(testbench)


@pytest.mark.parametrize("fault", ["self_test_failed", "key_fault", "upset"])
def test_a_fault_interrupts_until_reset_if_enabled(bench, fault):
    async def testbench(ctx):
        await bench.write(ctx, "IRQ_ENABLE", VIOLATION=1)
        ctx.set(getattr(bench.dut, fault), 1)
        await ctx.tick()
        ctx.set(getattr(bench.dut, fault), 0)
        await ctx.tick()
        assert not ctx.get(bench.dut.irq)
        assert await bench.write(ctx, "IRQ_ENABLE", FAULT=1) == OKAY
        assert await bench.read(ctx, "IRQ_ENABLE") == {"VIOLATION": 0, "FAULT": 1}
        assert ctx.get(bench.dut.irq)
        await bench.write(ctx, "VIOLATION_CLEAR", RECORD=1)
        assert ctx.get(bench.dut.irq)

    bench.run(testbench)


def test_host_discovers_the_engine(bench):
    async def testbench(ctx):
        assert await bench.read(ctx, "FEATURES", "host") == {"SME": 1, "SEV": 1}
        assert await bench.read(ctx, "FEATURES_EBX", "host") == {"C_BIT": 47, "ADDRESS_REDUCTION": 1}
        assert await bench.read(ctx, "FEATURES_ECX", "host") == {"GUESTS": 3}
        assert await bench.read(ctx, "FEATURES_EDX", "host") == {"MINIMUM_ASID": 1}
        assert await bench.read(ctx, "PARAMETERS", "host") == {"DATA_UNIT_BYTES": 4096, "KEY_BITS": 128}

    bench.run(testbench)


def test_host_can_write_nothing(bench):
    async def testbench(ctx):
        for register in register_map.registers("host"):
            assert await bench.write(ctx, register.name, "host") == SLVERR

    bench.run(testbench)


def test_self_test_holds_back_the_release(bench):
    async def testbench(ctx):
        ctx.set(bench.dut.self_test_busy, 1)
        assert (await bench.read(ctx, "STATUS"))["SELF_TEST_BUSY"]
        assert await bench.write(ctx, "CONTROL", RELEASE=1) == SLVERR
        ctx.set(bench.dut.self_test_busy, 0)
        assert await bench.write(ctx, "CONTROL", RELEASE=1) == OKAY

    bench.run(testbench)


async def _installing_the_hosts_slot(bench, ctx):
    """Installs slot 1, then begins with slot 0."""
    for slot in (1, 0):
        await bench.write_keys(ctx, bytes(16), bytes([1 + slot]) * 16)
        if slot:
            await bench.command(ctx, Operation.INSTALL, slot)
    assert await bench.write(ctx, "COMMAND", OP=Operation.INSTALL.value, SLOT=0) == OKAY


@pytest.mark.parametrize("fault", ["self_test_failed", "key_fault", "upset"])
def test_nothing_opens_from_the_cycle_after_a_fault_on(fault):
    """Whenever it comes around the cycle in which a slot becomes active."""
    until_active = 0

    async def find(ctx):
        nonlocal until_active
        await _installing_the_hosts_slot(bench, ctx)
        while not ctx.get(bench.dut.host_is_active):
            until_active += 1
            await ctx.tick()

    (bench := Bench()).run(find)

    async def fail(early, ctx):
        await _installing_the_hosts_slot(bench, ctx)
        await ctx.tick().repeat(until_active - early)
        assert ctx.get(bench.dut.host_is_active) == (early == 0)
        ctx.set(getattr(bench.dut, fault), 1)
        await ctx.tick()
        ctx.set(getattr(bench.dut, fault), 0)
        for _ in range(30):
            assert active_slots(ctx, bench.dut) == ctx.get(bench.dut.serving) == 0
            await ctx.tick()

    for early in range(3):
        (bench := Bench()).run(partial(fail, early))


def test_failed_self_test_erases_and_closes_for_good(bench):
    async def testbench(ctx):
        await bench.write_keys(ctx, bytes(16), bytes([1]) * 16)
        await bench.command(ctx, Operation.INSTALL, 1)
        await bench.write_keys(ctx, bytes(16), bytes([2]) * 16)
        await bench.command(ctx, Operation.INSTALL, 0)
        await bench.write(ctx, "CONTROL", RELEASE=1)
        assert ctx.get(bench.dut.host_is_active)
        ctx.set(bench.dut.self_test_failed, 1)
        await ctx.tick()
        ctx.set(bench.dut.self_test_failed, 0)
        assert not ctx.get(bench.dut.released)
        assert active_slots(ctx, bench.dut) == ctx.get(bench.dut.serving) == ctx.get(bench.dut.host_is_active) == 0
        await ctx.tick().repeat(2)
        for _ in range(4 * 22):
            assert ctx.get(bench.dut.round_key.valid)
            assert ctx.get(bench.dut.round_key.data) == 0
            await ctx.tick()
        await ctx.tick().repeat(ROUND_KEY_SETTLE_CYCLES)
        status = await bench.read(ctx, "STATUS")
        assert (status["SELF_TEST_FAILED"], status["RELEASED"], status["BUSY"]) == (1, 0, 0)
        assert await bench.write(ctx, "CONTROL", RELEASE=1) == SLVERR
        assert not ctx.get(bench.dut.released)
        for name in ("KEY_DATA0", "KEY_TWEAK3"):
            assert await bench.write(ctx, name, WORD=1) == SLVERR
        assert await bench.command(ctx, Operation.INSTALL, 1) == Result.CLOSED
        assert active_slots(ctx, bench.dut) == 0

    bench.run(testbench)
