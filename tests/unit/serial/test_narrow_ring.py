# amaranth: UnusedElaboratable=no
"""The ring by columns: the ciphers of FIPS 197, at its pace, and faults of stored keys."""

import random

import pytest
from Crypto.Cipher import AES

from cbit.serial.narrow_ring import COLUMNS, NarrowRing, narrow_ring_cycles
from cbit_sim.aes_keys import prepared_words
from cbit_sim.streams import simulate

SLOTS = 3


def keys_of(rng, key_bits):
    return [[rng.randbytes(key_bits // 8) for _ in range(2)] for _ in range(SLOTS)]


async def write_words(ctx, port, keys):
    """Writes all round keys of all slots."""
    for slot, pair in enumerate(keys):
        for tweak_key, key in enumerate(pair):
            for _, step, column, word in prepared_words(key, decrypts=False):
                for name, value in (("columns", 1 << column), ("slot", slot), ("tweak_key", tweak_key),
                                    ("step", step), ("data", word)):
                    ctx.set(getattr(port, name), value)
                await ctx.tick()
    ctx.set(port.columns, 0)


async def through(ctx, dut, block, order):
    """What comes of a block, in how many cycles, and whether a key was faulty."""
    ctx.set(dut.order, order)
    for column in range(COLUMNS):
        ctx.set(dut.gives, 1)
        ctx.set(dut.column, column)
        await ctx.tick()
        ctx.set(dut.gives, 0)
        ctx.set(dut.block, int.from_bytes(block[4 * column:4 * column + 4], "little"))
    cycles = 1
    while ctx.get(dut.busy):
        await ctx.tick()
        ctx.set(dut.block, 0xBAD)
        cycles += 1
    fault, result = ctx.get(dut.fault), b""
    for column in range(COLUMNS):
        ctx.set(dut.column, column)
        await ctx.tick()
        result += ctx.get(dut.result).to_bytes(4, "little")
    return result, cycles, fault


@pytest.mark.parametrize("key_bits", [128, 256])
def test_agrees_with_the_reference(key_bits):
    seed = 71 + key_bits
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = NarrowRing(key_bits=key_bits, slots=SLOTS)
    keys = keys_of(rng, key_bits)

    async def testbench(ctx):
        await write_words(ctx, dut.round_key, keys)
        for _ in range(12):
            slot, tweak_key, decrypt = rng.randrange(SLOTS), rng.randrange(2), rng.randrange(2)
            block = rng.randbytes(16)
            cipher = AES.new(keys[slot][tweak_key], AES.MODE_ECB)
            expected = cipher.decrypt(block) if decrypt else cipher.encrypt(block)
            order = {"slot": slot, "tweak_key": tweak_key, "decrypt": decrypt}
            assert await through(ctx, dut, block, order) == (expected, narrow_ring_cycles(key_bits), 0)

    simulate(dut, testbench)


def test_a_flipped_bit_of_a_stored_key_is_told_of_those_who_meet_it():
    rng = random.Random(6)
    dut = NarrowRing(key_bits=128, slots=2)
    keys = keys_of(rng, 128)[:2]
    found = []

    async def testbench(ctx):
        await write_words(ctx, dut.round_key, keys)
        memory = dut.keys.memory
        # A column of K1 of slot 1: of the first step, one between, and the last.
        for step, column in ((0, 0), (4, 3), (10, 2)):
            place = 1 << 7 | step << 2 | column
            ctx.set(memory.data[place], ctx.get(memory.data[place]) ^ 1 << 7)
            for slot, tweak_key, decrypt in ((1, 0, 0), (0, 0, 0), (1, 1, 0), (1, 0, 1)):
                order = {"slot": slot, "tweak_key": tweak_key, "decrypt": decrypt}
                found.append((await through(ctx, dut, bytes(16), order))[2])
            ctx.set(memory.data[place], ctx.get(memory.data[place]) ^ 1 << 7)

    simulate(dut, testbench)
    assert found == [1, 0, 0, 1] * 3
