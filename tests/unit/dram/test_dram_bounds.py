# amaranth: UnusedElaboratable=no

"""What passes to a controller, what is answered before it, and in which order."""

import random
from collections import deque

import pytest
from amaranth.sim import Simulator

from cbit.dram.bounds import Bounds
from cbit_sim.axi_memory import AxiMemory
from cbit_sim.beats import Address, lanes_of
from cbit_sim.port_manager import PortManager

MEMORY_WIDTH = 12
ADDR_WIDTH = 20
IDS = 4
OKAY, DECERR = 0, 3
SEED = 31


class Manager(PortManager):
    """Random reads and writes, some beyond the memory, some exclusive; knows what each is to be answered."""

    def __init__(self, port, memory, rng, *, stalls, count):
        super().__init__(port, "s_axi", rng, stalls=stalls, count=count, limit_cycles=10_000)
        self.expected = bytearray(memory)
        self.answers = {"b": deque(), "r": deque()}
        self.busy = set()

    @property
    def done(self):
        return not (self.left or self.answers["b"] or self.answers["r"])

    def begin(self):
        """A line that no other access has, so that its content is known."""
        rng = self.rng
        line = rng.randrange((1 << MEMORY_WIDTH) // 64)
        if line in self.busy:
            return
        self.left -= 1
        self.busy.add(line)
        beyond = rng.random() < 0.25
        high = rng.randrange(1, 1 << ADDR_WIDTH - MEMORY_WIDTH) << MEMORY_WIDTH if beyond else 0
        lock = int(rng.random() < 0.2)
        length = rng.choice((1, 2, 4)) if lock else rng.randint(1, 4)
        address = Address(rng.randrange(IDS), high | 64 * line, length - 1, 4, lock=lock)
        payload = {name: getattr(address, name) for name in ("id", "addr", "len", "size", "burst", "lock")}
        places = [place & (1 << MEMORY_WIDTH) - 1 for place, _ in lanes_of(address, 16)]
        if rng.random() < 0.5:
            self.queues["aw"].append(payload)
            for place in places:
                beat = rng.randbytes(16)
                self.queues["w"].append({"data": int.from_bytes(beat, "little"), "strb": 0xFFFF,
                                         "last": place == places[-1]})
                if not beyond and not lock:
                    self.expected[place:place + 16] = beat
            self.answers["b"].append((line, address.id, DECERR if beyond else OKAY))
        else:
            self.queues["ar"].append(payload)
            for place in places:
                data = bytes(16) if beyond else self.expected[place:place + 16]
                self.answers["r"].append((line if place == places[-1] else None, address.id,
                                          DECERR if beyond else OKAY, int.from_bytes(data, "little")))

    def judge(self, channels):
        if channels["b"].valid and channels["b"].ready:
            line, *expected = self.answers["b"].popleft()
            assert [channels["b"].payload.id, channels["b"].payload.resp] == expected
            self.busy.discard(line)
        if channels["r"].valid and channels["r"].ready:
            beat = channels["r"].payload
            line, *expected = self.answers["r"].popleft()
            assert [beat.id, beat.resp, beat.data] == expected
            self.busy.discard(line)


def bounds(**changes):
    return Bounds(**{"addr_width": ADDR_WIDTH, "data_width": 128, "id_width": 2, "memory_width": MEMORY_WIDTH,
                     "reads": 4, "writes": 3} | changes)


@pytest.mark.parametrize("memory_stalls", [0.0, 0.5])
@pytest.mark.parametrize("stalls", [0.0, 0.5])
def test_random_accesses(stalls, memory_stalls):
    """Answers in the order of the addresses; only what is within the memory, and no exclusive write, reaches it."""
    dut = bounds()
    memory = AxiMemory(dut.m_axi, size_bytes=1 << MEMORY_WIDTH, rng=random.Random(SEED), stalls=memory_stalls)
    manager = Manager(dut.s_axi, memory.memory, random.Random(SEED + 1), stalls=stalls, count=400)

    async def testbench(ctx):
        ctx.set(dut.enable, 1)
        await manager.run(ctx)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.add_testbench(memory.serve, background=True)
    simulator.run()
    assert memory.memory == manager.expected
    assert not any(address.lock for address in memory.writes)


def test_no_more_are_in_flight_than_there_is_room_for():
    """A controller that takes everything and answers nothing gets so many reads and writes, and no more."""
    dut = bounds()
    taken = {"aw": 0, "ar": 0, "w": 0}

    async def testbench(ctx):
        ctx.set(dut.enable, 1)
        for name in taken:
            ctx.set(getattr(dut.s_axi, name).valid, 1)
            ctx.set(getattr(dut.m_axi, name).ready, 1)
        ctx.set(dut.s_axi.w.payload.last, 1)
        for _ in range(50):
            _, _, *passed = await ctx.tick().sample(*(getattr(dut.m_axi, name).valid for name in taken))
            for name, valid in zip(taken, passed):
                taken[name] += valid

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    assert taken == {"aw": 3, "ar": 4, "w": 3}


def test_nothing_is_accepted_before_enable():
    dut = bounds()

    async def testbench(ctx):
        for name in ("aw", "w", "ar"):
            ctx.set(getattr(dut.s_axi, name).valid, 1)
            ctx.set(getattr(dut.m_axi, name).ready, 1)
        for beyond in (0, 1 << MEMORY_WIDTH):
            ctx.set(dut.s_axi.ar.payload.addr, beyond)
            ctx.set(dut.s_axi.aw.payload.addr, beyond)
            for _ in range(10):
                await ctx.tick()
                for name in ("aw", "w", "ar"):
                    assert not ctx.get(getattr(dut.s_axi, name).ready)
                    assert not ctx.get(getattr(dut.m_axi, name).valid)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
