"""AES-128 in counter mode is what NIST's examples, its CAVP vectors and OpenSSL say, in every place of the buffer."""

import random
import re

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography_vectors import open_vector_file

from cbit.config import SBox
from cbit.psp.aes128 import Aes128
from cbit.psp.aes128_cipher import Aes128Cipher
from cbit.psp.register_port import register_port
from cbit_sim.streams import collect, send, simulate
from cbit_sim.unit_bench import UnitBench

BLOCK_CYCLES = 52
SEED = 22

KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
COUNTER = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
PLAINTEXT = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                          "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
CIPHERTEXT = bytes.fromhex("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
                           "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee")
"""NIST SP 800-38A, F.5.1."""


def expected(key, counter, data):
    return Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(data)


async def crypt(ctx, bench, key, counter, data, offset=0):
    await bench.load(ctx, offset, data)
    await bench.write_words(ctx, "AES_KEY", key, "little")
    await bench.write_words(ctx, "AES_COUNTER", counter, "little")
    assert await bench.write(ctx, "AES_START", offset=offset, blocks=len(data) // 16)
    cycles = await bench.finish(ctx, "AES_STATUS", 80 * len(data) // 16)
    assert cycles == BLOCK_CYCLES * len(data) // 16
    return await bench.dump(ctx, offset, len(data))


@pytest.mark.parametrize("sbox", [SBox.TABLE, SBox.COMPOSITE])
def test_nist_example(sbox):
    bench = UnitBench(Aes128(sbox=sbox))

    async def testbench(ctx):
        assert await crypt(ctx, bench, KEY, COUNTER, PLAINTEXT) == CIPHERTEXT
        assert bench.words(ctx, "AES_COUNTER", "little").hex() == "f0f1f2f3f4f5f6f7f8f9fafbfcfdff03"
        assert await crypt(ctx, bench, KEY, COUNTER, CIPHERTEXT) == PLAINTEXT

    simulate(bench, testbench)


def test_zeros_become_the_image_of_the_counter():
    bench = UnitBench(Aes128(sbox=SBox.TABLE))
    key, block = bytes(range(16)), bytes.fromhex("00112233445566778899aabbccddeeff")

    async def testbench(ctx):
        # FIPS 197, C.1.
        assert (await crypt(ctx, bench, key, block, bytes(16))).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"

    simulate(bench, testbench)


def test_random_runs_leave_their_neighbors_alone():
    bench, rng = UnitBench(Aes128(sbox=SBox.TABLE)), random.Random(SEED)

    async def testbench(ctx):
        for blocks in (1, 2, 3, 7):
            key, counter, data = rng.randbytes(16), rng.randbytes(16), rng.randbytes(16 * blocks)
            offset, around = 4 * rng.randrange(4, 1900), rng.randbytes(16 * blocks + 32)
            await bench.load(ctx, offset - 16, around)
            assert await crypt(ctx, bench, key, counter, data, offset) == expected(key, counter, data), f"seed {SEED}"
            assert await bench.dump(ctx, offset - 16, 16) == around[:16]
            assert await bench.dump(ctx, offset + len(data), 16) == around[-16:]

    simulate(bench, testbench)


@pytest.mark.parametrize("counter", ["ff" * 16, "00" * 12 + "ffffffff", "00" * 8 + "ff" * 8, "ff" * 15 + "fe"])
def test_the_whole_block_counts(counter):
    bench, counter = UnitBench(Aes128(sbox=SBox.TABLE)), bytes.fromhex(counter)

    async def testbench(ctx):
        assert await crypt(ctx, bench, KEY, counter, PLAINTEXT) == expected(KEY, counter, PLAINTEXT)

    simulate(bench, testbench)


def test_the_processor_in_the_buffer_only_delays_it():
    bench, rng = UnitBench(Aes128(sbox=SBox.TABLE)), random.Random(SEED)

    async def testbench(ctx):
        await bench.load(ctx, 0, PLAINTEXT)
        await bench.write_words(ctx, "AES_KEY", KEY, "little")
        await bench.write_words(ctx, "AES_COUNTER", COUNTER, "little")
        assert await bench.write(ctx, "AES_START", offset=0, blocks=4)
        while ctx.get(bench.unit.aes_status.value.busy):
            ctx.set(bench.memory.processor.valid, rng.random() < 0.6)
            ctx.set(bench.memory.processor.address, rng.randrange(2048))
            await ctx.tick()
        assert await bench.dump(ctx, 0, 64) == CIPHERTEXT

    simulate(bench, testbench)


@pytest.mark.parametrize("fields", [
    {"offset": 0, "blocks": 0}, {"offset": 2, "blocks": 1}, {"offset": 1, "blocks": 1}, {"offset": 0, "blocks": 513},
    {"offset": 4, "blocks": 512}, {"offset": 8180, "blocks": 1}, {"offset": 0, "blocks": 1023}], ids=str)
def test_starts_out_of_range_are_refused(fields):
    bench = UnitBench(Aes128(sbox=SBox.TABLE))

    async def testbench(ctx):
        assert not await bench.write(ctx, "AES_START", **fields)
        assert not ctx.get(bench.unit.aes_status.value.busy)

    simulate(bench, testbench)


def test_the_largest_starts_are_not_refused():
    bench = UnitBench(Aes128(sbox=SBox.TABLE))

    async def testbench(ctx):
        for fields in ({"offset": 0, "blocks": 512}, {"offset": 8176, "blocks": 1}, {"offset": 16, "blocks": 511}):
            for name, value in fields.items():
                ctx.set(bench.unit.aes_start.data[name], value)
            assert not ctx.get(bench.unit.aes_start.refuse)

    simulate(bench, testbench)


def test_nothing_is_written_while_it_runs():
    bench = UnitBench(Aes128(sbox=SBox.TABLE))

    async def testbench(ctx):
        await bench.load(ctx, 0, PLAINTEXT)
        await bench.write_words(ctx, "AES_KEY", KEY, "little")
        await bench.write_words(ctx, "AES_COUNTER", COUNTER, "little")
        assert await bench.write(ctx, "AES_START", offset=0, blocks=4)
        while ctx.get(bench.unit.aes_status.value.busy):
            assert not await bench.write(ctx, "AES_START", offset=0, blocks=1)
            assert not await bench.write(ctx, "AES_KEY", index=1, word=0)
            assert not await bench.write(ctx, "AES_COUNTER", index=2, word=0)
            await ctx.tick()
        assert await bench.dump(ctx, 0, 64) == CIPHERTEXT

    simulate(bench, testbench)


def test_the_key_can_not_be_read():
    assert {*register_port("AES_KEY").members} == {"write", "index", "data", "refuse"}


def cavp_cases(name):
    """Key, block and image of each encryption in a file of NIST's."""
    with open_vector_file(f"ciphers/AES/ECB/{name}", "r") as lines:
        text = lines.read().partition("[ENCRYPT]")[2].partition("[DECRYPT]")[0]
    return [tuple(int.from_bytes(bytes.fromhex(value), "little") for value in case)
            for case in re.findall(r"KEY = (\w+)\nPLAINTEXT = (\w+)\nCIPHERTEXT = (\w+)", text.replace("\r", ""))]


@pytest.mark.parametrize(("name", "count"), [
    pytest.param("ECBVarTxt128.rsp", 128, marks=pytest.mark.slow),
    pytest.param("ECBKeySbox128.rsp", 21, marks=pytest.mark.slow), ("ECBGFSbox128.rsp", 7)])
def test_cavp(name, count):
    dut, cases = Aes128Cipher(sbox=SBox.TABLE), cavp_cases(name)
    assert len(cases) == count

    async def testbench(ctx):
        for key, block, image in cases:
            ctx.set(dut.key, key)
            await send(ctx, dut.i, [block])
            assert [value for _, value in await collect(ctx, dut.o, 1)] == [image]

    simulate(dut, testbench)


def test_cipher_takes_a_block_every_42_cycles_and_forgets_it():
    dut, rng = Aes128Cipher(sbox=SBox.TABLE), random.Random(SEED)
    blocks = [rng.randbytes(16) for _ in range(4)]
    key = rng.randbytes(16)
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()

    async def sender(ctx):
        ctx.set(dut.key, int.from_bytes(key, "little"))
        sent = await send(ctx, dut.i, [int.from_bytes(block, "little") for block in blocks])
        assert [cycle for cycle, _ in sent] == [0, 42, 84, 126]

    async def collector(ctx):
        taken = await collect(ctx, dut.o, len(blocks))
        assert taken == [(42 * number + 42, int.from_bytes(encryptor.update(block), "little"))
                         for number, block in enumerate(blocks)]
        await ctx.tick()
        assert ctx.get(dut.o.payload) == 0

    simulate(dut, sender, collector)
