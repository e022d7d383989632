"""SHA-256 of the buffer is what hashlib and NIST's examples say, block by block and in every place."""

import hashlib
import random
import re

import pytest
from cryptography_vectors import open_vector_file

from cbit.psp.sha256 import CONSTANTS, Sha256
from cbit_sim.streams import simulate
from cbit_sim.unit_bench import UnitBench

INITIAL = bytes.fromhex("6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19")
"""FIPS 180-4, 5.3.3."""

LOAD_CYCLES = 8
BLOCK_CYCLES = 74
SEED = 21

EXAMPLES = [
    (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
    (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
]
"""FIPS 180-4's examples, and the empty message of NIST's SHAVS."""


def padded(message):
    """FIPS 180-4, 5.1.1."""
    zeros = -(len(message) + 9) % 64
    return message + b"\x80" + bytes(zeros) + (8 * len(message)).to_bytes(8, "big")


async def run(ctx, bench, offset, blocks):
    assert await bench.write(ctx, "SHA_START", offset=offset, blocks=blocks)
    return await bench.finish(ctx, "SHA_STATUS", LOAD_CYCLES + (BLOCK_CYCLES + 20) * blocks)


async def hashed(ctx, bench, message, offset=0):
    blocks = padded(message)
    await bench.load(ctx, offset, blocks)
    await bench.write_words(ctx, "SHA_STATE", INITIAL, "big")
    await run(ctx, bench, offset, len(blocks) // 64)
    return bench.words(ctx, "SHA_STATE", "big")


def test_constants_are_those_of_the_standard():
    assert [CONSTANTS[0], CONSTANTS[1], CONSTANTS[63]] == [0x428A2F98, 0x71374491, 0xC67178F2]


@pytest.mark.parametrize(("message", "digest"), EXAMPLES)
def test_examples(message, digest):
    bench = UnitBench(Sha256())

    async def testbench(ctx):
        assert (await hashed(ctx, bench, message)).hex() == digest

    simulate(bench, testbench)


def test_messages_of_every_kind_of_length():
    bench, rng = UnitBench(Sha256()), random.Random(SEED)
    lengths = [1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 500]

    async def testbench(ctx):
        for length in lengths:
            message, offset = rng.randbytes(length), 4 * rng.randrange(1800)
            assert await hashed(ctx, bench, message, offset) == hashlib.sha256(message).digest(), length

    simulate(bench, testbench)


@pytest.mark.parametrize(("name", "count"), [
    pytest.param("SHA256ShortMsg.rsp", 65), pytest.param("SHA256LongMsg.rsp", 64, marks=pytest.mark.slow)])
def test_cavp(name, count):
    with open_vector_file(f"hashes/SHA2/{name}", "r") as lines:
        text = lines.read().replace("\r", "")
    cases = re.findall(r"Len = (\d+)\nMsg = (\w+)\nMD = (\w+)", text)
    assert len(cases) == count
    bench = UnitBench(Sha256())

    async def testbench(ctx):
        for bits, message, digest in cases:
            assert (await hashed(ctx, bench, bytes.fromhex(message)[:int(bits) // 8])).hex() == digest, bits

    simulate(bench, testbench)


def test_state_goes_on_from_run_to_run():
    bench, message = UnitBench(Sha256()), random.Random(SEED).randbytes(300)
    blocks = padded(message)

    async def testbench(ctx):
        await bench.load(ctx, 8192 - len(blocks), blocks)
        await bench.write_words(ctx, "SHA_STATE", INITIAL, "big")
        await run(ctx, bench, 8192 - len(blocks), 1)
        kept = bench.words(ctx, "SHA_STATE", "big")
        await run(ctx, bench, 0, 2)
        await bench.write_words(ctx, "SHA_STATE", kept, "big")
        await run(ctx, bench, 8192 - len(blocks) + 64, len(blocks) // 64 - 1)
        assert bench.words(ctx, "SHA_STATE", "big") == hashlib.sha256(message).digest()

    simulate(bench, testbench)


def test_cycles_of_a_run():
    bench = UnitBench(Sha256())

    async def testbench(ctx):
        for blocks in (1, 2, 5):
            assert await run(ctx, bench, 0, blocks) == LOAD_CYCLES + BLOCK_CYCLES * blocks

    simulate(bench, testbench)


def test_the_processor_in_the_buffer_only_delays_it():
    bench, rng = UnitBench(Sha256()), random.Random(SEED)
    message = rng.randbytes(200)
    blocks = padded(message)

    async def testbench(ctx):
        await bench.load(ctx, 0, blocks)
        await bench.write_words(ctx, "SHA_STATE", INITIAL, "big")
        assert await bench.write(ctx, "SHA_START", offset=0, blocks=len(blocks) // 64)
        while ctx.get(bench.unit.sha_status.value.busy):
            ctx.set(bench.memory.processor.valid, rng.random() < 0.6)
            ctx.set(bench.memory.processor.address, rng.randrange(2048))
            await ctx.tick()
        assert bench.words(ctx, "SHA_STATE", "big") == hashlib.sha256(message).digest()

    simulate(bench, testbench)


@pytest.mark.parametrize("fields", [
    {"offset": 0, "blocks": 0}, {"offset": 2, "blocks": 1}, {"offset": 1, "blocks": 1}, {"offset": 0, "blocks": 129},
    {"offset": 4, "blocks": 128}, {"offset": 8132, "blocks": 1}, {"offset": 0, "blocks": 255}], ids=str)
def test_starts_out_of_range_are_refused(fields):
    bench = UnitBench(Sha256())

    async def testbench(ctx):
        assert not await bench.write(ctx, "SHA_START", **fields)
        assert not ctx.get(bench.unit.sha_status.value.busy)

    simulate(bench, testbench)


def test_the_largest_starts_are_not_refused():
    bench = UnitBench(Sha256())

    async def testbench(ctx):
        for fields in ({"offset": 0, "blocks": 128}, {"offset": 8128, "blocks": 1}, {"offset": 64, "blocks": 127}):
            for name, value in fields.items():
                ctx.set(bench.unit.sha_start.data[name], value)
            assert not ctx.get(bench.unit.sha_start.refuse)

    simulate(bench, testbench)


def test_nothing_is_written_while_it_runs():
    bench = UnitBench(Sha256())
    message = b"busy"

    async def testbench(ctx):
        await bench.load(ctx, 0, padded(message))
        await bench.write_words(ctx, "SHA_STATE", INITIAL, "big")
        assert await bench.write(ctx, "SHA_START", offset=0, blocks=1)
        while ctx.get(bench.unit.sha_status.value.busy):
            assert not await bench.write(ctx, "SHA_START", offset=0, blocks=1)
            assert not await bench.write(ctx, "SHA_STATE", index=3, word=0)
            await ctx.tick()
        assert bench.words(ctx, "SHA_STATE", "big") == hashlib.sha256(message).digest()

    simulate(bench, testbench)
