"""One answer for each write: DRAM's, the worst of several, or a refusal in its place."""

import itertools
from collections import deque

import pytest

from cbit.axi.ports import Response
from cbit.write.respond import WriteRespond
from cbit_sim.watch import simulate_watched

RESPONSES = list(Response)
PATIENCE = 3


class Bench:
    """DRAM, the table and the manager around the component."""

    def __init__(self, ctx, dut, *, ready=True):
        self.ctx, self.dut = ctx, dut
        self.answers = []
        self.delivered = []
        ctx.set(dut.b.ready, ready)

    async def step(self, count=1):
        for _ in range(count):
            dut = self.dut
            _, _, leaves, answer, delivers, index = await self.ctx.tick().sample(
                dut.b.valid & dut.b.ready, dut.b.payload, dut.deliver, dut.deliver_index)
            if leaves:
                self.answers.append((answer.id, answer.resp))
            if delivers:
                self.delivered.append(index)

    async def send(self, index, *, failed):
        """An encrypted write goes to DRAM."""
        self.ctx.set(self.dut.send, 1)
        self.ctx.set(self.dut.send_index, index)
        self.ctx.set(self.dut.send_failed, failed)
        await self.step()
        self.ctx.set(self.dut.send, 0)

    async def answer(self, identity, response, *, index=0, is_final=True, is_encrypted=False, hit=True):
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.dram_b.payload, {"id": identity, "resp": response})
        ctx.set(dut.responded, {"hit": hit, "index": index, "is_final": is_final, "is_encrypted": is_encrypted})
        ctx.set(dut.dram_b.valid, 1)
        await self.step()
        ctx.set(dut.dram_b.valid, 0)


def play(script, **bench):
    dut = WriteRespond(entries=4, id_width=4, patience=PATIENCE)

    async def testbench(ctx):
        await script(Bench(ctx, dut, **bench))

    simulate_watched(dut, [dut.b], testbench)


def test_a_plain_write_gets_drams_answer_a_cycle_later():
    async def script(bench):
        for index, response in enumerate(RESPONSES):
            await bench.answer(index + 5, response, index=index)
        await bench.step()
        assert bench.answers == [(index + 5, response) for index, response in enumerate(RESPONSES)]
        assert bench.delivered == [0, 1, 2, 3]

    play(script)


@pytest.mark.parametrize("failed", list(itertools.product([False, True], repeat=2)), ids=str)
def test_an_encrypted_write_gets_the_worst_answer_of_its_chunks(failed):
    async def script(bench):
        expected = []
        for responses in itertools.product(RESPONSES, repeat=2):
            for index, vain in enumerate(failed):
                await bench.send(index, failed=vain)
            for index, response in enumerate(responses):
                await bench.answer(2, response, index=index, is_final=index == 1, is_encrypted=True)
            worst = [Response.OKAY if response is Response.EXOKAY else response for response in responses]
            worst += [Response.SLVERR] if any(failed) else []
            expected.append((2, max(worst, key=lambda response: response.value)))
        await bench.step(2)
        assert bench.answers == expected
        assert bench.delivered == [1] * len(expected)

    play(script)


def test_writes_of_other_ids_do_not_mix():
    async def script(bench):
        await bench.answer(1, Response.DECERR, index=0, is_final=False, is_encrypted=True)
        await bench.answer(2, Response.OKAY, index=1, is_encrypted=True)
        await bench.answer(1, Response.OKAY, index=2, is_encrypted=True)
        await bench.answer(1, Response.OKAY, index=3)
        await bench.step(2)
        assert bench.answers == [(2, Response.OKAY), (1, Response.DECERR), (1, Response.OKAY)]

    play(script)


def test_an_answer_nobody_waits_for_is_dropped():
    async def script(bench):
        await bench.answer(1, Response.OKAY, hit=False)
        await bench.step(3)
        assert not bench.answers

    play(script)


def test_a_refusal_waits_for_earlier_writes_of_its_id():
    async def script(bench):
        ctx, dut = bench.ctx, bench.dut
        ctx.set(dut.id_in_flight, 1)
        ctx.set(dut.refused.payload, {"id": 6, "resp": Response.DECERR})
        ctx.set(dut.refused.valid, 1)
        assert ctx.get(dut.refused.ready)
        await bench.step()
        ctx.set(dut.refused.valid, 0)
        assert (ctx.get(dut.refused_busy), ctx.get(dut.refused_id), ctx.get(dut.refused.ready)) == (1, 6, 0)
        await bench.step(3)
        assert not bench.answers
        await bench.answer(6, Response.OKAY, index=3)
        await bench.step(2)
        ctx.set(dut.id_in_flight, 0)
        await bench.step(3)
        assert bench.answers == [(6, Response.OKAY), (6, Response.DECERR)]
        assert bench.delivered == [3]
        assert not ctx.get(dut.refused_busy)

    play(script)


def test_answers_wait_for_the_manager_and_lose_nothing():
    async def script(bench):
        ctx, dut = bench.ctx, bench.dut
        ctx.set(dut.refused.payload, {"id": 9, "resp": Response.SLVERR})
        ctx.set(dut.refused.valid, 1)
        await bench.step()
        ctx.set(dut.refused.valid, 0)
        for index in range(4):
            await bench.answer(index, Response.OKAY, index=index)
        await bench.step(3)
        assert not bench.answers
        assert ctx.get(dut.refused_busy)
        ctx.set(dut.b.ready, 1)
        await bench.step(6)
        assert bench.answers == [(9, Response.SLVERR), *((index, Response.OKAY) for index in range(4))]

    play(script, ready=False)


def test_answers_without_a_pause_pass_a_refusal_only_so_often():
    async def script(bench):
        ctx, dut = bench.ctx, bench.dut
        await bench.answer(1, Response.OKAY)
        ctx.set(dut.refused.payload, {"id": 9, "resp": Response.SLVERR})
        ctx.set(dut.refused.valid, 1)
        await bench.answer(1, Response.OKAY)
        ctx.set(dut.refused.valid, 0)
        for _ in range(PATIENCE + 2):
            await bench.answer(1, Response.OKAY)
        assert (9, Response.SLVERR) in bench.answers[:PATIENCE + 2]

    play(script)


def test_an_answer_every_cycle():
    async def script(bench):
        todo = deque(range(40))
        while todo:
            await bench.answer(todo.popleft() % 16, Response.OKAY)
        assert len(bench.answers) == 39

    play(script)
