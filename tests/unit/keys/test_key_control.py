# amaranth: UnusedElaboratable=no
"""Key control: every command in every state, what it erases, and when a slot is active."""

import random

import pytest

from cbit.aes.known_answer import known_answer
from cbit.csr import map as register_map
from cbit.keys.control import KeyControl
from cbit.keys.types import DRAIN_SETTLE_CYCLES, ROUND_KEY_SETTLE_CYCLES, Operation, Result, SlotState
from cbit_sim.aes_keys import expand_key
from cbit_sim.key_bench import KeyBench

ASID_COUNT = 5
INSTALL, RETIRE, ZEROIZE, ZEROIZE_ALL = Operation
CHECK_CYCLES = 4
"""From a command taken to its effect on the slot."""


@pytest.fixture
def bench():
    return KeyBench(KeyControl(asid_count=ASID_COUNT, key_bits=128))


@pytest.mark.parametrize("key_bits", [128, 256])
@pytest.mark.parametrize("asid_count", [2, 5, 16])
def test_reset_erases_every_slot_first(key_bits, asid_count):
    bench = KeyBench(KeyControl(asid_count=asid_count, key_bits=key_bits))

    async def testbench(ctx):
        assert await bench.state(ctx, 1) == SlotState.ZEROIZING
        await bench.start(ctx, INSTALL, 0)
        assert ctx.get(bench.dut.result) == Result.BUSY
        assert not await bench.write_word(ctx, 0, 0, 1)
        cycles = 4 + await bench.idle(ctx)
        assert cycles == asid_count * {128: 22, 256: 30}[key_bits] + 1 + ROUND_KEY_SETTLE_CYCLES
        for slot in range(asid_count):
            bench.assert_erased(slot)
            assert await bench.state(ctx, slot) == SlotState.EMPTY
        assert bench.bits(ctx) == (0, 0)

    bench.run(testbench)


@pytest.mark.parametrize("key_bits", [128, 256])
@pytest.mark.parametrize("key_ways", [None, 2])
def test_self_test_has_its_keys_and_leaves_none(key_bits, key_ways):
    bench = KeyBench(KeyControl(asid_count=5, key_bits=key_bits, key_ways=key_ways))
    dut, known = bench.dut, known_answer(key_bits)

    async def nothing_else_happens(ctx):
        assert ctx.get(dut.busy)
        assert bench.bits(ctx) == (0, 0)
        assert not await bench.write_word(ctx, 0, 0, 1)

    async def testbench(ctx):
        ctx.set(dut.self_test_busy, 1)
        cycles = 0
        while not ctx.get(dut.self_test_keys):
            await nothing_else_happens(ctx)
            cycles += 1
        is_cached, long = key_ways is not None, {128: 0, 256: 1}[key_bits]
        erase = 2 * (23, 31)[long] + 3 * (9, 17)[long] if is_cached else 5 * (22, 30)[long]
        assert cycles == erase + (108, 144)[long] + is_cached
        assert bench.written(0) == [expand_key(known.key), expand_key(known.tweak_key)]
        written = dict(bench.round_keys)
        for _ in range(50):
            await nothing_else_happens(ctx)
            assert ctx.get(dut.self_test_keys)
        assert await bench.state(ctx, 0) == SlotState.ZEROIZING
        await bench.start(ctx, INSTALL, 0)
        assert ctx.get(dut.result) == Result.BUSY
        assert bench.round_keys == written
        ctx.set(dut.self_test_busy, 0)
        assert await bench.idle(ctx) == (44, 52)[long] + is_cached
        bench.assert_erased(0)
        for slot in range(5):
            assert await bench.state(ctx, slot) == SlotState.EMPTY
        await bench.install(ctx, 0)
        assert bench.active(ctx) == 1
        assert not ctx.get(dut.self_test_keys)

    bench.run(testbench)


@pytest.mark.parametrize("key_ways", [None, 2])
def test_keys_of_the_self_test_are_in_use_when_it_is_told(key_ways):
    bench = KeyBench(KeyControl(asid_count=5, key_bits=128, key_ways=key_ways))

    async def testbench(ctx):
        ctx.set(bench.dut.self_test_busy, 1)
        quiet = 0
        while not ctx.get(bench.dut.self_test_keys):
            quiet = 0 if ctx.get(bench.dut.round_key.valid) else quiet + 1
            await ctx.tick()
        assert quiet >= ROUND_KEY_SETTLE_CYCLES - 1

    bench.run(testbench)


