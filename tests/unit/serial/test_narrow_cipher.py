# amaranth: UnusedElaboratable=no
"""The cipher of a narrow engine with its store: the self-test, and the XTS of lines, judged by the golden model."""

import random

import pytest
from amaranth.hdl import Const, Elaboratable, Module
from amaranth.sim import Simulator

import cbit.aes.column
from cbit.aes.known_answer import known_answer
from cbit.serial.narrow_cipher import NarrowCipher
from cbit.serial.narrow_store import Move, NarrowStore
from cbit.serial.ports import line_place
from cbit_model.xts import XtsKey
from cbit_sim.aes_keys import prepared_words

SLOTS = 2
MOST_CYCLES = 400


class Bench(Elaboratable):
    """The cipher, its store, and who writes lines."""

    def __init__(self, key_bits):
        self.cipher = NarrowCipher(key_bits=key_bits, slots=SLOTS, c_bit=31)
        self.store = NarrowStore()

    def elaborate(self, _platform):
        m = Module()
        m.submodules.cipher, m.submodules.store = cipher, store = self.cipher, self.store
        for move, wants, heard, place in (
                (Move.RESULT, cipher.result_wants, cipher.result_heard, cipher.result.payload.place),
                (Move.FEED, cipher.feed_wants, cipher.feed_heard, cipher.feed_place)):
            m.d.comb += [store.wants[move.value].eq(wants), heard.eq(store.heard[move.value]),
                         store.places[move.value].eq(place)]
        m.d.comb += [
            store.result.eq(cipher.result_word), store.result_resp.eq(cipher.result_resp),
            store.hide.eq(cipher.result.payload.hide),
            cipher.column.eq(store.column), cipher.feeds.eq(store.feeds), cipher.takes_result.eq(store.takes_result),
            cipher.word.eq(store.word), cipher.feed_resp.eq(store.resp),
        ]
        return m


async def write_keys(ctx, port, slot, keys, spoil=lambda *_: 0):
    for tweak_key, key in enumerate(keys):
        for _, step, column, word in prepared_words(key, decrypts=False):
            values = {"columns": 1 << column, "tweak_key": tweak_key, "step": step, "slot": slot,
                      "data": word ^ spoil(tweak_key, step, column)}
            for name, value in values.items():
                ctx.set(getattr(port, name), value)
            await ctx.tick()
    ctx.set(port.columns, 0)


def run(dut, testbench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def outcome(key_bits=128, *, spoil=lambda *_: 0):
    """Whether the self-test has passed."""
    dut = Bench(key_bits)
    known = known_answer(key_bits)
    found = []

    async def testbench(ctx):
        await write_keys(ctx, dut.cipher.round_key, 0, (known.key, known.tweak_key), spoil)
        ctx.set(dut.cipher.self_test_keys, 1)
        for _ in range(MOST_CYCLES):
            assert not ctx.get(dut.cipher.key_fault)
            await ctx.tick()
        assert not ctx.get(dut.cipher.self_test_busy)
        found.append(not ctx.get(dut.cipher.self_test_failed))

    run(dut, testbench)
    return found[0]


@pytest.mark.parametrize("key_bits", [128, 256])
def test_the_self_test_passes(key_bits):
    assert outcome(key_bits)


@pytest.mark.parametrize("tweak_key", [0, 1])
def test_the_self_test_finds_a_faulty_round_key(tweak_key):
    assert not outcome(spoil=lambda key, step, column: (key, step, column) == (tweak_key, 7, 2))


@pytest.mark.parametrize("place", [0x53, 0x1AC])
def test_the_self_test_finds_a_wrong_table(place, monkeypatch):
    """Of either direction; this value is met by some byte."""
    original = cbit.aes.column.sbox_bytes

    def spoiled(*, both):
        table = original(both=both)
        return [*(value ^ (256 * (number // 256) == 256 * (place // 256)) for number, value in enumerate(table))]

    monkeypatch.setattr(cbit.aes.column, "sbox_bytes", spoiled)
    assert not outcome()


@pytest.mark.parametrize("key_bits", [128, 256])
def test_lines_are_those_of_the_model(key_bits):
    seed = 91 + key_bits
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = Bench(key_bits)
    keys = [(rng.randbytes(key_bits // 8), rng.randbytes(key_bits // 8)) for _ in range(SLOTS)]
    known = known_answer(key_bits)

    async def line(ctx, slot, address, blocks, *, decrypt):
        """What comes of some blocks of a line, by number."""
        cipher, store, turn, found = dut.cipher, dut.store, dut.cipher.write_turn, {}
        ctx.set(cipher.write_job.payload, {"line": address >> 6, "slot": slot})
        ctx.set(cipher.write_job.valid, 1)
        await ctx.tick().until(cipher.write_job.ready)
        ctx.set(cipher.write_job.valid, 0)
        await ctx.tick().until(turn.valid)
        for number, block in blocks.items():
            place = ctx.get(line_place(Const(1, 2), Const(number, 2)))
            for word in range(4):
                ctx.set(store.ram.memory.data[4 * place + word], int.from_bytes(block[4 * word:4 * word + 4], "little"))
            ctx.set(turn.feed.payload, {"decrypt": decrypt, "number": number, "place": place})
            ctx.set(turn.feed.valid, 1)
            await ctx.tick().until(turn.feed.ready)
            ctx.set(turn.feed.valid, 0)
            await ctx.tick().until(cipher.result.valid)
            result = cipher.result.payload
            assert (ctx.get(result.place), ctx.get(result.hide)) == (place, 0)
            found[number] = b"".join(ctx.get(store.ram.memory.data[4 * place + word]).to_bytes(4, "little")
                                     for word in range(4))
        ctx.set(turn.done, 1)
        await ctx.tick()
        ctx.set(turn.done, 0)
        return found

    async def testbench(ctx):
        ctx.set(dut.cipher.serving, (1 << SLOTS) - 1)
        await write_keys(ctx, dut.cipher.round_key, 0, (known.key, known.tweak_key))
        ctx.set(dut.cipher.self_test_keys, 1)
        await ctx.tick().until(~dut.cipher.self_test_busy)
        ctx.set(dut.cipher.self_test_keys, 0)
        for slot, pair in enumerate(keys):
            await write_keys(ctx, dut.cipher.round_key, slot, pair)
        for _ in range(6):
            slot, address, decrypt = rng.randrange(SLOTS), rng.randrange(1 << 25) << 6, rng.randrange(2)
            numbers = sorted(rng.sample(range(4), rng.randint(1, 4)))
            blocks = {number: rng.randbytes(16) for number in numbers}
            model = XtsKey(*keys[slot])
            expected = {number: (model.decrypt if decrypt else model.encrypt)(
                block, address=address + 16 * number, data_unit_bytes=64) for number, block in blocks.items()}
            assert await line(ctx, slot, address, blocks, decrypt=decrypt) == expected

    run(dut, testbench)
