# amaranth: UnusedElaboratable=no
"""The traffic generator against the golden model, right and wrong in every way that it must find."""

import dataclasses
import random

import pytest
from amaranth.sim import Simulator

from cbit.traffic.findings import Kind
from cbit.traffic.generator import COUNTS, TrafficGenerator
from cbit_model.access import Burst, Response, burst_beats
from cbit_model.memory import Memory
from cbit_sim.golden_port import GoldenPort

C_BIT, ASID_COUNT, GUESTS = 47, 4, 2
SMALL = {"addr_width": 48, "c_bit": C_BIT, "id_width": 3, "asid_count": ASID_COUNT, "guests": GUESTS, "regions": 4,
         "region_beats": 16, "memory_width": 12, "ids": 4, "depth": 4, "patience_cycles": 500}

CYCLES = 1000
LIMIT = 3000


class Plaintext(GoldenPort):
    """DRAM that holds what is written, whatever the key."""

    def without_key(self, access):
        return dataclasses.replace(access, address=access.address & ~(1 << C_BIT), asid=0, npt_c=False, walk=False,
                                   prot=0)

    def carried_out(self, access):
        denied = super().read(access)[0].resp is not Response.OKAY
        return access if denied else self.without_key(access)

    def read(self, access):
        return super().read(self.carried_out(access))

    def write(self, access, beats):
        return super().write(self.carried_out(access), beats)


class OneKey(Plaintext):
    """One key for all that is encrypted."""

    def without_key(self, access):
        is_guest = access.asid and not (access.address >> C_BIT or access.walk or access.fetch)
        is_plain = not access.npt_c if is_guest else not (access.asid or access.address >> C_BIT)
        hosts = dataclasses.replace(super().without_key(access), address=access.address | 1 << C_BIT)
        return access if is_plain else hosts


class FlippedBit(GoldenPort):
    """Now and then a bit of a read is wrong."""

    def read(self, access):
        beats = super().read(access)
        return [beat._replace(data=beat.data ^ (self.rng.random() < 0.2) << self.rng.randrange(128)) for beat in beats]


class LostWrite(GoldenPort):
    """Now and then a write is not carried out, and answered as if."""

    def write(self, access, beats):
        is_lost = self.rng.random() < 0.2
        return super().write(access, [beat._replace(strobe=0) for beat in beats] if is_lost else beats)


class LostByte(GoldenPort):
    """A byte of a partial write is lost."""

    def write(self, access, beats):
        return super().write(access, [beat if beat.strobe == 0xFFFF else beat._replace(strobe=beat.strobe & 0xFDFF)
                                      for beat in beats])


class StrayByte(GoldenPort):
    """A partial write writes all of its block."""

    def write(self, access, beats):
        return super().write(access, [beat._replace(strobe=0xFFFF) for beat in beats])


class AnyOrder(GoldenPort):
    """Answers of one ID in any order."""

    def oldest(self, _answers, _number):
        return True


class Permissive(GoldenPort):
    """Denied accesses are answered with OKAY."""

    def read(self, access):
        return [beat._replace(resp=Response.OKAY) for beat in super().read(access)]

    def write(self, access, beats):
        super().write(access, beats)
        return Response.OKAY


class Leaky(GoldenPort):
    """Denied reads show something."""

    def read(self, access):
        return [beat._replace(data=beat.data & ~1) if beat.resp is Response.SLVERR else beat
                for beat in super().read(access)]


class Obedient(Plaintext):
    """Denied writes are answered with SLVERR, and carried out by whoever may."""

    def write(self, access, beats):
        response = GoldenPort.write(self, access, beats)
        if response is not Response.OKAY:
            GoldenPort.write(self, dataclasses.replace(self.without_key(access), burst=1), beats)
        return response


class WithoutLast(GoldenPort):
    """RLAST never comes."""

    def read(self, access):
        return [beat._replace(last=False) for beat in super().read(access)]


class EarlyLast(GoldenPort):
    """RLAST comes with every beat."""

    def read(self, access):
        return [beat._replace(last=True) for beat in super().read(access)]


class OneMore(GoldenPort):
    """One beat too many."""

    def read(self, access):
        beats = super().read(access)
        return beats if self.rng.random() < 0.9 else [*beats, beats[-1]]


class OtherId(GoldenPort):
    """Answers to IDs that have asked for nothing."""

    def write(self, access, beats):
        response = super().write(access, beats)
        self._answer("b", [self._response(dataclasses.replace(access, id=access.id ^ 4), response)])
        return response


class Silent(GoldenPort):
    """One write of an ID is never answered; all else is."""

    lost = None

    def write(self, access, beats):
        response = super().write(access, beats)
        self.lost = self.lost or access
        return response

    def oldest(self, answers, number):
        return super().oldest(answers, number) and (not self.lost or answers[number][1][0].id != self.lost.id
                                                    or answers is not self._answers["b"])


