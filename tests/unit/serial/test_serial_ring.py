# amaranth: UnusedElaboratable=no
"""The ring of two rounds: the ciphers of FIPS 197 in any mixture, at its pace, and faults of stored keys."""

import random

import pytest
from Crypto.Cipher import AES

from cbit.serial.ring import ENTRY_CYCLES, AesRing, ring_cycles
from cbit_sim.aes_keys import prepared_words
from cbit_sim.streams import simulate

SLOTS = 3
BLOCK_CYCLES = {128: 6, 256: 8}


def keys_of(rng, key_bits):
    return [[rng.randbytes(key_bits // 8) for _ in range(2)] for _ in range(SLOTS)]


async def write_words(ctx, port, keys):
    """Writes all round keys of all slots."""
    for slot, pair in enumerate(keys):
        for tweak_key, key in enumerate(pair):
            for inverse, step, column, word in prepared_words(key, decrypts=not tweak_key):
                for name, value in (("columns", 1 << column), ("slot", slot), ("tweak_key", tweak_key),
                                    ("inverse", inverse), ("step", step), ("data", word)):
                    ctx.set(getattr(port, name), value)
                await ctx.tick()
    ctx.set(port.columns, 0)


def expected(keys, block, slot, tweak_key, decrypt):
    cipher = AES.new(keys[slot][tweak_key], AES.MODE_ECB)
    return cipher.decrypt(block) if decrypt else cipher.encrypt(block)


def run(dut, keys, work, *, gaps=None):
    """Cycles of order, cycles of leaving, blocks that left and whether they met a fault."""
    ordered, left, started = [], [], []

    async def give(ctx):
        await write_words(ctx, dut.round_key, keys)
        coming = []
        cycle = 0
        todo = list(work)
        started.append(True)
        while todo or coming:
            offers = bool(todo) and (gaps is None or gaps.random() < 0.4)
            if offers:
                _, slot, tweak_key, decrypt = todo[0]
                ctx.set(dut.order, {"slot": slot, "tweak_key": tweak_key, "decrypt": decrypt})
            ctx.set(dut.valid, offers)
            due = [block for when, block in coming if when == cycle]
            coming = [(when, block) for when, block in coming if when > cycle]
            ctx.set(dut.block, int.from_bytes(due[0], "little") if due else 0xBAD)
            taken = offers and ctx.get(dut.ready)
            await ctx.tick()
            if taken:
                ordered.append(cycle)
                coming.append((cycle + ENTRY_CYCLES, todo.pop(0)[0]))
            cycle += 1
        ctx.set(dut.valid, 0)

    async def take(ctx):
        while not started:
            await ctx.tick()
        cycle, soon = 0, []
        while len(left) < len(work):
            watched = dut.leaves, dut.leaves_soon, dut.result, dut.fault
            leaves, leaves_soon, block, fault = map(ctx.get, watched)
            assert not left or left[-1][0] != cycle - 1 or not fault
            soon.append(leaves_soon)
            assert leaves == (cycle >= 2 and soon[cycle - 2])
            if leaves:
                left.append((cycle, block.to_bytes(16, "little")))
            await ctx.tick()
            cycle += 1

    simulate(dut, give, take)
    return ordered, left


@pytest.mark.parametrize(("key_bits", "gaps"), [
    (128, False), (128, True), *(pytest.param(256, gaps, marks=pytest.mark.slow) for gaps in (False, True))])
def test_agrees_with_the_reference(key_bits, gaps):
    seed = 31 + key_bits
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = AesRing(key_bits=key_bits, slots=SLOTS)
    keys = keys_of(rng, key_bits)
    work = []
    for _ in range(40):
        tweak_key = int(rng.random() < 0.3)
        work.append((rng.randbytes(16), rng.randrange(SLOTS), tweak_key, 0 if tweak_key else rng.randrange(2)))
    ordered, left = run(dut, keys, work, gaps=rng if gaps else None)
    assert [block for _, block in left] == [expected(keys, *item) for item in work]
    assert {out - into for into, (out, _) in zip(ordered, left, strict=True)} == {ring_cycles(key_bits)}
    assert ring_cycles(key_bits) == {128: 22, 256: 30}[key_bits]
    if not gaps:
        assert ordered[-1] - ordered[0] <= BLOCK_CYCLES[key_bits] * len(work)


def test_a_flipped_bit_of_a_stored_key_is_told_of_those_who_meet_it():
    rng = random.Random(5)
    dut = AesRing(key_bits=128, slots=2)
    keys = keys_of(rng, 128)[:2]
    found = []

    async def testbench(ctx):
        await write_words(ctx, dut.round_key, keys)
        memories = [keys_part.memories[column] for keys_part in dut.keys for column in (0, 3)]
        for memory in memories:
            # What encrypts under K1 of slot 1, in the second pass.
            place = 1 | 1 << 3
            ctx.set(memory.data[place], ctx.get(memory.data[place]) ^ 1 << 7)
            for slot, tweak_key, decrypt in ((1, 0, 0), (0, 0, 0), (1, 1, 0), (1, 0, 1)):
                ctx.set(dut.order, {"slot": slot, "tweak_key": tweak_key, "decrypt": decrypt})
                ctx.set(dut.valid, 1)
                await ctx.tick()
                ctx.set(dut.valid, 0)
                await ctx.tick().until(dut.leaves)
                found.append(ctx.get(dut.fault))
            ctx.set(memory.data[place], ctx.get(memory.data[place]) ^ 1 << 7)

    simulate(dut, testbench)
    assert found == [1, 0, 0, 0] * 4
