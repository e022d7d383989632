# amaranth: UnusedElaboratable=no
"""Locks, the secret, boot codes and interrupts."""

import pytest

from cbit.psp.interrupts import Interrupts
from cbit.psp.system import DEVELOPMENT_SECRET, SystemRegisters
from cbit_sim.streams import simulate

SECRET = bytes(range(100, 132))
GOOD = {"c_bit": 47, "asid_count": 16, "memory_bytes": 1 << 20, "device_secret": SECRET, "simulated": False}


async def write(ctx, port, **fields):
    for name, value in fields.items():
        ctx.set(getattr(port.data, name), value)
    ctx.set(port.write, 1)
    await ctx.tick()
    ctx.set(port.write, 0)


@pytest.mark.parametrize(("change", "reason"), [
    ({"device_secret": bytes(31)}, "device_secret must be of 32 bytes, not 31"),
    ({"memory_bytes": 5000}, "memory_bytes must be a multiple of 4096, not 5000"),
    ({"memory_bytes": 1 << 44}, "memory_bytes must be below 2\\*\\*44, not 17592186044416"),
    ({"memory_bytes": 0}, "memory_bytes must be a multiple of 4096, not 0"),
])
def test_bad_parameters_are_refused(change, reason):
    with pytest.raises(ValueError, match=reason):
        SystemRegisters(**GOOD | change)


def test_control_is_set_for_good():
    dut = SystemRegisters(**GOOD)

    async def testbench(ctx):
        words = [ctx.get(dut.device_secret.value[index].word) for index in range(8)]
        assert b"".join(word.to_bytes(4, "little") for word in words) == SECRET
        outputs = (dut.host_release, dut.code_locked)
        assert [ctx.get(output) for output in outputs] == [0, 0]
        await write(ctx, dut.code_end, address=0x1_01FF)
        assert ctx.get(dut.code_end.value.address) == 0x1_0100
        await write(ctx, dut.control, code_lock=1)
        assert [ctx.get(output) for output in outputs] == [0, 1]
        assert ctx.get(dut.code_end.refuse)
        await write(ctx, dut.control, code_lock=0, host_release=1)
        assert [ctx.get(output) for output in outputs] == [1, 1]
        await write(ctx, dut.control, host_release=0, secret_hide=1)
        await write(ctx, dut.control, secret_hide=0)
        assert [ctx.get(output) for output in outputs] == [1, 1]
        assert not any(ctx.get(dut.device_secret.value[index].word) for index in range(8))

    simulate(dut, testbench)


@pytest.mark.parametrize("levels_dram", [False, True])
def test_dram_is_opened_for_good_where_it_is_leveled(levels_dram):
    dut = SystemRegisters(**GOOD, levels_dram=levels_dram)

    async def testbench(ctx):
        assert ctx.get(dut.strap.value.dram) == levels_dram
        await write(ctx, dut.control, dram_open=0, secret_hide=1)
        assert not ctx.get(dut.dram_open)
        await write(ctx, dut.control, dram_open=1)
        assert ctx.get(dut.dram_open) == levels_dram
        await write(ctx, dut.control, dram_open=0)
        assert ctx.get(dut.dram_open) == levels_dram

    simulate(dut, testbench)


def test_boot_code_and_bus_errors():
    dut = SystemRegisters(**GOOD)

    async def testbench(ctx):
        await write(ctx, dut.boot_code, code=0xE3)
        assert ctx.get(dut.shown_code) == 0xE3
        ctx.set(dut.stray, 1)
        assert ctx.get(dut.shown_code) == 0xFE
        ctx.set(dut.bus_failed, 1)
        await write(ctx, dut.bus_error, seen=0)
        ctx.set(dut.bus_failed, 0)
        assert ctx.get(dut.bus_error.value.seen)
        await write(ctx, dut.bus_error, seen=0)
        assert not ctx.get(dut.bus_error.value.seen)

    simulate(dut, testbench)


