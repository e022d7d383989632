"""What a whole engine does when its self-test fails, when a key that it keeps is no longer what it was, when a register
is not, and with wide beats."""

import random

import pytest
from amaranth.sim import Simulator

import cbit.aes.round
import cbit.engine
from cbit.aes.sbox import SubBytes
from cbit.axi.ports import Response
from cbit.config import EngineConfig
from cbit.engine import Engine
from cbit.keys.types import Operation, Result, SlotState
from cbit.read.path import ReadPath
from cbit_model.access import Access, Burst, burst_beats
from cbit_model.memory import Memory, WriteBeat
from cbit_sim.axi_lite import Registers

SMALL = {"duplex": False, "unroll": 1, "max_outstanding": 4, "addr_width": 32, "c_bit": 31}
OKAY, SLVERR = Response.OKAY.value, Response.SLVERR.value
PLAIN, ENCRYPTED = 0x1000, 1 << 31 | 0x1000
ONES = (1 << 128) - 1


class Psp(Registers):
    """What the security processor does."""

    def __init__(self, dut):
        super().__init__(dut.s_axil_psp, "psp")

    async def wait_ready(self, ctx):
        while (status := await self.read(ctx, "STATUS"))["BUSY"] or status["SELF_TEST_BUSY"]:
            assert not status["RELEASED"]
        return status

    async def write_keys(self, ctx):
        """Returns the responses."""
        return {await self.write(ctx, f"{name}{word}", WORD=word + (name == "KEY_DATA"))
                for name in ("KEY_DATA", "KEY_TWEAK") for word in range(4)}

    async def install(self, ctx):
        await self.write(ctx, "COMMAND", OP=Operation.INSTALL.value)
        while (status := await self.read(ctx, "COMMAND_STATUS"))["BUSY"]:
            pass
        return Result(status["RESULT"])

    async def start(self, ctx):
        """Gives the host its key, and releases the engine."""
        await self.wait_ready(ctx)
        await self.write_keys(ctx)
        assert await self.install(ctx) == Result.OK
        await self.write(ctx, "MODE", SME=1)
        await self.write(ctx, "CONTROL", RELEASE=1)


LIMIT_CYCLES = 10_000


def simulate(dut, testbench, *beside):
    """Runs until the testbench ends, or raises after :data:`LIMIT_CYCLES`."""
    async def watch(ctx):
        for _ in range(LIMIT_CYCLES):
            await ctx.tick()
        raise TimeoutError

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    for background in (watch, *beside):
        simulator.add_testbench(background, background=True)
    simulator.run()


