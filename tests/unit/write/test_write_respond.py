"""One answer for each write: DRAM's, the worst of several, or a refusal in its place."""

import itertools

import pytest

from cbit.axi.ports import Response
from cbit.write.respond import WriteRespond
from cbit_sim.watch import simulate_watched

RESPONSES = list(Response)
CLEARING_CYCLES = 20


class Bench:
    """Route, port, DRAM and manager around the component."""

    def __init__(self, ctx, dut):
        self.ctx, self.dut = ctx, dut
        self.answers = []
        self.cycle = 0
        ctx.set(dut.b.ready, 1)

    async def step(self, count=1):
        for _ in range(count):
            _, _, leaves, answer = await self.ctx.tick().sample(
                self.dut.b.valid & self.dut.b.ready, self.dut.b.payload)
            if leaves:
                self.answers.append((self.cycle, answer.id, answer.resp))
            self.cycle += 1

    async def enter(self, identity, *, is_final=True, is_line=True, in_vain=False):
        """A burst enters, and goes to DRAM a cycle later."""
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.id, identity)
        ctx.set(dut.enter, 1)
        place = ctx.get(dut.place)
        await self.step()
        ctx.set(dut.enter, 0)
        ctx.set(dut.sent, {"id": identity, "place": place, "is_line": is_line, "is_final": is_final,
                           "in_vain": in_vain})
        ctx.set(dut.send, 1)
        await self.step()
        ctx.set(dut.send, 0)

    async def answer(self, identity, response=Response.OKAY):
        self.ctx.set(self.dut.dram_b.payload, {"id": identity, "resp": response})
        self.ctx.set(self.dut.dram_b.valid, 1)
        await self.step()
        self.ctx.set(self.dut.dram_b.valid, 0)

    def given(self):
        return [(identity, response) for _, identity, response in self.answers]


def play(script, *, pipelined=False, entries=4, id_width=4):
    dut = WriteRespond(entries=entries, id_width=id_width, pipelined=pipelined)

    async def testbench(ctx):
        bench = Bench(ctx, dut)
        await bench.step(CLEARING_CYCLES)
        assert ctx.get(dut.has_room)
        await script(bench)

    simulate_watched(dut, [dut.b], testbench)


@pytest.mark.parametrize(("pipelined", "cycles"), [(False, 1), (True, 4)])
def test_a_plain_write_gets_drams_answer(pipelined, cycles):
    async def script(bench):
        for response in RESPONSES:
            await bench.enter(5, is_line=False)
            begun = bench.cycle
            await bench.answer(5, response)
            await bench.step(6)
            assert bench.answers[-1] == (begun + cycles, 5, response)

    play(script, pipelined=pipelined)


@pytest.mark.parametrize("pipelined", [False, True])
@pytest.mark.parametrize("in_vain", [None, 0, 1, 2])
def test_an_encrypted_write_gets_the_worst_answer_of_its_lines(in_vain, pipelined):
    async def script(bench):
        for responses in itertools.product(RESPONSES, repeat=3):
            for number in range(3):
                await bench.enter(7, is_final=number == 2, in_vain=number == in_vain)
            for response in responses:
                await bench.answer(7, response)
            await bench.step(5)
            seen = [Response.OKAY if response == Response.EXOKAY else response for response in responses]
            if in_vain is not None:
                seen[in_vain] = max(seen[in_vain], Response.SLVERR, key=lambda response: response.value)
            assert bench.given()[-1] == (7, max(seen, key=lambda response: response.value))
        assert len(bench.answers) == 4 ** 3

    play(script, pipelined=pipelined)


@pytest.mark.parametrize("pipelined", [False, True])
def test_writes_of_other_ids_do_not_mix(pipelined):
    async def script(bench):
        await bench.enter(1, is_final=False)
        await bench.enter(1)
        await bench.enter(2)
        await bench.answer(1, Response.DECERR)
        await bench.answer(2)
        await bench.answer(1)
        await bench.step(5)
        assert bench.given() == [(2, Response.OKAY), (1, Response.DECERR)]

    play(script, pipelined=pipelined)


def test_an_answer_nobody_waits_for_is_dropped():
    async def script(bench):
        await bench.answer(3, Response.SLVERR)
        await bench.enter(3)
        await bench.answer(3)
        await bench.answer(3, Response.DECERR)
        await bench.enter(3)
        await bench.answer(3)
        await bench.step(3)
        assert bench.given() == [(3, Response.OKAY)] * 2

    play(script)


@pytest.mark.parametrize("pipelined", [False, True])
def test_an_id_is_idle_when_all_its_writes_are_answered_and_a_refusal_comes_behind_them(pipelined):
    async def script(bench):
        ctx, dut = bench.ctx, bench.dut
        await bench.enter(1)
        await bench.enter(2)
        ctx.set(dut.id, 1)
        await bench.step(2)
        assert not ctx.get(dut.id_is_idle)
        await bench.answer(1)
        while not ctx.get(dut.id_is_idle):
            await bench.step()
        ctx.set(dut.refused.payload, {"id": 1, "resp": Response.SLVERR})
        ctx.set(dut.refused.valid, 1)
        ctx.set(dut.dram_b.valid, 1)
        ctx.set(dut.dram_b.payload, {"id": 2, "resp": Response.OKAY})
        assert not ctx.get(dut.refused.ready)
        await bench.step()
        ctx.set(dut.dram_b.valid, 0)
        assert ctx.get(dut.refused.ready)
        await bench.step()
        ctx.set(dut.refused.valid, 0)
        await bench.step(5)
        assert bench.given() == [(1, Response.OKAY), (2, Response.OKAY), (1, Response.SLVERR)]

    play(script, pipelined=pipelined)


def test_answers_wait_for_the_manager_and_keep_their_room():
    async def script(bench):
        ctx, dut = bench.ctx, bench.dut
        ctx.set(dut.b.ready, 0)
        for identity in range(4):
            assert ctx.get(dut.has_room)
            await bench.enter(identity)
        await bench.step(2)
        assert not ctx.get(dut.has_room)
        for identity in range(4):
            await bench.answer(identity)
        await bench.step(3)
        assert not ctx.get(dut.has_room)
        ctx.set(dut.b.ready, 1)
        await bench.step(7)
        assert ctx.get(dut.has_room)
        assert bench.given() == [(identity, Response.OKAY) for identity in range(4)]

    play(script)


def test_a_wide_id_has_room_for_a_share():
    async def script(bench):
        ctx, dut = bench.ctx, bench.dut
        await bench.step(256)
        for _ in range(8):
            assert ctx.get(dut.id_has_room)
            await bench.enter(200)
        assert not ctx.get(dut.id_has_room)
        await bench.answer(200)
        assert ctx.get(dut.id_has_room)
        ctx.set(dut.id, 201)
        assert ctx.get(dut.id_has_room)

    dut_sizes = {"entries": 16, "id_width": 8}

    dut = WriteRespond(pipelined=False, **dut_sizes)

    async def testbench(ctx):
        await script(Bench(ctx, dut))

    simulate_watched(dut, [dut.b], testbench)
