# amaranth: UnusedElaboratable=no
"""Round keys that are made and written word by word: the same keys, their inverses, and the same life."""

import pytest

from cbit.aes.known_answer import known_answer
from cbit.keys.control import KeyControl
from cbit.keys.types import ROUND_KEY_SETTLE_CYCLES, Operation, Result, SlotState
from cbit_sim.aes_keys import expand_key, prepared_words
from cbit_sim.key_bench import KeyBench

ASID_COUNT = 3
INSTALL, RETIRE, ZEROIZE, ZEROIZE_ALL = Operation
ERASE_CYCLES = {128: 33, 256: 45}
LOAD_CYCLES = {128: 352, 256: 480}


def by_word(key_bits=128, asid_count=ASID_COUNT, *, narrow=False):
    return KeyBench(KeyControl(asid_count=asid_count, key_bits=key_bits, by_word=True, narrow=narrow))


def inverse_keys(key):
    """What each step of decryption adds."""
    words = [word for inverse, _, _, word in prepared_words(key, decrypts=True) if inverse]
    return [b"".join(word.to_bytes(4, "little") for word in words[at:at + 4]) for at in range(0, len(words), 4)]


@pytest.mark.parametrize("key_bits", [128, 256])
def test_reset_erases_every_slot_first(key_bits):
    bench = by_word(key_bits)

    async def testbench(ctx):
        cycles = await bench.idle(ctx)
        assert cycles == ASID_COUNT * ERASE_CYCLES[key_bits] + 1 + ROUND_KEY_SETTLE_CYCLES
        for slot in range(ASID_COUNT):
            bench.assert_erased(slot)
            assert len([owner for owner, _ in bench.inverse_keys if owner == slot]) == bench.rounds + 1
        assert bench.bits(ctx) == (0, 0)

    bench.run(testbench)


@pytest.mark.parametrize("key_bits", [128, 256])
def test_installed_keys_are_expanded_for_both_directions(key_bits):
    bench = by_word(key_bits)

    async def testbench(ctx):
        await bench.idle(ctx)
        for slot in (2, 0):
            key, tweak_key = await bench.install(ctx, slot, seed=slot)
            assert bench.written(slot) == [expand_key(key), expand_key(tweak_key)]
            assert [bench.inverse_keys[slot, step] for step in range(bench.rounds + 1)] == inverse_keys(key)
        assert bench.bits(ctx) == (0b101, 0b101)

    bench.run(testbench)


@pytest.mark.parametrize("key_bits", [128, 256])
def test_self_test_has_its_keys_and_leaves_none(key_bits):
    bench = by_word(key_bits)
    known = known_answer(key_bits)

    async def testbench(ctx):
        ctx.set(bench.dut.self_test_busy, 1)
        while not ctx.get(bench.dut.self_test_keys):
            await ctx.tick()
            assert bench.bits(ctx) == (0, 0)
        assert bench.written(0) == [expand_key(known.key), expand_key(known.tweak_key)]
        ctx.set(bench.dut.self_test_busy, 0)
        assert await bench.idle(ctx) == ERASE_CYCLES[key_bits] + ROUND_KEY_SETTLE_CYCLES + 2
        bench.assert_erased(0)
        await bench.install(ctx, 0)

    bench.run(testbench)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("operation", [RETIRE, ZEROIZE, ZEROIZE_ALL])
def test_a_slot_that_ends_is_erased_and_may_begin_again(operation, narrow):
    bench = by_word(narrow=narrow)

    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.install(ctx, 1)
        await bench.start(ctx, operation, 1)
        await bench.idle(ctx)
        assert Result(ctx.get(bench.dut.result)) == Result.OK
        bench.assert_erased(1)
        assert bench.bits(ctx) == (0, 0)
        assert await bench.state(ctx, 1) == SlotState.EMPTY
        key, tweak_key = await bench.install(ctx, 1, seed=2)
        assert bench.written(1) == [expand_key(key), expand_key(tweak_key)]

    bench.run(testbench)


@pytest.mark.parametrize("key_bits", [128, 256])
def test_a_load_takes_the_cycles_that_it_states_and_leaves_no_key(key_bits):
    bench = by_word(key_bits)

    async def testbench(ctx):
        await bench.idle(ctx)
        keys = bytes(range(key_bits // 8)), bytes(range(1, key_bits // 8 + 1))
        await bench.write_keys(ctx, *keys)
        await bench.start(ctx, INSTALL, 1)
        cycles = await bench.idle(ctx)
        assert ctx.get(bench.dut.round_key.data) == 0
        assert abs(cycles - LOAD_CYCLES[key_bits] - ROUND_KEY_SETTLE_CYCLES) <= 12

    bench.run(testbench)


def test_fewer_ways_than_slots_are_refused():
    with pytest.raises(ValueError, match=r"^Key ways must be 4 if round keys are written by word, not 2$"):
        KeyControl(asid_count=4, key_bits=128, key_ways=2, by_word=True)