class DeadSubBytes(SubBytes):
    """Its first S-box gives zero."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.o[:len(self.o) // 16].eq(0)
        return m


EXPANDED, CACHED = {"asid_count": 2}, {"asid_count": 3, "key_ways": 2}


@pytest.mark.parametrize(("fails", "keys"), [
    pytest.param(False, EXPANDED, id="passes, expanded"), pytest.param(True, CACHED, id="fails, cached"),
    pytest.param(False, CACHED, id="passes, cached", marks=pytest.mark.slow),
    pytest.param(True, EXPANDED, id="fails, expanded", marks=pytest.mark.slow)])
def test_engine_opens_only_if_its_self_test_passes(monkeypatch, fails, keys):
    if fails:
        monkeypatch.setattr(cbit.aes.round, "SubBytes", DeadSubBytes)
    dut = Engine(EngineConfig(**SMALL, **keys))
    psp = Psp(dut)
    refusal = SLVERR if fails else OKAY

    async def testbench(ctx):
        assert await psp.write(ctx, "CONTROL", RELEASE=1) == SLVERR
        assert (await psp.wait_ready(ctx))["SELF_TEST_FAILED"] == fails
        assert await psp.write_keys(ctx) == {refusal}
        assert await psp.install(ctx) == (Result.CLOSED if fails else Result.OK)
        assert await psp.write(ctx, "CONTROL", RELEASE=1) == refusal
        ctx.set(dut.s_axi.ar.valid, 1)
        taken = False
        for _ in range(20):
            await ctx.tick()
            taken |= bool(ctx.get(dut.s_axi.ar.ready))
        assert taken != fails

    simulate(dut, testbench)


class Dram:
    """Answers every burst of the engine, and counts those that come and the bytes that are written."""

    def __init__(self, dut):
        self.port = dut.m_axi
        self.reads = self.written = 0

    async def _pass(self, ctx, channel):
        """Waits until a channel that is always ready has something, and returns that."""
        while not ctx.get(channel.valid):
            await ctx.tick()
        payload = ctx.get(channel.payload)
        await ctx.tick()
        return payload

    async def _offer(self, ctx, channel):
        ctx.set(channel.valid, 1)
        while not ctx.get(channel.ready):
            await ctx.tick()
        await ctx.tick()
        ctx.set(channel.valid, 0)

    async def serve_reads(self, ctx):
        ctx.set(self.port.ar.ready, 1)
        while True:
            burst = await self._pass(ctx, self.port.ar)
            ctx.set(self.port.ar.ready, 0)
            self.reads += 1
            for beat in range(burst.len + 1):
                ctx.set(self.port.r.payload, {"id": burst.id, "data": 7, "last": beat == burst.len})
                await self._offer(ctx, self.port.r)
            ctx.set(self.port.ar.ready, 1)

    async def serve_writes(self, ctx):
        ctx.set(self.port.aw.ready, 1)
        ctx.set(self.port.w.ready, 1)
        while True:
            beat = await self._pass(ctx, self.port.w)
            self.written += beat.strb.bit_count()
            if beat.last:
                await self._offer(ctx, self.port.b)


class Manager:
    """One access of a block at a time."""

    def __init__(self, dut):
        self.port = dut.s_axi

    async def _address(self, ctx, channel, address):
        ctx.set(channel.payload, {"addr": address, "size": 4, "burst": 1})
        ctx.set(channel.valid, 1)
        await ctx.tick().until(channel.ready)
        ctx.set(channel.valid, 0)

    async def offer(self, ctx, address):
        """Begins a read."""
        await self._address(ctx, self.port.ar, address)

    async def take(self, ctx):
        """Takes the answer to a read."""
        ctx.set(self.port.r.ready, 1)
        (beat,) = await ctx.tick().sample(self.port.r.payload).until(self.port.r.valid)
        return beat.resp.value, beat.data

    async def read(self, ctx, address):
        await self.offer(ctx, address)
        return await self.take(ctx)

    async def write(self, ctx, address):
        await self._address(ctx, self.port.aw, address)
        ctx.set(self.port.w.payload, {"data": 5, "strb": 0xffff, "last": 1})
        ctx.set(self.port.w.valid, 1)
        await ctx.tick().until(self.port.w.ready)
        ctx.set(self.port.w.valid, 0)
        ctx.set(self.port.b.ready, 1)
        (answer,) = await ctx.tick().sample(self.port.b.payload).until(self.port.b.valid)
        return answer.resp.value


LANE_MEMORIES = 4
"""One for each direction of the first AddRoundKey, and of the round; those of tweaks come after them."""


@pytest.mark.parametrize(("is_write", "which", "pipelined"), [
    (False, "lane", False), (True, "tweaks", False), (True, "lane", True),
    pytest.param(False, "tweaks", True, marks=pytest.mark.slow)],
    ids=["read lane", "write tweaks", "pipelined write lane", "pipelined read tweaks"])
def test_a_faulty_key_fails_what_uses_it_and_erases_every_key(round_key_memories, is_write, which, pipelined):
    dut = Engine(EngineConfig(asid_count=2, pipelined=pipelined, **SMALL))
    psp, dram, manager = Psp(dut), Dram(dut), Manager(dut)

    async def testbench(ctx):
        await psp.start(ctx)
        assert (await manager.read(ctx, ENCRYPTED))[0] == OKAY
        assert await manager.write(ctx, ENCRYPTED) == OKAY
        assert dram.written == 16

        lane, tweaks = round_key_memories[:LANE_MEMORIES], round_key_memories[LANE_MEMORIES:]
        for memory in lane if which == "lane" else tweaks:
            ctx.set(memory.data[0], ctx.get(memory.data[0]) ^ 1 << 60)
        if is_write:
            assert await manager.write(ctx, ENCRYPTED) == SLVERR
        else:
            assert await manager.read(ctx, ENCRYPTED) == (SLVERR, ONES)
        status = await psp.read(ctx, "STATUS")
        assert (status["KEY_FAULT"], status["SELF_TEST_FAILED"], status["RELEASED"]) == (1, 0, 1)
        while (await psp.read(ctx, "STATUS"))["BUSY"]:
            pass
        assert SlotState((await psp.read(ctx, "SLOT_STATE"))["STATE"]) == SlotState.EMPTY
        for memory in round_key_memories:
            assert not any(ctx.get(memory.data[row]) for row in range(memory.depth))
        assert await psp.write_keys(ctx) == {SLVERR}
        assert await psp.install(ctx) == Result.CLOSED

        reads = dram.reads
        assert await manager.read(ctx, ENCRYPTED) == (SLVERR, ONES)
        assert await manager.write(ctx, ENCRYPTED) == SLVERR
        assert (dram.reads, dram.written) == (reads, 16)
        assert await manager.read(ctx, PLAIN) == (OKAY, 7)
        assert await manager.write(ctx, PLAIN) == OKAY
        assert dram.written == 32

    simulate(dut, testbench, dram.serve_reads, dram.serve_writes)


class Content(Dram):
    """Bytes, of which every burst that reaches them takes or leaves some."""

    def __init__(self, dut, content):
        super().__init__(dut)
        self.content = content
        self.bus_bytes = dut.config.data_width // 8

    def _places(self, burst):
        beats = burst_beats(burst.addr, burst.len + 1, burst.size, Burst.INCR, self.bus_bytes)
        return [beat.container for beat in beats]

    async def serve_reads(self, ctx):
        while True:
            ctx.set(self.port.ar.ready, 1)
            burst = await self._pass(ctx, self.port.ar)
            ctx.set(self.port.ar.ready, 0)
            self.reads += burst.len + 1
            for beat, place in enumerate(self._places(burst)):
                data = int.from_bytes(self.content[place:place + self.bus_bytes], "little")
                ctx.set(self.port.r.payload, {"id": burst.id, "data": data, "last": beat == burst.len})
                await self._offer(ctx, self.port.r)

    async def serve_writes(self, ctx):
        while True:
            ctx.set(self.port.aw.ready, 1)
            burst = await self._pass(ctx, self.port.aw)
            ctx.set(self.port.aw.ready, 0)
            ctx.set(self.port.w.ready, 1)
            for place in self._places(burst):
                beat = await self._pass(ctx, self.port.w)
                for lane in range(self.bus_bytes):
                    if beat.strb >> lane & 1:
                        self.content[place + lane] = beat.data >> 8 * lane & 0xFF
            ctx.set(self.port.w.ready, 0)
            ctx.set(self.port.b.payload.id, burst.id)
            await self._offer(ctx, self.port.b)


class WideManager(Manager):
    """One INCR burst at a time."""

    async def _begin(self, ctx, channel, access):
        ctx.set(channel.payload, {"addr": access.address, "len": access.length - 1, "size": access.size, "burst": 1})
        ctx.set(channel.valid, 1)
        await ctx.tick().until(channel.ready)
        ctx.set(channel.valid, 0)

    async def read(self, ctx, access):
        await self._begin(ctx, self.port.ar, access)
        ctx.set(self.port.r.ready, 1)
        beats = [(await ctx.tick().sample(self.port.r.payload).until(self.port.r.valid))[0]
                 for _ in range(access.length)]
        ctx.set(self.port.r.ready, 0)
        return [(beat.data, beat.resp.value) for beat in beats]

    async def write(self, ctx, access, beats):
        await self._begin(ctx, self.port.aw, access)
        for data, strobe in beats:
            ctx.set(self.port.w.payload, {"data": int.from_bytes(data, "little"), "strb": strobe})
            ctx.set(self.port.w.valid, 1)
            await ctx.tick().until(self.port.w.ready)
        ctx.set(self.port.w.valid, 0)
        ctx.set(self.port.b.ready, 1)
        (answer,) = await ctx.tick().sample(self.port.b.payload).until(self.port.b.valid)
        ctx.set(self.port.b.ready, 0)
        return answer.resp.value


@pytest.mark.parametrize("data_width", [pytest.param(256, marks=pytest.mark.slow), 512])
def test_wide_beats_are_what_the_model_makes_of_them(data_width):
    """Whole lines, some blocks of a beat, some bytes of some blocks, and narrow beats."""
    dut = Engine(EngineConfig(asid_count=2, data_width=data_width, **SMALL))
    bus_bytes, seed = data_width // 8, 5
    print(f"seed {seed}")
    rng = random.Random(seed)
    model = Memory(size_bytes=8192, addr_width=32, c_bit=31, asid_count=2, data_width=data_width)
    psp, dram, manager = Psp(dut), Content(dut, bytearray(rng.randbytes(8192))), WideManager(dut)
    widest = bus_bytes.bit_length() - 1
    strobes = [(1 << bus_bytes) - 1, 0xFFFF, 0xFFFF << bus_bytes - 16, 0xFF << bus_bytes - 20, 0]

    async def testbench(ctx):
        await psp.start(ctx)
        key, tweak_key = (b"".join((word + first).to_bytes(4, "little") for word in range(4)) for first in (1, 0))
        model.dram.content[:] = dram.content
        model.install(0, key, tweak_key)
        model.set_mode(sme=True, tsme=False, sev=False)
        model.release()
        for strobe, size, offset, length in (
                *((strobe, widest, 0, 64 // bus_bytes) for strobe in strobes), (strobes[0], widest, 16, 2),
                (strobes[0], 2, 24, 5), (strobes[0], 4, 16, 3)):
            access = Access(address=ENCRYPTED | 64 * rng.randrange(16) + offset, length=length, size=size)
            beats = [WriteBeat(rng.randbytes(bus_bytes), strobe & lanes) for _, lanes in
                     burst_beats(access.address, length, size, Burst.INCR, bus_bytes)]
            reads = dram.reads
            assert await manager.write(ctx, access, beats) == model.write(access, beats)
            assert dram.content == model.dram.content
            is_partial = any(beat.strobe >> block & 0xFFFF not in (0, 0xFFFF)
                             for beat in beats for block in range(0, bus_bytes, 16))
            assert is_partial or dram.reads == reads
            seen = zip(await manager.read(ctx, access), model.read(access), strict=True)
            for (data, resp), expected in seen:
                assert resp == expected.response
                assert all(data >> 8 * lane & 0xFF == expected.data[lane]
                           for lane in range(bus_bytes) if expected.lanes >> lane & 1)

    simulate(dut, testbench, dram.serve_reads, dram.serve_writes)


@pytest.fixture
def read_paths(monkeypatch):
    """A list to which each read path is added as it is made."""
    made = []

    def make(**parameters):
        made.append(ReadPath(**parameters))
        return made[-1]

    monkeypatch.setattr(cbit.engine, "ReadPath", make)
    return made


@pytest.mark.parametrize("pipelined", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_flipped_register_closes_a_guarded_engine_and_erases_every_key(round_key_memories, read_paths, pipelined):
    dut = Engine(EngineConfig(asid_count=2, pipelined=pipelined, guarded=True, **SMALL))
    psp, dram, manager = Psp(dut), Dram(dut), Manager(dut)
    channels = dut.s_axi.ar, dut.s_axi.aw, dut.s_axi.w

    async def testbench(ctx):
        await psp.start(ctx)
        assert (await manager.read(ctx, ENCRYPTED))[0] == OKAY
        assert await manager.write(ctx, ENCRYPTED) == OKAY
        assert (await psp.read(ctx, "STATUS"))["UPSET"] == 0
        await psp.write(ctx, "IRQ_ENABLE", FAULT=1)
        assert not ctx.get(dut.irq)

        await manager.offer(ctx, PLAIN)
        (path,) = read_paths
        ctx.set(path.deliver.encrypted_left, ctx.get(path.deliver.encrypted_left) ^ 4)
        assert await manager.take(ctx) == (SLVERR, ONES)
        status = await psp.read(ctx, "STATUS")
        assert (status["UPSET"], status["SELF_TEST_FAILED"], status["RELEASED"]) == (1, 0, 0)
        assert ctx.get(dut.irq)
        while (await psp.read(ctx, "STATUS"))["BUSY"]:
            pass
        for memory in round_key_memories:
            assert not any(ctx.get(memory.data[row]) for row in range(memory.depth))
        assert await psp.write_keys(ctx) == {SLVERR}
        assert await psp.install(ctx) == Result.CLOSED
        assert await psp.write(ctx, "CONTROL", RELEASE=1) == SLVERR
        for channel in channels:
            ctx.set(channel.valid, 1)
        for _ in range(20):
            await ctx.tick()
            assert not any(ctx.get(channel.ready) for channel in channels)
        assert dram.written == 16

    simulate(dut, testbench, dram.serve_reads, dram.serve_writes)
