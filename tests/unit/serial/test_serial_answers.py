# amaranth: UnusedElaboratable=no
"""The answers to writes: in order, the worst of what came, whatever order DRAM chooses among IDs."""

import random

import pytest

from cbit.axi.ports import Response
from cbit.serial.answers import ACCESSES, SerialAnswers
from cbit_sim.streams import simulate

OKAY, EXOKAY, SLVERR, DECERR = (one.value for one in Response)
ID_WIDTH = 2


def worst(access):
    """What an access answers: of a line EXOKAY counts as OKAY, and what is sent in vain answers SLVERR at least."""
    if access["resp"] is not None:
        return access["resp"]
    found = []
    for resp, is_plain, in_vain in access["bursts"]:
        counted = OKAY if resp == EXOKAY and not is_plain else resp
        found.append(max(counted, SLVERR if in_vain else OKAY))
    return max(found)


def random_access(rng):
    access = {"id": rng.randrange(1 << ID_WIDTH), "resp": None, "bursts": []}
    if rng.random() < 0.2:
        return access | {"resp": rng.choice([OKAY, SLVERR, DECERR])}
    if rng.random() < 0.4:
        return access | {"bursts": [(rng.choice(range(4)), 1, 0)]}
    return access | {"bursts": [(rng.choice(range(4)), 0, int(rng.random() < 0.3)) for _ in range(rng.randint(1, 4))]}


@pytest.mark.parametrize("taken", [1.0, 0.3])
def test_every_write_gets_its_answer_in_order(taken):
    seed = 71
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = SerialAnswers(id_width=ID_WIDTH)
    accesses = [random_access(rng) for _ in range(150)]
    answers = []

    async def testbench(ctx):
        to_enter, to_send, in_dram = list(accesses), [], []
        entered = answered = 0
        while len(answers) < len(accesses):
            enter = to_enter[0] if to_enter and rng.random() < 0.7 else None
            ctx.set(dut.enter.valid, enter is not None)
            if enter is not None:
                ctx.set(dut.enter.payload, {"id": enter["id"], "is_answered": enter["resp"] is not None,
                                            "resp": Response(enter["resp"] or 0)})
            burst = to_send[0] if to_send and rng.random() < 0.7 else None
            ctx.set(dut.send.valid, burst is not None)
            if burst is not None:
                ctx.set(dut.send.payload, burst[0])
            firsts = [next(one for one in in_dram if one[0]["id"] == i) for i in {one[0]["id"] for one in in_dram}]
            back = rng.choice(firsts) if firsts and rng.random() < 0.5 else None
            ctx.set(dut.dram_b.valid, back is not None)
            if back is not None:
                ctx.set(dut.dram_b.payload, {"id": back[0]["id"], "resp": Response(back[1])})
            ctx.set(dut.b.ready, rng.random() < taken)
            assert ctx.get(dut.idle) == (not in_dram)
            number = ctx.get(dut.number)
            enters = enter is not None and ctx.get(dut.enter.ready)
            sends = burst is not None and ctx.get(dut.send.ready)
            if ctx.get(dut.b.valid) and ctx.get(dut.b.ready):
                payload = ctx.get(dut.b.payload)
                answers.append((payload.id, payload.resp.value))
                answered += 1
            if sends:
                in_dram.append(to_send.pop(0))
            if back is not None:
                in_dram.remove(back)
            if enters:
                entered += 1
                to_enter.pop(0)
                last = len(enter["bursts"]) - 1
                to_send += [({"id": enter["id"], "number": number, "is_final": place == last, "is_plain": is_plain,
                              "in_vain": in_vain}, resp)
                            for place, (resp, is_plain, in_vain) in enumerate(enter["bursts"])]
            assert entered - answered <= ACCESSES
            assert len(in_dram) <= 2
            await ctx.tick()

    simulate(dut, testbench)
    assert answers == [(access["id"], worst(access)) for access in accesses]