def test_code_without_an_end_is_not_locked():
    dut = SystemRegisters(**GOOD)

    async def testbench(ctx):
        for end in (0, 0xFF):
            await write(ctx, dut.code_end, address=end)
            for lock in (0, 1):
                ctx.set(dut.control.data.code_lock, lock)
                assert ctx.get(dut.control.refuse) == lock
        await write(ctx, dut.code_end, address=0x100)
        assert not ctx.get(dut.control.refuse)

    simulate(dut, testbench)


@pytest.mark.parametrize("secret", [SECRET, DEVELOPMENT_SECRET])
def test_a_secret_that_is_known_to_all_is_told(secret):
    dut = SystemRegisters(**GOOD | {"device_secret": secret})

    async def testbench(ctx):
        assert ctx.get(dut.strap.value.development) == (secret == DEVELOPMENT_SECRET)

    simulate(dut, testbench)


def test_the_most_memory_is_told():
    dut = SystemRegisters(**GOOD | {"memory_bytes": (1 << 44) - 4096})

    async def testbench(ctx):
        assert ctx.get(dut.memory_pages.value.pages) == 0xFFFF_FFFF

    simulate(dut, testbench)


def test_what_does_not_change_is_told():
    dut = SystemRegisters(**GOOD | {"simulated": True})

    async def testbench(ctx):
        ctx.set(dut.tsme, 1)
        assert ctx.get(dut.strap.value.as_value()) == 3
        assert ctx.get(dut.platform.value.as_value()) == 47 | 16 << 16
        assert ctx.get(dut.memory_pages.value.pages) == 256

    simulate(dut, testbench)


def test_alarm_comes_once_and_in_time():
    dut = Interrupts()

    async def testbench(ctx):
        status = dut.interrupt_status.value
        await ctx.tick().repeat(5)
        assert not ctx.get(status.alarm)
        await write(ctx, dut.interrupt_enable, alarm=1)
        start = ctx.get(dut.timer.value.cycles)
        await write(ctx, dut.alarm, cycles=start + 10)
        assert ctx.get(dut.alarm.value.cycles) == start + 10
        await ctx.tick().until(status.alarm)
        assert ctx.get(dut.timer.value.cycles) == start + 12
        assert ctx.get(dut.irq)
        await write(ctx, dut.interrupt_enable, alarm=0)
        await ctx.tick()
        assert not ctx.get(dut.irq)
        assert ctx.get(status.alarm)
        await write(ctx, dut.alarm, cycles=start)
        await ctx.tick().repeat(50)
        assert not ctx.get(status.alarm)

    simulate(dut, testbench)


@pytest.mark.parametrize("source", ["command", "engine"])
def test_what_waits_interrupts_if_it_is_enabled(source):
    dut = Interrupts()

    async def testbench(ctx):
        ctx.set(getattr(dut, source), 1)
        for enabled in ("command", "alarm", "engine"):
            await write(ctx, dut.interrupt_enable, **{"command": 0, "alarm": 0, "engine": 0} | {enabled: 1})
            await ctx.tick()
            assert ctx.get(dut.irq) == (enabled == source)
        ctx.set(getattr(dut, source), 0)
        assert ctx.get(dut.interrupt_status.value.as_value()) == 0

    simulate(dut, testbench)


def test_a_flush_is_remembered_even_if_it_comes_with_the_clear():
    dut = Interrupts()

    async def testbench(ctx):
        seen = dut.host_events.value.cache_flushed
        assert not ctx.get(seen)
        ctx.set(dut.cache_flushed, 1)
        await write(ctx, dut.host_events, cache_flushed=0)
        ctx.set(dut.cache_flushed, 0)
        assert ctx.get(seen)
        await write(ctx, dut.host_events, cache_flushed=1)
        assert not ctx.get(seen)

    simulate(dut, testbench)
