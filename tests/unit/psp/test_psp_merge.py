# amaranth: UnusedElaboratable=no

"""Two managers with random traffic each find what they wrote, while all three ports keep the rules of AXI4."""

import random
from collections import deque

import pytest
from amaranth.sim import Simulator

from cbit.psp.merge import ManagerMerge
from cbit_sim.axi_memory import AxiMemory
from cbit_sim.port_manager import PortManager

HALF_BYTES = 2048
SEED = 24

FREE = {"user": 5, "cache": 4, "prot": 3, "qos": 4, "region": 4}
"""Fields of an address that may be anything, and their widths."""


class RandomManager(PortManager):
    """Writes and reads lines of its half of memory, and compares what it reads."""

    def __init__(self, port, number, memory, rng, *, stalls, count):
        super().__init__(port, f"s_axi {number}", rng, stalls=stalls, count=count, limit_cycles=3000)
        self.number = number
        self.expected = bytearray(memory[number * HALF_BYTES:(number + 1) * HALF_BYTES])
        self.lines, self.sent = {}, {"aw": [], "ar": []}

    @property
    def done(self):
        return not self.left and not self.lines

    def begin(self):
        """Begins a burst on a line that is free, under an ID that is free."""
        line, identifier = self.rng.randrange(HALF_BYTES // 64), self.rng.randrange(4)
        if any(line == busy or identifier == key for key, (busy, _) in self.lines.items()):
            return
        self.left -= 1
        first = self.rng.randrange(4)
        beats = [self.rng.getrandbits(128) for _ in range(self.rng.randrange(4 - first) + 1)]
        address = {"id": identifier, "addr": self.number * HALF_BYTES + 64 * line + 16 * first, "len": len(beats) - 1,
                   "size": 4, "burst": 1, "lock": 0}
        address |= {name: self.rng.getrandbits(width) for name, width in FREE.items()}
        start = 64 * line + 16 * first
        if self.rng.random() < 0.5:
            self.lines[identifier] = (line, None)
            self.queues["aw"].append(address)
            self.sent["aw"].append(address)
            for index, beat in enumerate(beats):
                self.queues["w"].append({"data": beat, "strb": 0xFFFF, "last": index == len(beats) - 1})
                self.expected[start + 16 * index:start + 16 * index + 16] = beat.to_bytes(16, "little")
        else:
            places = range(start, start + 16 * len(beats), 16)
            self.lines[identifier] = (line, deque(int.from_bytes(self.expected[place:place + 16], "little")
                                                  for place in places))
            self.queues["ar"].append(address)
            self.sent["ar"].append(address)

    def judge(self, channels):
        if channels["b"].valid and channels["b"].ready:
            assert channels["b"].payload.resp == 0
            assert self.lines.pop(channels["b"].payload.id)[1] is None
        if channels["r"].valid and channels["r"].ready:
            beat = channels["r"].payload
            assert beat.data == self.lines[beat.id][1].popleft()
            if beat.last:
                assert not self.lines.pop(beat.id)[1]


def merged(stalls, memory_stalls, counts=(50, 50)):
    dut = ManagerMerge(addr_width=12, data_width=128, id_width=2, user_width=5, writes=4)
    memory = AxiMemory(dut.m_axi, size_bytes=2 * HALF_BYTES, rng=random.Random(SEED), stalls=memory_stalls)
    managers = [RandomManager(port, number, memory.memory, random.Random(SEED + 1 + number), stalls=stalls[number],
                              count=counts[number]) for number, port in enumerate(dut.s_axi)]
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for manager in managers:
        simulator.add_testbench(manager.run)
    simulator.add_testbench(memory.serve, background=True)
    simulator.run()
    return memory, managers


@pytest.mark.parametrize("memory_stalls", [0.0, 0.4])
@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.6, 0.1), (0.1, 0.6)])
def test_each_finds_what_it_wrote(stalls, memory_stalls):
    memory, managers = merged(stalls, memory_stalls)
    for manager in managers:
        for bursts, name in ((memory.reads, "ar"), (memory.writes, "aw")):
            assert [burst._replace(id=burst.id & 3)._asdict() for burst in bursts if burst.id >> 2 == manager.number] \
                == manager.sent[name]
        assert memory.memory[manager.number * HALF_BYTES:][:HALF_BYTES] == manager.expected


