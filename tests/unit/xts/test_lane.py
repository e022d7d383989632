import random

import pytest
from Crypto.Cipher import AES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from cbit.aes.pipeline import Direction
from cbit.config import SBox
from cbit.xts.lane import XtsLane
from cbit_sim.aes_keys import write_keys
from cbit_sim.streams import collect, send, simulate

SLOTS = 3


def reference(keys, decrypt, unit, position, blocks):
    """Some blocks of a data unit of OpenSSL's, from one on, and the tweak of their line."""
    data_key, tweak_key = keys
    mode = Cipher(algorithms.AES(data_key + tweak_key), modes.XTS(unit.to_bytes(16, "little")))
    context = mode.decryptor() if decrypt else mode.encryptor()
    image = context.update(bytes(16 * position) + blocks)[16 * position:]
    tweak = int.from_bytes(AES.new(tweak_key, AES.MODE_ECB).encrypt(unit.to_bytes(16, "little")), "little")
    for _ in range(position // 4 * 4):
        tweak = tweak << 1 ^ (tweak >> 127) * (1 << 128 | 0x87)
    return image, tweak


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(
    ("data_width", "key_bits", "unroll", "rounds_per_cycle", "cycles_per_round", "pace", "pipelined"), [
        (128, 128, 10, 1, 1, 1.0, False), (128, 128, 10, 1, 2, 0.4, True), (128, 128, 4, 2, 1, 1.0, True),
        (128, 128, 4, 2, 1, 0.4, False), (128, 128, 4, 1, 3, 0.6, True), (128, 128, 1, 1, 1, 1.0, False),
        (128, 256, 14, 1, 1, 1.0, False), (256, 128, 2, 1, 1, 0.6, True), (512, 128, 1, 1, 2, 1.0, False),
    ])
def test_agrees_with_openssl(direction, data_width, key_bits, unroll, rounds_per_cycle, cycles_per_round, pace,
                             pipelined):
    seed = unroll
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = XtsLane(direction=direction, data_width=data_width, key_bits=key_bits, slots=SLOTS, unroll=unroll,
                  rounds_per_cycle=rounds_per_cycle, cycles_per_round=cycles_per_round, pipelined=pipelined,
                  sbox=SBox.TABLE, tag_shape=8)
    keys = [(rng.randbytes(key_bits // 8), rng.randbytes(key_bits // 8)) for _ in range(SLOTS)]
    work, expected, step = [], [], data_width // 128
    for tag in range(24 if unroll > 1 else 6):
        slot = tag % SLOTS
        decrypt = {Direction.ENCRYPT: False, Direction.DECRYPT: True, Direction.BOTH: rng.random() < 0.5}[direction]
        blocks = rng.randbytes(16 * step)
        position = rng.randrange(0, 8, step)
        image, tweak = reference(keys[slot], decrypt, rng.getrandbits(42), position, blocks)
        item = {"data": int.from_bytes(blocks, "little"), "slot": slot, "tweak": tweak,
                "number": position % 4 // step, "tag": tag}
        work.append(item | ({"decrypt": decrypt} if direction is Direction.BOTH else {}))
        expected.append((image, tag))
    sent, taken = [], []

    async def send_blocks(ctx):
        await write_keys(ctx, dut.round_key, [data_key for data_key, _ in keys],
                         every_cycles=dut.key_every_cycles)
        await ctx.tick().repeat(dut.key_cycles)
        sent.extend(await send(ctx, dut.i, work, pace=lambda: rng.random() < pace))

    async def take_blocks(ctx):
        taken.extend(await collect(ctx, dut.o, len(work)))

    simulate(dut, send_blocks, take_blocks)
    assert [(payload.data.to_bytes(16 * step, "little"), payload.tag) for _, payload in taken] == expected
    start = SLOTS * (key_bits // 32 + 7) * dut.key_every_cycles + dut.key_cycles
    latencies = [out - into - start for (into, _), (out, _) in zip(sent, taken)]
    assert min(latencies) == dut.latency_cycles
    # The register before a ring may wait for its turn, and then no longer than until there is one.
    assert max(latencies) <= dut.latency_cycles + pipelined * dut.turns * unroll * cycles_per_round
    if pace == 1.0:
        assert sent[-1][0] - sent[0][0] < dut.turns * len(work)


@pytest.mark.parametrize("direction", Direction)
def test_a_fault_is_told_of_the_beats_that_met_it_and_of_no_other(round_key_memories, direction):
    """Whichever round key of whichever pipeline has lost its parity, and if the tweak came with a fault."""
    seed, data_width = 5, 256
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = XtsLane(direction=direction, data_width=data_width, key_bits=128, slots=SLOTS, unroll=1, rounds_per_cycle=1,
                  cycles_per_round=1, pipelined=True, sbox=SBox.TABLE, tag_shape=8)
    directions = [False, True] if direction is Direction.BOTH else [False]

    async def faults(ctx, slot, fault=0):
        """Of a beat in each direction, whether a fault is told."""
        told = []
        for decrypt in directions:
            item = {"data": rng.getrandbits(data_width), "slot": slot, "tweak": 1, "fault": fault}
            await send(ctx, dut.i, [item | ({"decrypt": decrypt} if direction is Direction.BOTH else {})])
            (beat,) = await ctx.tick().sample(dut.o.payload).until(dut.o.valid)
            told.append(beat.fault)
        return told

    async def testbench(ctx):
        await write_keys(ctx, dut.round_key, [rng.randbytes(16) for _ in range(SLOTS)],
                         every_cycles=dut.key_every_cycles)
        await ctx.tick().repeat(dut.key_cycles)
        assert not any(await faults(ctx, 1))
        assert all(await faults(ctx, 1, fault=1))
        assert len(round_key_memories) >= data_width // 128 * len(directions)
        for memory in round_key_memories:
            rows = [memory.data[row] for row in range(1, memory.depth, 1 << len(dut.i.payload.slot))]
            right = [ctx.get(row) for row in rows]
            for row, word in zip(rows, right):
                ctx.set(row, word ^ 1 << rng.randrange(129))
            assert sum(await faults(ctx, 1)) == 1
            assert not any(await faults(ctx, 2))
            for row, word in zip(rows, right):
                ctx.set(row, word)

    simulate(dut, testbench)