def test_closed_key_control_takes_no_key_and_erases_all_the_same(bench):
    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.install(ctx, 1)
        await bench.write_keys(ctx, bytes(16), bytes([1]) * 16)
        ctx.set(bench.dut.closed, 1)
        assert not await bench.write_word(ctx, 0, 0, 1)
        bench.round_keys.clear()
        assert await bench.command(ctx, INSTALL, 2) == Result.CLOSED
        assert not bench.round_keys
        assert bench.active(ctx) == 0b10
        assert await bench.command(ctx, INSTALL, ASID_COUNT) == Result.SLOT_RANGE
        assert await bench.command(ctx, ZEROIZE, 1) == Result.OK
        bench.assert_erased(1)
        ctx.set(bench.dut.closed, 0)
        assert await bench.command(ctx, INSTALL, 2) == Result.KEY_INCOMPLETE  # what was staged is gone

    bench.run(testbench)


@pytest.mark.parametrize(("asid_count", "key_ways"), [(5, None), (5, 2)])
def test_after_a_reset_no_slot_is_active(asid_count, key_ways):
    """Whatever memories remember that a reset does not reach."""
    bench = KeyBench(KeyControl(asid_count=asid_count, key_bits=128, key_ways=key_ways))

    async def testbench(ctx):
        await bench.idle(ctx)
        for slot in range(asid_count):
            await bench.install(ctx, slot)
        assert bench.active(ctx) == 2 ** asid_count - 1
        ctx.set(bench.reset, 1)
        await ctx.tick()
        ctx.set(bench.reset, 0)
        while ctx.get(bench.dut.busy):
            assert bench.bits(ctx) == (0, 0)
            await ctx.tick()
        assert bench.bits(ctx) == (0, 0)
        for slot in range(asid_count):
            assert await bench.state(ctx, slot) == SlotState.EMPTY
            await bench.install(ctx, slot, seed=9)

    bench.run(testbench)


@pytest.mark.parametrize("key_bits", [128, 256])
def test_install_writes_the_round_keys_of_both_keys(key_bits):
    bench = KeyBench(KeyControl(asid_count=ASID_COUNT, key_bits=key_bits))

    async def testbench(ctx):
        await bench.idle(ctx)
        for slot in (0, ASID_COUNT - 1):
            keys = await bench.install(ctx, slot, seed=slot)
            assert bench.written(slot) == [expand_key(key) for key in keys]
            assert await bench.state(ctx, slot) == SlotState.ACTIVE
        assert bench.bits(ctx) == (0b10001, 0b10001)

    bench.run(testbench)


def test_slot_is_active_only_once_every_round_key_is_written(bench):
    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.write_keys(ctx, bytes(16), bytes([1]) * 16)
        bench.round_keys.clear()
        await bench.start(ctx, INSTALL, 3)
        states = set()
        while not bench.active(ctx):
            assert ctx.get(bench.dut.serving) == 0
            states.add(await bench.state(ctx, 3))
        assert SlotState.LOADING in states
        assert len(bench.round_keys) == 22

    bench.run(testbench)


@pytest.mark.parametrize("op", [RETIRE, ZEROIZE])
def test_slot_is_empty_only_once_zeros_have_come_into_use(bench, op):
    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.write_keys(ctx, bytes(16), bytes([1]) * 16)
        await bench.command(ctx, INSTALL, 3)
        await bench.start(ctx, op, 3)
        quiet = 0
        while ctx.get(bench.dut.busy):
            quiet = 0 if ctx.get(bench.dut.round_key.valid) else quiet + 1
            await ctx.tick()
        bench.assert_erased(3)
        assert quiet >= ROUND_KEY_SETTLE_CYCLES - 1

    bench.run(testbench)


def test_install_needs_every_word(bench):
    async def testbench(ctx):
        await bench.idle(ctx)
        words = [(tweak_key, index) for tweak_key in (0, 1) for index in range(4)]
        for missing in words:
            for number, (tweak_key, index) in enumerate(words):
                if (tweak_key, index) != missing:
                    await bench.write_word(ctx, tweak_key, index, number)
            assert await bench.command(ctx, INSTALL, 1) == Result.KEY_INCOMPLETE
            assert await bench.write_word(ctx, *missing, 1)
            assert await bench.command(ctx, INSTALL, 1) == Result.KEY_INCOMPLETE
        assert bench.bits(ctx) == (0, 0)
        bench.assert_erased(1)

    bench.run(testbench)


