"""The self-test of the XTS unit: it passes, it finds a fault in any AES core, and nobody sees it."""

import itertools
import random

import pytest
from amaranth.sim import Simulator

import cbit.aes.round
from cbit.aes.known_answer import known_answer
from cbit.aes.sbox import SubBytes
from cbit.config import SBox
from cbit.xts.unit import XtsUnit
from cbit_sim.aes_keys import expand_key

SLOTS = 3
LIMIT_CYCLES = 10_000
RING = {"duplex": False, "unroll": 2}
FORMS = {
    "duplex": {},
    "shared": {"duplex": False},
    "ring": RING,
    "requests": {"pipelined_requests": True},
    "two rounds": {"rounds_per_cycle": 2},
    "pipelined": {"pipelined": True, "cycles_per_round": 3, "duplex": False, "unroll": 5},
    "block RAM ring": {"pipelined": True, "cycles_per_round": 3, "sbox": SBox.BLOCK_RAM, **RING},
    "page": {"data_unit_bytes": 4096, "pipelined": True, "cycles_per_round": 2, **RING},
    "AES-256": {"key_bits": 256, "duplex": False, "unroll": 2},
    "four blocks a beat": {"data_width": 512, **RING},
}


def unit(**change):
    parameters = {"data_width": 128, "key_bits": 128, "c_bit": 13, "slots": SLOTS, "data_unit_bytes": 64,
                  "duplex": True, "unroll": 10, "rounds_per_cycle": 1, "cycles_per_round": 1, "pipelined": False,
                  "sbox": SBox.TABLE, "block_ram_rounds": 140, "read_entries": 4, "write_entries": 4, "read_tag": 9,
                  "write_tag": 6}
    return XtsUnit(**(parameters | {"pipelined_requests": change.get("pipelined", False)} | change))


def run_self_test(dut, *, spoil=None, before=lambda _ctx: None):
    """Writes the keys of the self-test, runs it and returns whether it passed and how many cycles it took.

    Parameters
    ----------
    spoil : (int, int) or None
        The round key of which a bit is wrong: which key, which round.
    before : callable
        Called with the simulation's context before the self-test runs.
    """
    known = known_answer(dut.key_bits)
    outcome = []

    async def testbench(ctx):
        port = dut.round_key
        for tweak_key, key in enumerate((known.key, known.tweak_key)):
            for number, data in enumerate(expand_key(key)):
                ctx.set(port.valid, 1)
                ctx.set(port.tweak_key, tweak_key)
                ctx.set(port.round, number)
                ctx.set(port.data, int.from_bytes(data, "little") ^ (spoil == (tweak_key, number)))
                await ctx.tick()
                ctx.set(port.valid, 0)
                await ctx.tick()
        for _ in range(20):
            await ctx.tick()
            assert ctx.get(dut.self_test_busy)
        before(ctx)
        ctx.set(dut.self_test_keys, 1)
        cycles = 0
        while ctx.get(dut.self_test_busy) and cycles < LIMIT_CYCLES:
            for output in (dut.read_o, dut.write_o, dut.read_tweak, dut.write_tweak):
                assert not ctx.get(output.valid)
            await ctx.tick()
            cycles += 1
        outcome.append((not ctx.get(dut.self_test_failed), cycles))
        for _ in range(100):  # it does not run again, and what it found stays
            await ctx.tick()
            assert not ctx.get(dut.self_test_busy)
            assert ctx.get(dut.self_test_failed) == (not outcome[0][0])

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return outcome[0]


@pytest.mark.parametrize("change", FORMS.values(), ids=FORMS)
def test_passes_in_the_stated_time(change):
    dut = unit(**change)
    passed, cycles = run_self_test(dut)
    assert passed
    lanes = list(dut.lanes.values())
    aes = sum(engine.latency_cycles + dut.pipelined_requests for engine in dut.tweaks.values())
    aes += sum(lane.latency_cycles for lane in (lanes * 2)[:2])
    assert cycles == 1 + aes + 2 * (2 + len(dut.tweaks))


@pytest.mark.parametrize("spoil", [(0, 0), (0, 5), (0, 10), (1, 0), (1, 7), (1, 10)])
def test_fails_with_a_wrong_bit_of_either_schedule(spoil):
    assert not run_self_test(unit(**RING), spoil=spoil)[0]


def test_fails_with_a_lost_parity(round_key_memories):
    """Although every answer is right."""
    dut = unit(**RING)

    def lose(ctx):
        memory = round_key_memories[-1]
        for row in (memory.data[number] for number in range(memory.depth)):
            ctx.set(row, ctx.get(row) ^ 1 << 128)

    assert not run_self_test(dut, before=lose)[0]


@pytest.mark.parametrize(("change", "core"), [
    ({}, 0), ({}, 19), ({}, 24), (RING, 0), (RING, 1), (RING, 2),
    pytest.param(RING | {"data_width": 256}, 1, marks=pytest.mark.slow), (RING | {"data_width": 512}, 7),
    pytest.param(RING | {"data_width": 512}, 8, marks=pytest.mark.slow)],
    ids=["first", "last encrypting", "last of tweaks", "ring 0", "ring 1", "ring of tweaks", "first of two blocks",
         "last of four blocks", "tweaks of four blocks"])
def test_fails_with_a_dead_sbox_in_any_core(monkeypatch, change, core):
    assert not run_self_test(_with_dead_sbox(monkeypatch, change, core))[0]


def _with_dead_sbox(monkeypatch, change, core):
    """A unit of which one S-box of round number ``core`` in hardware gives zero."""
    dead = random.Random(core).randrange(16)
    numbers = itertools.count()

    class DeadSubBytes(SubBytes):
        def __init__(self, **parameters):
            self.has_dead = next(numbers) == core
            super().__init__(**parameters)

        def elaborate(self, platform):
            m = super().elaborate(platform)
            if self.has_dead:
                m.d.comb += self.o.word_select(dead, len(self.o) // 16).eq(0)
            return m

    monkeypatch.setattr(cbit.aes.round, "SubBytes", DeadSubBytes)
    return unit(**change)
