# amaranth: UnusedElaboratable=no
"""The self-test of the ring: it passes, and it finds a faulty round key or a wrong round, in either direction."""

import pytest
from amaranth.sim import Simulator

import cbit.serial.ring
from cbit.aes.known_answer import known_answer
from cbit.aes.sbox import SubBytes
from cbit.serial.cipher import SerialCipher
from cbit.serial.self_test import known_plain
from cbit_sim.aes_keys import prepared_words

SLOTS = 2
MOST_CYCLES = 200


def outcome(key_bits=128, *, spoil=lambda *_: 0):
    """Whether the self-test has passed.

    Parameters
    ----------
    spoil : callable
        Of which key, whether inverse, step and column a word is: what is wrong with it.
    """
    dut = SerialCipher(key_bits=key_bits, slots=SLOTS, c_bit=31)
    known = known_answer(key_bits)
    found = []

    async def testbench(ctx):
        port = dut.round_key
        for tweak_key, key in enumerate((known.key, known.tweak_key)):
            for inverse, step, column, word in prepared_words(key, decrypts=not tweak_key):
                values = {"columns": 1 << column, "tweak_key": tweak_key, "inverse": inverse, "step": step,
                          "data": word ^ spoil(tweak_key, inverse, step, column)}
                for name, value in values.items():
                    ctx.set(getattr(port, name), value)
                await ctx.tick()
        ctx.set(port.columns, 0)
        ctx.set(dut.self_test_keys, 1)
        ctx.set(dut.plain, known_plain(key_bits))
        stored = {}
        for _ in range(MOST_CYCLES):
            assert not ctx.get(dut.key_fault)
            if ctx.get(dut.result.valid):
                result = ctx.get(dut.result.payload)
                stored[result.place] = (result.entry.data, result.entry.resp.value)
            data, resp = stored.get(ctx.get(dut.place), (0, 0))
            await ctx.tick()
            ctx.set(dut.stored, {"data": data, "resp": resp})
        assert not ctx.get(dut.self_test_busy)
        found.append(not ctx.get(dut.self_test_failed))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return found[0]


@pytest.mark.parametrize("key_bits", [128, pytest.param(256, marks=pytest.mark.slow)])
def test_a_ring_in_order_passes(key_bits):
    assert outcome(key_bits)


@pytest.mark.parametrize(("tweak_key", "inverse", "step", "column"), [
    (0, 0, 0, 3), (0, 0, 10, 1), (0, 1, 5, 2), (1, 0, 4, 0)])
def test_a_fault_is_found(tweak_key, inverse, step, column):
    assert not outcome(spoil=lambda *place: place == (tweak_key, inverse, step, column))


@pytest.mark.parametrize("direction", [0, 1], ids=["encrypting", "decrypting"])
def test_a_wrong_s_box_is_found(monkeypatch, direction):
    class Wrong(SubBytes):
        def elaborate(self, platform):
            m = super().elaborate(platform)
            if self.count == 16:
                m.d.comb += self.o[16 * 7].eq(self.decrypt == direction)
            return m

    monkeypatch.setattr(cbit.serial.ring, "SubBytes", Wrong)
    assert not outcome()
