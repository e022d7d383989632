# amaranth: UnusedElaboratable=no
"""Round keys of encryption alone, with the words of keys in block RAM: the same keys, and the same life."""

import pytest

from cbit.aes.known_answer import known_answer
from cbit.keys.control import KeyControl
from cbit.keys.types import ROUND_KEY_SETTLE_CYCLES, Operation, Result
from cbit_sim.aes_keys import expand_key
from cbit_sim.key_bench import KeyBench

ASID_COUNT = 3
INSTALL = Operation.INSTALL
ERASE_CYCLES = {128: 88, 256: 120}
LOAD_CYCLES = {128: 176, 256: 240}


def narrow(key_bits=128):
    return KeyBench(KeyControl(asid_count=ASID_COUNT, key_bits=key_bits, by_word=True, narrow=True))


def memories(ctx, bench):
    """All words of keys, where they come and where they are expanded."""
    return [ctx.get(memory.data[place]) for memory in (bench.dut.staging.words, bench.dut.narrow_keys.window.memory)
            for place in range(memory.depth)]


async def write_keys(ctx, bench, *keys):
    """Stages K1 and K2, as slowly as a bus does."""
    for tweak_key, key in enumerate(keys):
        for index in range(bench.key_bytes // 4):
            data = int.from_bytes(key[4 * index:4 * index + 4], "little")
            assert await bench.write_word(ctx, tweak_key, index, data)
            await ctx.tick()


@pytest.mark.parametrize("key_bits", [128, 256])
def test_reset_erases_every_slot_first(key_bits):
    bench = narrow(key_bits)

    async def testbench(ctx):
        cycles = await bench.idle(ctx)
        assert cycles == ASID_COUNT * ERASE_CYCLES[key_bits] + ROUND_KEY_SETTLE_CYCLES
        for slot in range(ASID_COUNT):
            bench.assert_erased(slot)
        assert not bench.inverse_keys
        assert bench.bits(ctx) == (0, 0)

    bench.run(testbench)


@pytest.mark.parametrize("key_bits", [128, 256])
def test_self_test_has_its_keys_and_leaves_none(key_bits):
    bench = narrow(key_bits)
    known = known_answer(key_bits)

    async def testbench(ctx):
        ctx.set(bench.dut.self_test_busy, 1)
        while not ctx.get(bench.dut.self_test_keys):
            await ctx.tick()
            assert bench.bits(ctx) == (0, 0)
        assert bench.written(0) == [expand_key(known.key), expand_key(known.tweak_key)]
        ctx.set(bench.dut.self_test_busy, 0)
        await bench.idle(ctx)
        bench.assert_erased(0)
        await bench.install(ctx, 0)

    bench.run(testbench)


@pytest.mark.parametrize("key_bits", [128, 256])
def test_a_load_takes_the_cycles_that_it_states_and_leaves_no_key(key_bits):
    bench = narrow(key_bits)

    async def testbench(ctx):
        await bench.idle(ctx)
        keys = bytes(range(1, key_bits // 8 + 1)), bytes(range(2, key_bits // 8 + 2))
        await write_keys(ctx, bench, *keys)
        assert any(memories(ctx, bench))
        await bench.start(ctx, INSTALL, 1)
        cycles = await bench.idle(ctx)
        assert Result(ctx.get(bench.dut.result)) == Result.OK
        assert bench.written(1) == [expand_key(key) for key in keys]
        assert ctx.get(bench.dut.round_key.data) == 0
        assert not any(memories(ctx, bench))
        assert abs(cycles - LOAD_CYCLES[key_bits] - ROUND_KEY_SETTLE_CYCLES) <= 24

    bench.run(testbench)


def test_equal_keys_are_refused_and_erased():
    bench = narrow()

    async def testbench(ctx):
        await bench.idle(ctx)
        key = bytes(range(16))
        await write_keys(ctx, bench, key, key)
        assert await bench.command(ctx, INSTALL, 2) == Result.KEYS_EQUAL
        assert not any(memories(ctx, bench))

    bench.run(testbench)