class Watching(GoldenPort):
    """Notes what is in flight together, of accesses that are not denied."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.flying = {"r": [], "b": []}
        self.meetings = set()
        self.bursts = set()

    def begin(self, name, access):
        lines = {container // 64 for container, _ in burst_beats(access.address % (1 << C_BIT), access.length,
                                                                 access.size, access.burst)}
        for other, flying in self.flying.items():
            for identity, taken in flying:
                if lines & taken:
                    self.meetings.add((name, other, "same" if identity == access.id else "another"))
        self.flying[name].append((access.id, lines))
        self.bursts.add((name, access.burst, access.size))

    def read(self, access):
        beats = super().read(access)
        if beats[0].resp is Response.OKAY:
            self.begin("r", access)
        return beats

    def write(self, access, beats):
        response = super().write(access, beats)
        if response is Response.OKAY:
            self.begin("b", access)
        return response

    def _next(self, name):
        beat = super()._next(name)
        if beat is not None and beat["resp"] == 0 and (name == "b" or beat["last"]):
            self.flying[name].remove(next(one for one in self.flying[name] if one[0] == beat["id"]))
        return beat


FAULTS = {
    FlippedBit: {Kind.DATA}, LostWrite: {Kind.DATA}, LostByte: {Kind.DATA}, StrayByte: {Kind.DATA},
    AnyOrder: {Kind.DATA, Kind.LAST, Kind.RESPONSE}, Permissive: {Kind.RESPONSE}, Leaky: {Kind.DATA},
    Obedient: {Kind.DATA}, WithoutLast: {Kind.LAST}, EarlyLast: {Kind.LAST},
    OneMore: {Kind.UNASKED, Kind.LAST, Kind.DATA, Kind.RESPONSE}, OtherId: {Kind.UNASKED}, Silent: {Kind.SILENCE},
    Plaintext: {Kind.EXPOSED}, OneKey: {Kind.EXPOSED}}
"""What is wrong with a memory, and what may be the first that is found."""


def golden_memory():
    memory = Memory(size_bytes=1 << SMALL["memory_width"], c_bit=C_BIT, asid_count=ASID_COUNT)
    rng = random.Random(145)
    for slot in range(GUESTS + 1):
        memory.install(slot, rng.randbytes(16), rng.randbytes(16))
    memory.set_mode(sme=True, tsme=False, sev=True)
    memory.release()
    return memory


def run(dut, port, testbench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(port.run, background=True)
    simulator.add_testbench(testbench)
    simulator.run()


def counts(ctx, dut):
    found = ctx.get(dut.counts)
    return {name: found[name] for name in COUNTS.members}


async def until(ctx, condition):
    for _ in range(LIMIT):
        await ctx.tick()
        if ctx.get(condition):
            return
    raise AssertionError(f"nothing came of {LIMIT} cycles")


def test_the_golden_model_is_found_right():
    dut = TrafficGenerator(**SMALL)
    port = Watching(dut.axi, golden_memory(), seed=146)

    async def testbench(ctx):
        assert ctx.get(dut.idle)
        ctx.set(dut.seed, 147)
        ctx.set(dut.run, 1)
        await ctx.tick().repeat(CYCLES)
        ctx.set(dut.run, 0)
        await until(ctx, dut.idle)
        found = counts(ctx, dut)
        assert ctx.get(dut.first_error.kind) is Kind.NONE
        assert (ctx.get(dut.errors), ctx.get(dut.error), ctx.get(dut.error_kinds)) == (0, 0, 0)
        assert found["denied"] == sum(port.memory.violations.counts.values())
        assert found["fills"] >= SMALL["regions"]
        assert min(found.values()) > 0
        ctx.set(dut.clear, 1)
        await ctx.tick()
        assert not any(counts(ctx, dut).values())

    run(dut, port, testbench)
    assert {("b", "b", "same"), ("b", "b", "another"), ("r", "r", "same"), ("r", "r", "another")} <= port.meetings
    assert {("r", "b", "another"), ("b", "r", "another")} <= port.meetings
    for name in "rb":
        assert {burst for one, burst, _ in port.bursts if one == name} == {Burst.FIXED, Burst.INCR, Burst.WRAP}
    assert {size for _, _, size in port.bursts} == {*range(5)}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_found(fault):
    dut = TrafficGenerator(**SMALL)
    port = fault(dut.axi, golden_memory(), seed=148)

    async def testbench(ctx):
        ctx.set(dut.seed, 149)
        ctx.set(dut.run, 1)
        await until(ctx, dut.error)
        first = ctx.get(dut.first_error)
        assert first.kind in FAULTS[fault]
        assert ctx.get(dut.error_kinds) >> first.kind.value & 1
        if first.kind in (Kind.DATA, Kind.EXPOSED):
            assert (first.expected == first.got) == (first.kind is Kind.EXPOSED)
        await ctx.tick().repeat(50)
        assert ctx.get(dut.first_error) == first
        assert ctx.get(dut.errors) >= 1

    run(dut, port, testbench)


def test_the_same_seed_gives_the_same_and_another_something_else():
    """What is asked for first, while nothing of the bus has part in it."""
    async def first_address(ctx, dut, seed):
        ctx.set(dut.seed, seed)
        ctx.set(dut.run, 1)
        address = dut.axi.aw.payload
        return await ctx.tick().sample(address.addr, address.user).until(dut.axi.aw.valid)

    seen = []
    for seed in (1, 1, 2):
        dut = TrafficGenerator(**SMALL | {"memory_width": 40})

        async def testbench(ctx, dut=dut, seed=seed):
            seen.append(await first_address(ctx, dut, seed))

        run(dut, GoldenPort(dut.axi, golden_memory(), seed=150), testbench)
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize(("change", "text"), [
    ({"asid_count": 2}, "asid_count must be an integer of at least 3, not 2"),
    ({"guests": 3}, "guests must be an integer from 1 to 2, not 3"),
    ({"regions": 3}, "regions must be a power of two from 4 to 256, not 3"),
    ({"region_beats": 8}, "region_beats must be a power of two from 16 to 256, not 8"),
    ({"ids": 16}, "ids must be a power of two from 2 to 8, not 16"),
    ({"depth": 1}, "depth must be a power of two from 2 to 16, not 1"),
    ({"memory_width": 48}, "memory_width must be an integer from 11 to 47, not 48")])
def test_bad_parameters_are_refused(change, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        TrafficGenerator(**SMALL | change)
