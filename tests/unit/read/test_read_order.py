"""Where beats stand in the order of their arrival."""

import random

import pytest

from cbit.read.order import ArrivalOrder
from cbit_sim.streams import simulate

MODULUS = 1 << 11


@pytest.mark.parametrize("pipelined", [False, True], ids=["direct", "pipelined"])
@pytest.mark.parametrize("id_width", [2, 4, 8])
def test_says_what_a_beat_must_not_pass(pipelined, id_width):
    dut = ArrivalOrder(id_width=id_width, pipelined=pipelined)
    rng = random.Random(131)
    inside = []
    behind = 0

    async def testbench(ctx):
        nonlocal behind
        plain = encrypted = left = 0
        expected = [None] * dut.latency_cycles
        for cycle in range(7000):
            kind, identity = rng.choice(["plain", "encrypted", None]), rng.randrange(1 << id_width)
            if kind == "encrypted" and (len(inside) > 20 or cycle % 50 > 30):
                kind = None
            ctx.set(dut.plain, kind == "plain")
            ctx.set(dut.encrypted, kind == "encrypted")
            ctx.set(dut.id, identity)
            ctx.set(dut.encrypted_left, left % MODULUS)
            before = [number for other, number in inside if other == identity]
            expected.append({"kind": kind, "before": max(before, default=0), "plain": plain,
                             "any": bool(inside), "newest": encrypted})
            want = expected.pop(0)
            place = ctx.get(dut.place)
            if want and want["kind"] == "encrypted":
                assert place.mark == want["plain"] % MODULUS
            if want and want["kind"] == "plain":
                if want["before"]:
                    assert place.is_behind
                    assert (place.mark - want["before"]) % MODULUS <= want["newest"] - want["before"]
                    behind += 1
                elif (id_width <= 4 and want["newest"] < MODULUS) or not want["any"]:
                    assert not place.is_behind
            await ctx.tick()
            plain += kind == "plain"
            if kind == "encrypted":
                encrypted += 1
                inside.append((identity, encrypted))
            if inside and rng.random() < 0.4:
                left = inside.pop(0)[1]

    simulate(dut, testbench)
    assert behind > 5
