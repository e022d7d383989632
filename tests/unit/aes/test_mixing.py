import pytest
from amaranth.sim import Simulator

from cbit.aes import field
from cbit.aes.cipher import Direction
from cbit.aes.mix_columns import MixColumns
from cbit.aes.mixing import PLAIN, mixing_of

COEFFICIENTS = {False: (2, 3, 1, 1), True: (14, 11, 13, 9)}
"""Of a byte and those below it, in MixColumns and in InvMixColumns (FIPS 197, 5.1.3 and 5.3.3)."""

INVERSES = {Direction.ENCRYPT: (False,), Direction.DECRYPT: (True,), Direction.BOTH: (False, True)}
CASES = [(direction, inverse) for direction, inverses in INVERSES.items() for inverse in inverses]


def rows_of_state(rows, state):
    """``rows`` of each byte of a state."""
    return sum(field.apply(field.transpose(rows, 8), byte) << len(rows) * i for i, byte in enumerate(state))


def mix(state, coefficients):
    mixed = bytearray(16)
    for i in range(16):
        for below, coefficient in enumerate(coefficients):
            mixed[i] ^= field.multiply(coefficient, state[i - i % 4 + (i + below) % 4])
    return bytes(mixed)


UNIT_STATES = [(1 << bit).to_bytes(16, "little") for bit in range(128)]
"""A linear map is known by what it makes of these."""


@pytest.mark.parametrize("stages", [0, 1, 2])
@pytest.mark.parametrize(("direction", "inverse"), CASES)
def test_xors_of_what_the_sboxes_give_are_mix_columns(direction, inverse, stages):
    mixing = mixing_of(direction)
    dut = MixColumns(direction=direction, stages=stages)

    async def check(ctx):
        for state in [bytes(16), *UNIT_STATES]:
            ctx.set(dut.i, rows_of_state(mixing.images[inverse], state))
            if stages:
                await ctx.tick().repeat(stages)
            assert ctx.get(dut.mixed) == rows_of_state(mixing.basis, mix(state, COEFFICIENTS[inverse]))
            assert ctx.get(dut.plain) == int.from_bytes(state, "little")

    simulator = Simulator(dut)
    if stages:
        simulator.add_clock(1e-6)
    simulator.add_testbench(check)
    simulator.run()


@pytest.mark.parametrize("stages", [0, 1, 2])
@pytest.mark.parametrize("direction", Direction)
def test_the_key_is_added_with_the_last_register(direction, stages):
    dut = MixColumns(direction=direction, stages=stages)
    keys = [3 ** (70 + i) % 2 ** 128 for i in range(6)]
    seen = []

    async def check(ctx):
        for key in keys:
            ctx.set(dut.key, key)
            if stages:
                await ctx.tick()
            seen.append((ctx.get(dut.mixed), ctx.get(dut.plain)))

    simulator = Simulator(dut)
    if stages:
        simulator.add_clock(1e-6)
    simulator.add_testbench(check)
    simulator.run()
    assert seen == [(key, key) for key in keys]


@pytest.mark.parametrize("direction", Direction)
def test_a_bit_costs_few_inputs(direction):
    mixing = mixing_of(direction)
    assert mixing.width <= 18, "a word of a block RAM with two ports"
    assert all(len(sources) <= 4 for sources in mixing.middle)
    assert all(len(bits) <= 3 for bits in mixing.plain), "with a key, a LUT4"
    if direction is not Direction.BOTH:
        assert all(len(sources) == 2 for sources in mixing.mixed)


def test_states_of_encryption_are_in_the_basis_of_the_standard():
    assert mixing_of(Direction.ENCRYPT).basis == mixing_of(Direction.BOTH).basis == PLAIN
