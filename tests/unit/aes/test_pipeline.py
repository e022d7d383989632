# amaranth: UnusedElaboratable=no

import itertools
import random

import pytest
from Crypto.Cipher import AES
from cryptography_vectors import open_vector_file

from cbit.aes.pipeline import AesPipeline, Direction
from cbit.config import SBox
from cbit.keys.types import ROUND_KEY_SETTLE_CYCLES
from cbit_sim.aes_keys import write_keys
from cbit_sim.streams import collect, send, simulate

SHAPES = {
    128: [(10, 1, 1), (5, 1, 1), (4, 1, 1), (1, 1, 1), (10, 2, 1), (6, 2, 1), (2, 2, 1),
          (10, 1, 2), (5, 1, 3), (4, 1, 4), (1, 1, 2), (1, 1, 3), (1, 1, 4), (1, 1, 5)],
    256: [(14, 1, 1), (7, 1, 1), (3, 1, 1), (1, 1, 1), (14, 2, 1), (8, 2, 1), (2, 2, 1), (3, 1, 5)],
}
"""Of each key length: unroll, rounds per cycle, cycles per round; all rounds, half of them, a last pass cut short, the
least."""

QUICK_256 = [(14, 1, 1), (3, 1, 1), (8, 2, 1)]
QUICK_OTHERS = [(1, 1, 1), (1, 1, 4)]


def marks(key_bits, shape, sbox):
    """With the S-box that simulates fast nearly every shape; the others, proven equal to it, in the least."""
    quick_128 = sbox is SBox.TABLE or shape in QUICK_OTHERS
    quick_256 = sbox is SBox.TABLE and shape in QUICK_256
    return () if {128: quick_128, 256: quick_256}[key_bits] else pytest.mark.slow


VARIANTS = [
    pytest.param(direction, key_bits, *shape, sbox, marks=marks(key_bits, shape, sbox),
                 id=f"{direction.value}-{key_bits}-unroll{shape[0]}-by{shape[1]}-in{shape[2]}-{sbox.value}")
    for direction, key_bits, sbox in itertools.product(Direction, SHAPES, SBox)
    for shape in SHAPES[key_bits]
    if shape[1] == 1 or sbox is not SBox.BLOCK_RAM
]
SLOTS = 3