def test_one_alone_is_not_slowed():
    """Back to back, a read of one beat begins each cycle, and none waits for the other manager, who is silent."""
    dut = ManagerMerge(addr_width=12, data_width=128, id_width=2, user_width=5)

    async def testbench(ctx):
        ctx.set(dut.m_axi.ar.ready, 1)
        ctx.set(dut.s_axi[0].ar.valid, 1)
        for _ in range(20):
            assert ctx.get(dut.m_axi.ar.valid & dut.s_axi[0].ar.ready)
            await ctx.tick()
        ctx.set(dut.s_axi[1].ar.valid, 1)
        taken = [0, 0]
        for _ in range(20):
            await ctx.tick()
            for number in range(2):
                taken[number] += ctx.get(dut.s_axi[number].ar.ready)
        assert taken == [10, 10]

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


async def give(ctx, channel, **fields):
    """Offers a payload until it is taken."""
    for name, value in fields.items():
        ctx.set(getattr(channel.payload, name), value)
    ctx.set(channel.valid, 1)
    taken = False
    while not taken:
        _, _, taken = await ctx.tick().sample(channel.ready)
    ctx.set(channel.valid, 0)


@pytest.mark.parametrize("lasts", [(1, 1), (1, 0), (0, 0), (0, 1), (0, 0, 1), (1, 0, 1)])
def test_a_write_has_the_beats_of_its_address_whatever_is_marked_as_the_last(lasts):
    """The host writes two beats; so does the other manager, whose address follows the host's."""
    dut = ManagerMerge(addr_width=12, data_width=128, id_width=2, user_width=0)
    memory = AxiMemory(dut.m_axi, size_bytes=2 * HALF_BYTES, rng=random.Random(SEED))
    memory.memory[:] = bytes(2 * HALF_BYTES)

    async def first(ctx):
        port = dut.s_axi[0]
        ctx.set(port.b.ready, 1)
        await give(ctx, port.aw, addr=0, len=1, size=4, burst=1)
        for number, last in enumerate(lasts):
            await give(ctx, port.w, data=1 + number, strb=0xFFFF, last=last)

    async def second(ctx):
        port = dut.s_axi[1]
        ctx.set(port.b.ready, 1)
        await ctx.tick().repeat(3)
        await give(ctx, port.aw, addr=HALF_BYTES, len=1, size=4, burst=1)
        for last in range(2):
            await give(ctx, port.w, data=0x5EC2E7 + last, strb=0xFFFF, last=last)
        await ctx.tick().repeat(20)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(first, background=True)
    simulator.add_testbench(second)
    simulator.add_testbench(memory.serve, background=True)
    simulator.run()
    beats = {0: 1, 16: 2, HALF_BYTES: 0x5EC2E7, HALF_BYTES + 16: 0x5EC2E8}
    for place in range(0, 2 * HALF_BYTES, 16):
        assert memory.memory[place:place + 16] == beats.get(place, 0).to_bytes(16, "little"), place


def test_an_address_that_is_taken_back_leaves_nothing():
    """The host offers an address for a cycle in which it is not taken, and data for ever."""
    dut = ManagerMerge(addr_width=12, data_width=128, id_width=2, user_width=0)

    async def testbench(ctx):
        host, other = dut.s_axi
        joined = dut.m_axi
        ctx.set(host.aw.valid, 1)
        await ctx.tick()
        ctx.set(host.aw.valid, 0)
        for port, data in ((host, 0xBAD), (other, 0x600D)):
            ctx.set(port.w.payload.data, data)
            ctx.set(port.w.valid, 1)
        ctx.set(joined.aw.ready, 1)
        ctx.set(joined.w.ready, 1)
        ctx.set(other.aw.valid, 1)
        await ctx.tick().until(other.aw.ready)
        ctx.set(other.aw.valid, 0)
        seen = [await ctx.tick().sample(joined.w.valid, joined.w.payload.data, joined.w.payload.last) for _ in range(6)]
        assert [sample[3:] for sample in seen if sample[2]] == [(0x600D, 1)]

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("number", [0, 1])
def test_answers_show_nowhere_but_where_they_go(number):
    dut = ManagerMerge(addr_width=12, data_width=128, id_width=2, user_width=0)

    async def testbench(ctx):
        joined = dut.m_axi
        ctx.set(joined.r.payload, {"id": 3 | number << 2, "data": 0x5EC2E7, "resp": 2, "last": 1})
        ctx.set(joined.b.payload, {"id": 3 | number << 2, "resp": 2})
        for valid in (0, 1):
            ctx.set(joined.r.valid, valid)
            ctx.set(joined.b.valid, valid)
            for port in range(2):
                shows = valid and port == number
                assert ctx.get(dut.s_axi[port].r.payload.data) == (0x5EC2E7 if shows else 0)
                assert ctx.get(dut.s_axi[port].r.payload.id) == (3 if shows else 0)
                assert ctx.get(dut.s_axi[port].b.payload.id) == (3 if shows else 0)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