@pytest.mark.parametrize("key_bits", [128, 256])
def test_equal_keys_are_refused(key_bits):
    bench = KeyBench(KeyControl(asid_count=ASID_COUNT, key_bits=key_bits))
    key = random.Random(6).randbytes(key_bits // 8)

    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.write_keys(ctx, key, key)
        assert await bench.command(ctx, INSTALL, 1) == Result.KEYS_EQUAL
        bench.assert_erased(1)
        assert await bench.command(ctx, INSTALL, 1) == Result.KEY_INCOMPLETE
        for bit in (0, key_bits - 1):
            almost = (int.from_bytes(key, "little") ^ 1 << bit).to_bytes(key_bits // 8, "little")
            await bench.write_keys(ctx, key, almost)
            assert await bench.command(ctx, INSTALL, 1) == Result.OK
            assert await bench.command(ctx, ZEROIZE, 1) == Result.OK

    bench.run(testbench)


@pytest.mark.parametrize(("op", "slot"), [(INSTALL, 1), (INSTALL, 3), (INSTALL, ASID_COUNT), (ZEROIZE, 0),
                                          (ZEROIZE, 3), (ZEROIZE, 1023)])
def test_staged_keys_are_erased(bench, op, slot):
    """Slot 3 is active: installs of it, and of a slot there is not, are refused."""
    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.install(ctx, 3)
        await bench.write_keys(ctx, bytes(16), bytes([1]) * 16)
        await bench.command(ctx, op, slot)
        assert await bench.command(ctx, INSTALL, 2) == Result.KEY_INCOMPLETE

    bench.run(testbench)


def test_retire_keeps_staged_keys(bench):
    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.install(ctx, 3)
        await bench.write_keys(ctx, bytes(16), bytes([1]) * 16)
        assert await bench.command(ctx, RETIRE, 3) == Result.OK
        assert await bench.command(ctx, INSTALL, 3) == Result.OK

    bench.run(testbench)


def test_words_past_the_end_of_a_short_key_have_no_effect(bench):
    async def testbench(ctx):
        await bench.idle(ctx)
        for tweak_key in (0, 1):
            for index in (0, 1, 2, 4, 5, 6, 7):
                await bench.write_word(ctx, tweak_key, index, index)
        assert await bench.command(ctx, INSTALL, 1) == Result.KEY_INCOMPLETE

    bench.run(testbench)


@pytest.mark.parametrize(("sizes", "text"), [
    ({"asid_count": 1, "key_bits": 128}, "ASID count must be from 2 to 1024, not 1"),
    ({"asid_count": 1025, "key_bits": 128}, "ASID count must be from 2 to 1024, not 1025"),
    ({"asid_count": 16, "key_bits": 192}, "Key bits must be 128 or 256, not 192"),
    ({"asid_count": 16, "key_bits": 128, "key_ways": 1}, "Key ways must be from 2 to 16, not 1"),
    ({"asid_count": 16, "key_bits": 128, "key_ways": 17}, "Key ways must be from 2 to 16, not 17")])
def test_sizes_outside_their_range_are_refused(sizes, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        KeyControl(**sizes)


def test_retire_drains_and_then_erases(bench):
    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.install(ctx, 2)
        keys = bench.written(2)
        await bench.start(ctx, RETIRE, 2)
        await ctx.tick().repeat(CHECK_CYCLES)
        assert bench.bits(ctx) == (0, 0b100)
        assert ctx.get(bench.dut.drain_slot) == 2
        await ctx.tick().repeat(DRAIN_SETTLE_CYCLES - 1)
        ctx.set(bench.dut.drain_busy, 1)
        await ctx.tick().repeat(50)
        assert await bench.state(ctx, 2) == SlotState.RETIRING
        assert bench.written(2) == keys
        assert bench.bits(ctx) == (0, 0b100)
        ctx.set(bench.dut.drain_busy, 0)
        await bench.idle(ctx)
        bench.assert_erased(2)
        assert bench.bits(ctx) == (0, 0)
        assert await bench.state(ctx, 2) == SlotState.EMPTY
        assert ctx.get(bench.dut.result) == Result.OK

    bench.run(testbench)


@pytest.mark.parametrize(("op", "after_erase"), [(RETIRE, False), (ZEROIZE, True)])
def test_drained_is_what_is_seen_no_more_for_eight_cycles_in_a_row(bench, op, after_erase):
    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.install(ctx, 2)
        await bench.start(ctx, op, 2)
        if after_erase:
            await ctx.tick().repeat(CHECK_CYCLES + 22)
        for _ in range(5):
            ctx.set(bench.dut.drain_busy, 1)
            await ctx.tick()
            ctx.set(bench.dut.drain_busy, 0)
            await ctx.tick().repeat(DRAIN_SETTLE_CYCLES - 1)
        assert await bench.state(ctx, 2) == (SlotState.ZEROIZING if after_erase else SlotState.RETIRING)
        await bench.idle(ctx)
        assert await bench.state(ctx, 2) == SlotState.EMPTY

    bench.run(testbench)


def test_zeroize_erases_at_once_and_then_drains(bench):
    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.install(ctx, 2)
        ctx.set(bench.dut.drain_busy, 1)
        await bench.start(ctx, ZEROIZE, 2)
        await ctx.tick().repeat(CHECK_CYCLES)
        assert bench.bits(ctx) == (0, 0)
        await ctx.tick().repeat(22)
        bench.assert_erased(2)
        await ctx.tick().repeat(50)
        assert await bench.state(ctx, 2) == SlotState.ZEROIZING
        ctx.set(bench.dut.drain_busy, 0)
        await bench.idle(ctx)
        assert await bench.state(ctx, 2) == SlotState.EMPTY
        await bench.install(ctx, 2, seed=9)

    bench.run(testbench)


def test_zeroize_overtakes_the_retire_of_its_slot_only(bench):
    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.install(ctx, 1)
        await bench.install(ctx, 2)
        ctx.set(bench.dut.drain_busy, 1)
        await bench.start(ctx, RETIRE, 2)
        await ctx.tick().repeat(10)
        for op, slot in ((ZEROIZE, 1), (RETIRE, 2), (INSTALL, 2)):
            await bench.start(ctx, op, slot)
            assert ctx.get(bench.dut.result) == Result.BUSY
            assert bench.bits(ctx) == (0b010, 0b110)
        await bench.start(ctx, ZEROIZE, 2)
        await ctx.tick().repeat(2)
        assert bench.bits(ctx) == (0b010, 0b010)
        await ctx.tick().repeat(22)
        bench.assert_erased(2)
        ctx.set(bench.dut.drain_busy, 0)
        await bench.idle(ctx)
        assert ctx.get(bench.dut.result) == Result.OK
        assert bench.bits(ctx) == (0b010, 0b010)

    bench.run(testbench)


@pytest.mark.parametrize("slot", [0, 3, 1023])
def test_zeroize_all_erases_every_slot_at_once_and_then_drains_each(bench, slot):
    drained = []

    async def testbench(ctx):
        await bench.idle(ctx)
        for installed in range(ASID_COUNT):
            await bench.install(ctx, installed, seed=installed)
        await bench.write_keys(ctx, bytes(16), bytes([1]) * 16)
        ctx.set(bench.dut.way_busy, 1)
        await bench.start(ctx, ZEROIZE_ALL, slot)
        await ctx.tick().repeat(CHECK_CYCLES)
        assert bench.bits(ctx) == (0, 0)
        await ctx.tick().repeat(22 * ASID_COUNT)
        for erased in range(ASID_COUNT):
            bench.assert_erased(erased)
            assert await bench.state(ctx, erased) == SlotState.ZEROIZING
        assert not await bench.write_word(ctx, 0, 0, 1)
        for op in (INSTALL, RETIRE, ZEROIZE, ZEROIZE_ALL):
            await bench.start(ctx, op, 1)
            assert ctx.get(bench.dut.result) == Result.BUSY
        await ctx.tick().repeat(50)
        while ctx.get(bench.dut.busy):  # each slot but 4 is waited for until its accesses are seen no more
            drained.append(ctx.get(bench.dut.drain_slot))
            ctx.set(bench.dut.way_busy, drained.count(drained[-1]) < 30 and drained[-1] != 4)
            await ctx.tick()
        for empty in range(ASID_COUNT):
            assert await bench.state(ctx, empty) == SlotState.EMPTY
        assert await bench.command(ctx, INSTALL, 2) == Result.KEY_INCOMPLETE
        await bench.install(ctx, 2, seed=9)
        assert bench.bits(ctx) == (0b100, 0b100)

    bench.run(testbench)
    waited = [drained.count(slot) for slot in range(ASID_COUNT)]
    assert min(waited[:4]) >= 30 + DRAIN_SETTLE_CYCLES
    assert waited[4] == DRAIN_SETTLE_CYCLES + 2


@pytest.mark.parametrize("op", [RETIRE, ZEROIZE])
def test_zeroize_all_overtakes_what_waits_for_accesses(bench, op):
    async def testbench(ctx):
        await bench.idle(ctx)
        for slot in (1, 2):
            await bench.install(ctx, slot)
        ctx.set(bench.dut.drain_busy, 1)
        await bench.start(ctx, op, 2)
        await ctx.tick().repeat(40)
        await bench.start(ctx, ZEROIZE_ALL, 0)
        await ctx.tick().repeat(2)
        assert bench.bits(ctx) == (0, 0)
        await ctx.tick().repeat(22 * ASID_COUNT)
        for slot in (1, 2):
            bench.assert_erased(slot)
        ctx.set(bench.dut.drain_busy, 0)
        await bench.idle(ctx)
        assert ctx.get(bench.dut.result) == Result.OK
        for slot in range(ASID_COUNT):
            assert await bench.state(ctx, slot) == SlotState.EMPTY
            await bench.install(ctx, slot, seed=9)

    bench.run(testbench)


def test_zeroize_all_is_not_refused_by_closed_key_control(bench):
    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.install(ctx, 1)
        ctx.set(bench.dut.closed, 1)
        assert await bench.command(ctx, ZEROIZE_ALL, 0) == Result.OK
        bench.assert_erased(1)

    bench.run(testbench)


@pytest.mark.parametrize(("key_bits", "cycles"), [(128, 22), (256, 30)])
def test_zeroize_all_takes_the_cycles_that_are_told(key_bits, cycles):
    bench = KeyBench(KeyControl(asid_count=ASID_COUNT, key_bits=key_bits))

    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.install(ctx, 1)
        await bench.start(ctx, ZEROIZE_ALL, 0)
        assert await bench.idle(ctx) == 4 + ASID_COUNT * (cycles + DRAIN_SETTLE_CYCLES + 2)

    bench.run(testbench)


def test_refused_commands_change_nothing(bench):
    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.install(ctx, 1)
        before = dict(bench.round_keys)
        for op in (0, 5, 6, 7):
            assert await bench.command(ctx, op, 1) == Result.OPERATION
        for op in (INSTALL, RETIRE, ZEROIZE):
            for slot in (ASID_COUNT, 8 + 1, 1023):
                assert await bench.command(ctx, op, slot) == Result.SLOT_RANGE
        assert await bench.command(ctx, INSTALL, 1) == Result.SLOT_STATE
        assert await bench.command(ctx, RETIRE, 2) == Result.SLOT_STATE
        assert await bench.command(ctx, ZEROIZE, 2) == Result.OK
        assert bench.round_keys == before
        assert bench.bits(ctx) == (0b10, 0b10)
        assert await bench.state(ctx, ASID_COUNT) == SlotState.EMPTY

    bench.run(testbench)


def test_commands_and_words_during_an_install_leave_it_alone(bench):
    async def testbench(ctx):
        await bench.idle(ctx)
        keys = random.Random(7).randbytes(16), random.Random(8).randbytes(16)
        for op in Operation:
            for delay in (0, 1, 2, 3, 10, 20):
                await bench.write_keys(ctx, *keys)
                await bench.start(ctx, INSTALL, 4)
                for _ in range(delay):
                    assert not await bench.write_word(ctx, 0, 0, 5)
                await bench.start(ctx, op, 4)
                await bench.idle(ctx)
                assert ctx.get(bench.dut.result) == Result.BUSY
                assert bench.written(4) == [expand_key(key) for key in keys]
                assert await bench.command(ctx, ZEROIZE, 4) == Result.OK

    bench.run(testbench)


@pytest.mark.parametrize(("key_bits", "install", "retire", "zeroize", "refused_install"), [
    (128, 113, 56, 46, 13), (256, 149, 64, 54, 21)])
def test_commands_take_the_cycles_that_are_told(key_bits, install, retire, zeroize, refused_install):
    bench = KeyBench(KeyControl(asid_count=ASID_COUNT, key_bits=key_bits))
    keys = bytes(key_bits // 8), bytes([1]) * (key_bits // 8)

    async def testbench(ctx):
        await bench.idle(ctx)
        for op, cycles in ((RETIRE, retire), (ZEROIZE, zeroize)):
            await bench.write_keys(ctx, *keys)
            for command, expected in ((INSTALL, install), (op, cycles), (RETIRE, 4), (INSTALL, refused_install),
                                      (ZEROIZE, refused_install)):
                await bench.start(ctx, command, 1)
                assert await bench.idle(ctx) == expected, command

    bench.run(testbench)


@pytest.mark.parametrize(("register", "field", "enumeration"), [
    ("COMMAND", "OP", Operation), ("COMMAND_STATUS", "RESULT", Result), ("SLOT_STATE", "STATE", SlotState)])
def test_register_map_has_the_same_numbers(register, field, enumeration):
    (found,) = (each for entry in register_map.registers("psp") if entry.name == register
                for each in entry.fields if each.name == field)
    assert found.values == {member.name: member.value for member in enumeration}