def random_work(rng, count):
    """Blocks, each under another key than the one before."""
    return [(rng.randbytes(16), (2 * n + n // 8) % SLOTS, rng.random() < 0.5) for n in range(count)]


def payload(dut, block, slot, decrypt):
    value = {"block": int.from_bytes(block, "little"), "slot": slot}
    return value | {"decrypt": decrypt} if dut.direction is Direction.BOTH else value


def expected(dut, keys, block, slot, decrypt):
    cipher = AES.new(keys[slot], AES.MODE_ECB)
    decrypts = {Direction.ENCRYPT: False, Direction.DECRYPT: True, Direction.BOTH: decrypt}[dut.direction]
    return cipher.decrypt(block) if decrypts else cipher.encrypt(block)


def run(dut, keys, work, **pace):
    """Cycles of entry, cycles of leaving, blocks that left."""
    sent, taken = [], []

    async def send_blocks(ctx):
        await write_keys(ctx, dut.round_key, keys, every_cycles=dut.key_every_cycles)
        await ctx.tick().repeat(dut.key_cycles)
        sent.extend(await send(ctx, dut.i, [payload(dut, *item) for item in work], **pace))

    async def take_blocks(ctx):
        taken.extend(await collect(ctx, dut.o, len(work)))

    async def see_no_fault(ctx):
        async for *_, valid, fault in ctx.tick().sample(dut.o.valid, dut.o_fault):
            assert not valid & fault
            if len(taken) == len(work):
                return

    simulate(dut, send_blocks, take_blocks, see_no_fault)
    start = len(keys) * (dut.rounds + 1) * dut.key_every_cycles + dut.key_cycles
    return ([start + cycle for cycle, _ in sent], [cycle for cycle, _ in taken],
            [block.to_bytes(16, "little") for _, block in taken])


@pytest.mark.parametrize(("direction", "key_bits", "unroll", "rounds_per_cycle", "cycles_per_round", "sbox"), VARIANTS)
def test_agrees_with_the_reference_at_full_speed(direction, key_bits, unroll, rounds_per_cycle, cycles_per_round, sbox):
    seed = unroll
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = AesPipeline(direction=direction, key_bits=key_bits, slots=SLOTS, unroll=unroll,
                      rounds_per_cycle=rounds_per_cycle, cycles_per_round=cycles_per_round, sbox=sbox)
    keys = [rng.randbytes(key_bits // 8) for _ in range(SLOTS)]
    work = random_work(rng, dut.capacity + dut.capacity // cycles_per_round + 3)
    entered, left, blocks = run(dut, keys, work)
    assert blocks == [expected(dut, keys, *item) for item in work]
    assert [out - into for into, out in zip(entered, left)] == [dut.latency_cycles] * len(work)
    rounds = {128: 10, 256: 14}[key_bits]
    in_rounds = rounds * cycles_per_round // rounds_per_cycle
    assert dut.latency_cycles == (in_rounds if cycles_per_round == 1 else in_rounds + 2)
    budget = dut.turns * len(work)
    assert entered[-1] - entered[0] < budget
    assert dut.turns == -(-dut.rounds // unroll)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("unroll", "rounds_per_cycle", "cycles_per_round"), [
    (10, 1, 1), (4, 1, 1), (6, 2, 1), (10, 1, 2), (5, 1, 3), (4, 1, 2)])
def test_agrees_with_the_reference_with_gaps(direction, unroll, rounds_per_cycle, cycles_per_round):
    seed = 7
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = AesPipeline(direction=direction, key_bits=128, slots=SLOTS, unroll=unroll,
                      rounds_per_cycle=rounds_per_cycle, cycles_per_round=cycles_per_round, sbox=SBox.TABLE)
    keys = [rng.randbytes(16) for _ in range(SLOTS)]
    work = random_work(rng, 30)
    entered, left, blocks = run(dut, keys, work, pace=lambda: rng.random() < 0.3)
    assert blocks == [expected(dut, keys, *item) for item in work]
    assert [out - into for into, out in zip(entered, left)] == [dut.latency_cycles] * len(work)


@pytest.mark.parametrize("cycles_per_round", [
    pytest.param(cycles, marks=() if cycles == 3 else pytest.mark.slow) for cycles in range(1, 6)])
@pytest.mark.parametrize("direction", Direction)
def test_rounds_may_differ_in_their_sboxes(direction, cycles_per_round):
    seed = 11
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = AesPipeline(direction=direction, key_bits=128, slots=SLOTS, unroll=4, rounds_per_cycle=1,
                      cycles_per_round=cycles_per_round, sbox=SBox.BLOCK_RAM, block_ram_rounds=2)
    assert dut.block_ram_rounds == 2
    keys = [rng.randbytes(16) for _ in range(SLOTS)]
    work = random_work(rng, 8)
    entered, left, blocks = run(dut, keys, work)
    assert blocks == [expected(dut, keys, *item) for item in work]
    assert [out - into for into, out in zip(entered, left)] == [dut.latency_cycles] * len(work)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("key_bits", "unroll", "cycles_per_round", "sbox"), [
    (128, 2, 3, SBox.TABLE), (128, 2, 3, SBox.BLOCK_RAM), (128, 4, 2, SBox.BLOCK_RAM), (128, 1, 4, SBox.TABLE),
    pytest.param(128, 3, 5, SBox.COMPOSITE, marks=pytest.mark.slow), (256, 5, 3, SBox.TABLE)])
def test_a_ring_with_its_keys_in_block_ram_agrees_with_the_reference(direction, key_bits, unroll, cycles_per_round,
                                                                     sbox):
    seed = 13
    print(f"seed {seed}")
    rng = random.Random(seed)
    slots = 40
    dut = AesPipeline(direction=direction, key_bits=key_bits, slots=slots, unroll=unroll, rounds_per_cycle=1,
                      cycles_per_round=cycles_per_round, sbox=sbox)
    assert dut.key_every_cycles == (2 if direction is Direction.BOTH else 1)
    keys = [rng.randbytes(key_bits // 8) for _ in range(slots)]
    work = [(rng.randbytes(16), rng.randrange(slots), rng.random() < 0.5) for _ in range(dut.capacity + 8)]
    entered, left, blocks = run(dut, keys, work)
    assert blocks == [expected(dut, keys, *item) for item in work]
    assert [out - into for into, out in zip(entered, left)] == [dut.latency_cycles] * len(work)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("unroll", "rounds_per_cycle", "cycles_per_round", "slots"), [
    (10, 1, 1, 3), (6, 2, 1, 3), (2, 1, 3, 3), (2, 1, 3, 40), (10, 1, 2, 3)], ids=str)
def test_a_flipped_bit_of_any_round_key_is_told_of_the_blocks_that_use_it(
        round_key_memories, direction, unroll, rounds_per_cycle, cycles_per_round, slots):
    seed = unroll + slots
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = AesPipeline(direction=direction, key_bits=128, slots=slots, unroll=unroll, rounds_per_cycle=rounds_per_cycle,
                      cycles_per_round=cycles_per_round, sbox=SBox.TABLE)
    directions = [False, True] if direction is Direction.BOTH else [False]

    slot_places = 1 << len(dut.i.payload.slot)

    async def faults(ctx, slot):
        """Of a block in each direction, whether it met a fault."""
        found = []
        for decrypt in directions:
            await send(ctx, dut.i, [payload(dut, rng.randbytes(16), slot, decrypt)])
            (fault,) = await ctx.tick().sample(dut.o_fault).until(dut.o.valid)
            found.append(fault)
        return found

    async def testbench(ctx):
        await write_keys(ctx, dut.round_key, [rng.randbytes(16) for _ in range(slots)],
                         every_cycles=dut.key_every_cycles)
        await ctx.tick().repeat(dut.key_cycles)
        assert len(round_key_memories) >= unroll + 1
        for memory in round_key_memories:
            row = rng.choice([row for row in range(memory.depth) if row % slot_places < slots])
            slot = row % slot_places
            right = ctx.get(memory.data[row])
            ctx.set(memory.data[row], right ^ 1 << rng.randrange(129))
            assert sum(await faults(ctx, slot)) == 1
            assert not any(await faults(ctx, (slot + 1) % slots))
            ctx.set(memory.data[row], right)
            assert not any(await faults(ctx, slot))

    simulate(dut, testbench)


@pytest.mark.parametrize(("unroll", "rounds_per_cycle", "cycles_per_round"), [
    (10, 1, 1), (5, 1, 1), (1, 1, 1), (6, 2, 1), (2, 2, 1), (10, 1, 2), (2, 1, 3)], ids=str)
def test_of_blocks_that_follow_one_another_those_with_a_faulty_key_are_told(
        round_key_memories, unroll, rounds_per_cycle, cycles_per_round):
    seed = unroll + cycles_per_round
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = AesPipeline(direction=Direction.ENCRYPT, key_bits=128, slots=SLOTS, unroll=unroll,
                      rounds_per_cycle=rounds_per_cycle, cycles_per_round=cycles_per_round, sbox=SBox.TABLE)
    work = [(rng.randbytes(16), rng.randrange(SLOTS), False) for _ in range(2 * dut.capacity + 5)]
    faulty_slot, told = 1, []

    async def send_blocks(ctx):
        await write_keys(ctx, dut.round_key, [rng.randbytes(16) for _ in range(SLOTS)],
                         every_cycles=dut.key_every_cycles)
        await ctx.tick().repeat(dut.key_cycles)
        for memory in (round_key_memories[0], rng.choice(round_key_memories[1:])):
            rows = [memory.data[row] for row in range(faulty_slot, memory.depth, 1 << len(dut.i.payload.slot))]
            right = [ctx.get(row) for row in rows]
            for row, word in zip(rows, right):
                ctx.set(row, word ^ 1 << rng.randrange(129))
            await send(ctx, dut.i, [payload(dut, *item) for item in work])
            await ctx.tick().repeat(dut.latency_cycles + 1)
            for row, word in zip(rows, right):
                ctx.set(row, word)

    async def take_faults(ctx):
        async for *_, valid, fault in ctx.tick().sample(dut.o.valid, dut.o_fault):
            if valid:
                told.append(fault)
            if len(told) == 2 * len(work):
                return

    simulate(dut, send_blocks, take_faults)
    assert told == [slot == faulty_slot for _, slot, _ in work] * 2


def test_a_slot_is_rekeyed_beside_the_traffic_of_another():
    seed = 9
    print(f"seed {seed}")
    rng = random.Random(seed)
    old, steady, new = (rng.randbytes(16) for _ in range(3))
    dut = AesPipeline(direction=Direction.ENCRYPT, key_bits=128, slots=2, unroll=10, rounds_per_cycle=1,
                      sbox=SBox.TABLE)
    keys_written = 2 * (dut.rounds + 1) + dut.key_cycles
    work = [(rng.randbytes(16), 1, False) for _ in range(dut.rounds + 1)] + [(rng.randbytes(16), 0, False)]
    taken = []

    async def write(ctx):
        await write_keys(ctx, dut.round_key, [old, steady])
        await write_keys(ctx, dut.round_key, [new])

    async def send_blocks(ctx):
        await ctx.tick().repeat(keys_written)
        await send(ctx, dut.i, [payload(dut, *item) for item in work])

    async def take_blocks(ctx):
        taken.extend(await collect(ctx, dut.o, len(work)))

    simulate(dut, write, send_blocks, take_blocks)
    assert [block.to_bytes(16, "little") for _, block in taken] == [
        expected(dut, [new, steady], *item) for item in work]
    assert taken[-1][0] == keys_written + len(work) - 1 + dut.latency_cycles


@pytest.mark.parametrize(("unroll", "cycles_per_round"), [(1, 1), (1, 2), (1, 3), (2, 3), (10, 1), (10, 3)])
def test_the_first_round_key_is_used_when_it_is_told(unroll, cycles_per_round):
    """A block under the first round key of another key is one that differs by both, under the key itself."""
    rng = random.Random(unroll)
    key, other, block = (rng.randbytes(16) for _ in range(3))
    dut = AesPipeline(direction=Direction.ENCRYPT, key_bits=128, slots=2, unroll=unroll, rounds_per_cycle=1,
                      cycles_per_round=cycles_per_round, sbox=SBox.TABLE)

    async def testbench(ctx):
        await write_keys(ctx, dut.round_key, [key], every_cycles=dut.key_every_cycles)
        await ctx.tick().repeat(dut.key_cycles)
        ctx.set(dut.round_key.round, 0)
        ctx.set(dut.round_key.data, int.from_bytes(other, "little"))
        ctx.set(dut.round_key.valid, 1)
        await ctx.tick()
        ctx.set(dut.round_key.valid, 0)
        await ctx.tick().repeat(dut.key_cycles)
        await send(ctx, dut.i, [payload(dut, block, 0, decrypt=False)])
        ((_, taken),) = await collect(ctx, dut.o, 1)
        both = bytes(a ^ b ^ c for a, b, c in zip(block, key, other))
        assert taken.to_bytes(16, "little") == AES.new(key, AES.MODE_ECB).encrypt(both)

    simulate(dut, testbench)


def cavp_vectors(name):
    """(direction, key, plaintext, ciphertext) of a file of NIST's algorithm validation program."""
    direction, case = "", {}
    with open_vector_file(f"ciphers/AES/ECB/{name}", "r") as lines:
        for line in lines:
            if line.startswith("["):
                direction = line.strip("[]\n ")
            elif " = " in line:
                field, value = line.strip().split(" = ")
                case[field] = value
                if {"KEY", "PLAINTEXT", "CIPHERTEXT"} <= case.keys():
                    yield (direction, *(bytes.fromhex(case[field]) for field in ("KEY", "PLAINTEXT", "CIPHERTEXT")))
                    case = {}


@pytest.mark.parametrize("key_bits", [128, 256])
@pytest.mark.parametrize("kind", ["GFSbox", "KeySbox", "VarKey", "VarTxt"])
def test_agrees_with_cavp(kind, key_bits):
    cases = list(cavp_vectors(f"ECB{kind}{key_bits}.rsp"))
    cases = cases[::max(1, len(cases) // 12)]
    assert {direction for direction, *_ in cases} == {"ENCRYPT", "DECRYPT"}
    dut = AesPipeline(direction=Direction.BOTH, key_bits=key_bits, slots=len(cases), unroll=2, rounds_per_cycle=2,
                      sbox=SBox.TABLE)
    work = [(plain if direction == "ENCRYPT" else cipher, slot, direction == "DECRYPT")
            for slot, (direction, _, plain, cipher) in enumerate(cases)]
    _, _, blocks = run(dut, [key for _, key, _, _ in cases], work)
    assert blocks == [cipher if direction == "ENCRYPT" else plain for direction, _, plain, cipher in cases]


@pytest.mark.parametrize(("change", "message"), [
    ({"key_bits": 192}, "Key bits must be 128 or 256, not 192"),
    ({"slots": 0}, "Slots must be at least 1, not 0"),
    ({"rounds_per_cycle": 3}, "Rounds per cycle must be 1 or 2, not 3"),
    ({"rounds_per_cycle": 2, "sbox": SBox.BLOCK_RAM}, "Rounds per cycle must be 1 with the block_ram S-box, not 2"),
    ({"unroll": 11}, "Unroll must be a multiple of 1 from 1 to 10, not 11"),
    ({"unroll": 0}, "Unroll must be a multiple of 1 from 1 to 10, not 0"),
    ({"unroll": 5, "rounds_per_cycle": 2}, "Unroll must be a multiple of 2 from 2 to 10, not 5"),
    ({"cycles_per_round": 0}, "Cycles per round must be an integer from 1 to 5, not 0"),
    ({"cycles_per_round": 6}, "Cycles per round must be an integer from 1 to 5, not 6"),
    ({"cycles_per_round": 2, "rounds_per_cycle": 2}, "Cycles per round must be 1 with two rounds per cycle, not 2"),
    ({"sbox": SBox.BLOCK_RAM, "block_ram_rounds": -1}, "Block RAM rounds must be at least 0, not -1"),
])
def test_refuses_bad_parameters(change, message):
    good = {"direction": Direction.ENCRYPT, "key_bits": 128, "slots": 1, "unroll": 10, "rounds_per_cycle": 1,
            "sbox": SBox.TABLE}
    with pytest.raises(ValueError, match=f"^{message}$"):
        AesPipeline(**(good | change))


@pytest.mark.parametrize("sbox", SBox)
@pytest.mark.parametrize("key_bits", [128, 256])
@pytest.mark.parametrize("direction", Direction)
def test_every_pipeline_uses_a_round_key_by_when_it_counts_as_settled(direction, key_bits, sbox):
    """The key control waits as long in all engines; of that are one cycle its own and one the XTS unit's."""
    for unroll, cycles, slots in itertools.product(range(1, key_bits // 32 + 7), range(1, 6), (2, 16, 1024)):
        dut = AesPipeline(direction=direction, key_bits=key_bits, slots=slots, unroll=unroll, rounds_per_cycle=1,
                          cycles_per_round=cycles, sbox=sbox)
        assert 2 + 1 + dut.key_cycles <= ROUND_KEY_SETTLE_CYCLES
        assert dut.key_every_cycles <= 2
