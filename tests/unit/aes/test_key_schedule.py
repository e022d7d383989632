# amaranth: UnusedElaboratable=no

import random

import pytest

from cbit.aes.key_schedule import ROUND_KEY_CYCLES, KeySchedule
from cbit_sim.aes_keys import expand_key
from cbit_sim.streams import collect, send, simulate

FIPS_197_LAST_ROUND_KEYS = {
    "2b7e151628aed2a6abf7158809cf4f3c": "d014f9a8c9ee2589e13f0cc8b6630ca6",
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4": "fe4890d1e6188d0b046df344706c631e",
}
"""Appendices A.1 and A.3."""


def expand(dut, keys, **pace):
    sent, taken = [], []

    async def send_keys(ctx):
        sent.extend(await send(ctx, dut.i, [int.from_bytes(key, "little") for key in keys], **pace))

    async def take_round_keys(ctx):
        taken.extend(await collect(ctx, dut.o, len(keys) * (dut.rounds + 1)))

    simulate(dut, send_keys, take_round_keys)
    return sent, taken


def round_keys(taken):
    return [payload.data.to_bytes(16, "little") for _, payload in taken]


@pytest.mark.parametrize(("key", "last"), FIPS_197_LAST_ROUND_KEYS.items(), ids=["AES-128", "AES-256"])
def test_expands_the_keys_of_fips_197(key, last):
    key = bytes.fromhex(key)
    _, taken = expand(KeySchedule(key_bits=8 * len(key)), [key])
    assert round_keys(taken)[-1].hex() == last == expand_key(key)[-1].hex()


@pytest.mark.parametrize("key_bits", [128, 256])
def test_expands_random_keys_back_to_back(key_bits):
    seed = key_bits
    print(f"seed {seed}")
    rng = random.Random(seed)
    keys = [rng.randbytes(key_bits // 8) for _ in range(20)]
    dut = KeySchedule(key_bits=key_bits)
    sent, taken = expand(dut, keys)
    assert round_keys(taken) == [round_key for key in keys for round_key in expand_key(key)]
    assert [payload.round for _, payload in taken] == list(range(dut.rounds + 1)) * len(keys)
    assert [cycle for cycle, _ in sent] == [n * (ROUND_KEY_CYCLES * dut.rounds + 2) for n in range(len(keys))]
    assert [cycle for cycle, _ in taken] == [
        start + 1 + ROUND_KEY_CYCLES * n for start, _ in sent for n in range(dut.rounds + 1)]


@pytest.mark.parametrize("key_bits", [128, 256])
def test_takes_keys_with_gaps(key_bits):
    rng = random.Random(key_bits)
    keys = [rng.randbytes(key_bits // 8) for _ in range(4)]
    _, taken = expand(KeySchedule(key_bits=key_bits), keys, pace=lambda: rng.random() < 0.1)
    assert round_keys(taken) == [round_key for key in keys for round_key in expand_key(key)]


@pytest.mark.parametrize("key_bits", [128, 256])
def test_keeps_nothing_of_a_key(key_bits):
    dut = KeySchedule(key_bits=key_bits)

    async def testbench(ctx):
        await send(ctx, dut.i, [(1 << key_bits) - 1])
        ctx.set(dut.i.payload, 0)
        await ctx.tick().repeat(ROUND_KEY_CYCLES * dut.rounds + 1)
        assert ctx.get(dut.i.ready)
        assert not ctx.get(dut.o.valid)
        assert ctx.get(dut.o.payload.data) == 0

    simulate(dut, testbench)


def test_refuses_other_key_lengths():
    with pytest.raises(ValueError, match=r"^Key bits must be 128 or 256, not 192$"):
        KeySchedule(key_bits=192)
