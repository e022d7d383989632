"""LiteDRAM's registers on AXI4-Lite: each access is made once, in order, and has its answer."""

import random

from cbit.axi.ports import Response
from cbit.dram.register_access import RegisterAccess
from cbit_sim.streams import simulate

SEED, ACCESSES = 4, 200
BROKEN = 0x40
"""A word that answers with errors."""


async def access(ctx, axil, rng, address, word):
    """Writes a word, or reads where there is none. Both channels of a write may begin at any time."""
    channels = [(axil.ar, {"addr": address})] if word is None else [
        (axil.aw, {"addr": address}), (axil.w, {"data": word, "strb": 0xF})]
    rng.shuffle(channels)
    for place, (channel, payload) in enumerate(channels):
        if place:
            await ctx.tick().repeat(rng.randrange(1, 4))
        ctx.set(channel.payload, payload)
        ctx.set(channel.valid, 1)
    waiting = [channel for channel, _ in channels]
    while waiting:
        ready = [ctx.get(channel.ready) for channel in waiting]
        await ctx.tick()
        for channel, is_taken in zip(list(waiting), ready):
            if is_taken:
                ctx.set(channel.valid, 0)
                waiting.remove(channel)
    answer = axil.r if word is None else axil.b
    await ctx.tick().repeat(rng.randrange(1, 4))
    ctx.set(answer.ready, 1)
    (payload,) = await ctx.tick().sample(answer.payload).until(answer.valid)
    ctx.set(answer.ready, 0)
    return payload


def test_each_access_is_made_once_and_answered():
    rng = random.Random(SEED)
    dut = RegisterAccess(addr_width=8)
    held, made, wanted = dict.fromkeys(range(0, 256, 4), 0), [], []

    async def manager(ctx):
        for _ in range(ACCESSES):
            address = rng.choice([BROKEN, *rng.sample([*held], 3)])
            word = rng.choice([None, rng.getrandbits(32)])
            wanted.append((address, word))
            before = held[address]
            payload = await access(ctx, dut.s_axil, rng, address, word)
            if address == BROKEN:
                assert Response(payload.resp) is Response.SLVERR
                continue
            assert Response(payload.resp) is Response.OKAY
            if word is None:
                assert payload.data == before
            else:
                assert held[address] == word

    async def registers(ctx):
        for _ in range(ACCESSES):
            await ctx.tick().until(dut.bus.stb)
            for _ in range(rng.randrange(4)):
                await ctx.tick()
                assert ctx.get(dut.bus.stb)
            address = 4 * ctx.get(dut.bus.adr)
            word = ctx.get(dut.bus.dat_w) if ctx.get(dut.bus.we) else None
            made.append((address, word))
            if word is not None and address != BROKEN:
                held[address] = word
            ctx.set(dut.bus.dat_r, held[address])
            ctx.set(dut.err if address == BROKEN else dut.bus.ack, 1)
            await ctx.tick()
            ctx.set(dut.bus.ack, 0)
            ctx.set(dut.err, 0)

    simulate(dut, manager, registers)
    assert made == wanted
    assert {word is None for address, word in made if address == BROKEN} == {True, False}
