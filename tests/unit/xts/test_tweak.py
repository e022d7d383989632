# amaranth: UnusedElaboratable=no

import random

import pytest
from Crypto.Cipher import AES

from cbit.config import SBox
from cbit.xts.tweak import TweakEngine
from cbit_sim.aes_keys import write_keys
from cbit_sim.streams import collect, send, simulate

SLOTS = 3
REQUESTS = 16


def engine(**change):
    parameters = {"key_bits": 128, "slots": SLOTS, "data_unit_bytes": 64, "addr_width": 47, "sbox": SBox.TABLE,
                  "rounds_per_cycle": 1, "cycles_per_round": 1, "every_cycles": 2, "pipelined": False, "tag_shape": 6}
    return TweakEngine(**(parameters | change))


def reference(key, address, data_unit_bytes):
    unit = address // data_unit_bytes
    tweak = int.from_bytes(AES.new(key, AES.MODE_ECB).encrypt(unit.to_bytes(16, "little")), "little")
    for _ in range(address % data_unit_bytes // 16):
        tweak = tweak << 1 ^ (tweak >> 127) * (1 << 128 | 0x87)
    return tweak


def run(dut, keys, work, pace):
    sent, taken = [], []
    start = len(keys) * (dut.key_bits // 32 + 7) * dut.key_every_cycles + dut.key_cycles

    async def ask(ctx):
        await write_keys(ctx, dut.round_key, keys, every_cycles=dut.key_every_cycles)
        await ctx.tick().repeat(dut.key_cycles)
        payloads = [{"line": address >> 6, "slot": slot, "tag": tag} for tag, (address, slot) in enumerate(work)]
        sent.extend(await send(ctx, dut.i, payloads, pace=pace))

    async def take(ctx):
        taken.extend(await collect(ctx, dut.o, len(work)))

    simulate(dut, ask, take)
    assert [payload.tag for _, payload in taken] == list(range(len(work)))
    assert [payload.tweak for _, payload in taken] == [
        reference(keys[slot], address, dut.data_unit_bytes) for address, slot in work]
    return [start + cycle for cycle, _ in sent], [cycle for cycle, _ in taken]


def random_work(rng, count):
    return [(rng.randrange(1 << 41) << 6, n % SLOTS) for n in range(count)]


def aes_cycles(key_bits, rounds_per_cycle):
    return {128: 10, 256: 14}[key_bits] // rounds_per_cycle


@pytest.mark.parametrize(("key_bits", "rounds_per_cycle", "every_cycles"), [
    (128, 1, 1), (128, 1, 2), (256, 1, 2), (128, 2, 2), (256, 2, 2), (128, 1, 4), (256, 2, 4), (256, 1, 20)])
def test_as_many_tweaks_as_are_needed(key_bits, rounds_per_cycle, every_cycles):
    rng = random.Random(key_bits)
    dut = engine(key_bits=key_bits, rounds_per_cycle=rounds_per_cycle, every_cycles=every_cycles)
    keys = [rng.randbytes(key_bits // 8) for _ in range(SLOTS)]
    asked, came = run(dut, keys, random_work(rng, REQUESTS), pace=lambda: True)
    assert came[0] - asked[0] == dut.latency_cycles == aes_cycles(key_bits, rounds_per_cycle)
    assert came[-1] - came[0] <= every_cycles * len(came)


@pytest.mark.parametrize(("rounds_per_cycle", "cycles_per_round", "every_cycles"), [
    (1, 1, 2), (1, 3, 2), (1, 4, 2), (1, 2, 3), (2, 1, 4), (2, 1, 5)])
def test_requests_in_step_with_the_ring_do_not_queue_up(rounds_per_cycle, cycles_per_round, every_cycles):
    """One that meets a full place waits for the next free one, not for its own next turn."""
    dut = engine(rounds_per_cycle=rounds_per_cycle, cycles_per_round=cycles_per_round, every_cycles=every_cycles)
    late = []

    async def ask(ctx):
        for cycle in range(40 * every_cycles):
            ctx.set(dut.i.valid, len(late) * every_cycles <= cycle)
            _, _, valid, ready = await ctx.tick().sample(dut.i.valid, dut.i.ready)
            if valid and ready:
                late.append(cycle - len(late) * every_cycles)

    simulate(dut, ask)
    assert len(late) >= 38
    assert max(late) <= dut.latency_cycles
    assert max(late[20:]) <= max(late[:20])


@pytest.mark.parametrize(("pipelined", "data_unit_bytes", "steps"), [
    (False, 4096, 0), (True, 64, 0), (True, 128, 0), (True, 1024, 1), (True, 4096, 2)])
def test_registers_part_the_multiplications(pipelined, data_unit_bytes, steps):
    rng = random.Random(data_unit_bytes)
    dut = engine(data_unit_bytes=data_unit_bytes, pipelined=pipelined)
    keys = [rng.randbytes(16) for _ in range(SLOTS)]
    asked, came = run(dut, keys, random_work(rng, REQUESTS), pace=lambda: True)
    assert came[0] - asked[0] == dut.latency_cycles == aes_cycles(128, 1) + steps
    assert came[-1] - came[0] <= 2 * len(came)


@pytest.mark.parametrize("data_unit_bytes", [64, 4096])
def test_an_idle_engine_adds_no_cycle_to_aes(data_unit_bytes):
    rng = random.Random(3)
    dut = engine(data_unit_bytes=data_unit_bytes)
    keys = [rng.randbytes(16) for _ in range(SLOTS)]
    countdown = iter(n % 12 == 11 for n in range(1000))
    asked, came = run(dut, keys, random_work(rng, 10), pace=lambda: next(countdown))
    assert [out - into for into, out in zip(asked, came)] == [dut.latency_cycles] * len(came)


def test_every_line_of_a_page():
    rng = random.Random(4)
    dut = engine(data_unit_bytes=4096)
    keys = [rng.randbytes(16) for _ in range(SLOTS)]
    page = 0x123456789000
    turns = iter(n % 2 == 1 for n in range(1000))
    run(dut, keys, [(page + 64 * n, 1) for n in range(64)], pace=lambda: next(turns))


@pytest.mark.parametrize("data_unit_bytes", [32, 96])
def test_refuses_other_data_units(data_unit_bytes):
    with pytest.raises(ValueError, match=rf"^Data unit bytes must be a power of two of at least 64, "
                                         rf"not {data_unit_bytes}$"):
        engine(data_unit_bytes=data_unit_bytes)


def test_refuses_to_be_needed_more_than_once_a_cycle():
    with pytest.raises(ValueError, match=r"^Every cycles must be at least 1, not 0$"):
        engine(every_cycles=0)
