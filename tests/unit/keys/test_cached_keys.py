# amaranth: UnusedElaboratable=no
"""Fewer ways than slots: what is expanded where, what makes room, and that no access is served with another's key."""

import functools
import itertools
import random

import pytest

from cbit.keys.cached import PATIENCE, CachedKeys
from cbit.keys.control import KeyControl
from cbit.keys.types import DRAIN_SETTLE_CYCLES, Operation, Result, SlotState
from cbit_sim.aes_keys import expand_key
from cbit_sim.key_bench import KeyBench
from cbit_sim.streams import simulate

ASID_COUNT = 7
WAYS = 3
INSTALL, RETIRE, ZEROIZE, ZEROIZE_ALL = Operation
FOREVER = 1_000_000

END_CYCLES = 4
"""From a command taken to its effect on the slot."""

MISS_CYCLES = {128: 122, 256: 158}
"""From the cycle in which an access first waits to that in which it finds its way, if the first looked at is free."""

KEY_BITS = pytest.mark.parametrize("key_bits", [128, 256])


def every_second_is_slow(delays):
    return [pytest.param(delay, marks=pytest.mark.slow if delay % 2 else ()) for delay in delays]


class CacheBench(KeyBench):
    """Key control with few ways, the accesses that want one, and a check in each cycle of what it says of them."""

    def __init__(self, *, key_bits=128, asid_count=ASID_COUNT, key_ways=WAYS):
        super().__init__(KeyControl(asid_count=asid_count, key_bits=key_bits, key_ways=key_ways))
        self.asid_count = asid_count
        self.key_ways = key_ways
        self.keys = {}
        """Slot to the round keys of both its keys while it is active or retiring."""
        self.in_flight = []
        """Way, slot, and cycles left of each access in flight, and whether it is to succeed."""
        self.ending = None
        """The slot that a command is about to end."""
        self.ended_slot = None
        """The slot that takes no new accesses until the command that ends it is done."""
        self.waiting = {}
        """Port to the slot of the access that waits there."""
        self.answer_cycles = 0
        """How long a way must be watched before it is known to be free; meanwhile it is said to be busy."""

        self.ways = self.dut.read_ways.ways.as_value()
        shape = self.dut.read_ways.ways.shape()

        @functools.cache
        def slots(bits):
            return {way: each.slot for way, each in enumerate(shape.from_bits(bits)) if each.valid}

        self.slots = slots
        """What accesses find, bits of the port: way to slot. To decode them takes long, and they seldom change."""

    def run(self, testbench, *watchers):
        super().run(testbench, self._check, self._fly, *watchers)

    def begin(self, way, slot, cycles):
        """An access has found its way and is in flight for so many cycles."""
        self.in_flight.append([way, slot, cycles, True])

    async def _fly(self, ctx):
        """Answers for the accesses in flight, and ends them; of a way just asked about, first anything, then busy. Now
        and then they hide for fewer cycles than make them count as gone."""
        watched, since, hidden, rng = None, 0, 0, random.Random(5)
        while True:
            way = ctx.get(self.dut.drain_way)
            watched, since = way, 0 if way != watched else since + 1
            is_used = any(used == way for used, *_ in self.in_flight)
            ctx.set(self.dut.drain_busy, ctx.get(self.dut.drain_slot) in self.waiting.values())
            hidden = rng.randrange(1, DRAIN_SETTLE_CYCLES - 1) if hidden < -20 else hidden - 1
            ctx.set(self.dut.way_busy, (is_used and since != 0 and hidden <= 0) or 1 < since < self.answer_cycles)
            await ctx.tick()
            for access in self.in_flight:
                access[2] -= 1
            self.in_flight[:] = [access for access in self.in_flight if access[2] > 0]

    async def _check(self, ctx):
        """A way that accesses find, they find once, it serves, and it has the round keys of its slot; no round key is
        written under an access in flight, but zeros under one that fails."""
        written, checked = self.dut.round_key, None
        async for *_, ways, other_ways, serving, valid, way, data in ctx.tick().sample(
                self.ways, self.dut.write_ways.ways.as_value(), self.dut.serving, written.valid, written.slot,
                written.data):
            assert ways == other_ways
            for used, slot, _, succeeds in self.in_flight:
                assert slot == self.ending or serving >> used & 1 == succeeds, (used, slot)
                assert not valid or used != way or (data == 0 and (slot == self.ending or not succeeds))
            if valid or (ways, serving) != checked:
                found = self.slots(ways)
                assert len(set(found.values())) == len(found)
                for way, slot in found.items():
                    assert serving >> way & 1
                    assert self.written(way) == self.keys[slot], (way, slot)
                checked = ways, serving

    async def prepare(self, ctx, slots=ASID_COUNT, *, in_flight=()):
        """Gives keys to the first slots, and puts accesses in flight for so many cycles in a way of each first slot.
        Returns these ways."""
        await self.idle(ctx)
        for slot in range(slots):
            await self.give_key(ctx, slot)
        return [(await self.want(ctx, slot, flight=cycles))[0] for slot, cycles in enumerate(in_flight)]

    async def give_key(self, ctx, slot, seed=None):
        keys = await self.install(ctx, slot, seed=slot if seed is None else seed)
        self.keys[slot] = [expand_key(key) for key in keys]

    async def end(self, ctx, op, slot):
        """Gives a command that ends a slot. Zeroized, its keys are not to be found a moment later."""
        self.ending = slot
        await self.start(ctx, op, slot)
        await ctx.tick().repeat(END_CYCLES)
        self.ending, self.ended_slot = None, slot
        if op == ZEROIZE:
            self.fail(slot)
            assert self.find(ctx, slot) is None

    def fail(self, slot):
        """The slot is zeroized: its keys are gone, and its accesses in flight fail."""
        del self.keys[slot]
        for access in self.in_flight:
            access[3] &= access[1] != slot

    async def ended(self, ctx, slot):
        """Waits for the end of the command that ends the slot; its keys are to be found until they are erased."""
        await self.idle(ctx)
        assert slot not in [used for _, used, *_ in self.in_flight]
        self.keys.pop(slot, None)
        self.ended_slot = None
        assert ctx.get(self.dut.result) == Result.OK
        assert self.find(ctx, slot) is None

    def find(self, ctx, slot):
        """The way in which accesses find the slot, if any."""
        return next((way for way, found in self.slots(ctx.get(self.ways)).items() if found == slot), None)

    async def want(self, ctx, slot, *, port=None, limit=4000, flight=0):
        """Waits as an access does, and is in flight for some cycles. Returns its way, or None if told that there is no
        key, and the cycles that it has waited."""
        port = port or self.dut.read_ways
        ctx.set(port.wanted, {"valid": 1, "slot": slot})
        self.waiting[id(port)] = slot
        for cycles in range(limit):
            way = self.find(ctx, slot)
            absent = ctx.get(port.absent)
            if way is not None or (absent.valid and absent.slot == slot):
                ctx.set(port.wanted, {"valid": 0, "slot": slot})
                ctx.set(port.used, 0 if way is None else 1 << way)
                if way is not None and flight:
                    self.begin(way, slot, flight + 1)
                del self.waiting[id(port)]
                await ctx.tick()
                ctx.set(port.used, 0)
                return way, cycles
            await ctx.tick()
        raise AssertionError(f"slot {slot} waits for more than {limit} cycles")


async def wait(ctx, cycles):
    """Of what runs beside a testbench, :meth:`repeat` could not be ended."""
    for _ in range(cycles):
        await ctx.tick()


@KEY_BITS
def test_reset_erases_all_keys_and_every_way(key_bits):
    bench = CacheBench(key_bits=key_bits)

    async def testbench(ctx):
        assert await bench.state(ctx, 1) == SlotState.ZEROIZING
        cycles = 2 + await bench.idle(ctx)
        way, slot = {128: (23, 9), 256: (31, 17)}[key_bits]
        assert cycles == WAYS * way + (ASID_COUNT - WAYS) * slot + 1
        for number in range(WAYS):
            bench.assert_erased(number)
        assert bench.bits(ctx) == (0, 0)

    bench.run(testbench)


@KEY_BITS
def test_a_key_is_expanded_when_an_access_wants_it(key_bits):
    bench = CacheBench(key_bits=key_bits)

    async def testbench(ctx):
        await bench.idle(ctx)
        bench.round_keys.clear()
        for slot in range(ASID_COUNT):
            await bench.give_key(ctx, slot)
        assert bench.active(ctx) == 2 ** ASID_COUNT - 1
        assert not bench.round_keys
        for slot, looks in ((5, 0), (0, 0), (6, 0), (1, WAYS)):  # all in use: a look at each before one goes
            way, cycles = await bench.want(ctx, slot)
            assert cycles == MISS_CYCLES[key_bits] + looks
            assert bench.written(way) == bench.keys[slot]
            assert await bench.want(ctx, slot) == (way, 0)

    bench.run(testbench)


def test_the_way_longest_unused_makes_room():
    bench = CacheBench()

    async def testbench(ctx):
        ways = await bench.prepare(ctx, in_flight=[0] * WAYS)
        assert len(set(ways)) == WAYS
        way, _ = await bench.want(ctx, 3)  # all were in use: any may go, and the marks of use are gone with it
        kept = [slot for slot in (0, 1, 2) if ways[slot] != way]
        await bench.want(ctx, kept[0])
        assert await bench.want(ctx, 4) == (ways[kept[1]], pytest.approx(MISS_CYCLES[128], abs=WAYS))
        assert bench.find(ctx, kept[0]) == ways[kept[0]]

    bench.run(testbench)


@pytest.mark.parametrize("answer_cycles", [0, 200])
def test_a_way_makes_room_only_once_drained(answer_cycles):
    bench = CacheBench()
    bench.answer_cycles = answer_cycles

    async def testbench(ctx):
        await bench.prepare(ctx, in_flight=[1500] * WAYS)
        _, cycles = await bench.want(ctx, 3, flight=600)
        assert 700 < cycles < 1500 + 200 + MISS_CYCLES[128]

    bench.run(testbench)


def test_a_way_whose_accesses_do_not_end_is_given_up_for_another():
    bench = CacheBench()

    async def testbench(ctx):
        ways = await bench.prepare(ctx, in_flight=[FOREVER, 100, FOREVER])
        for slot in (3, 4):
            way, cycles = await bench.want(ctx, slot)
            assert way == ways[1]
            assert cycles < 2 * PATIENCE + MISS_CYCLES[128] + 3 * WAYS + 100
            assert (bench.find(ctx, 0), bench.find(ctx, 2)) == (ways[0], ways[2])
        await bench.end(ctx, ZEROIZE, 0)
        for slot in (5, 6):  # the way of the slot that was cut stays closed
            assert (await bench.want(ctx, slot, limit=8000))[0] == ways[1]
        assert await bench.state(ctx, 0) == SlotState.ZEROIZING

    bench.run(testbench)


def test_who_waits_in_vain_does_not_hold_up_the_other_direction():
    bench = CacheBench()

    async def testbench(ctx):
        await bench.prepare(ctx, 4, in_flight=[FOREVER] * WAYS)
        ctx.set(bench.dut.read_ways.wanted, {"valid": 1, "slot": 3})
        await ctx.tick().repeat(20)
        way, cycles = await bench.want(ctx, 5, port=bench.dut.write_ways)
        assert way is None
        assert cycles < PATIENCE + 20

    bench.run(testbench)


def test_both_directions_have_their_turn():
    bench = CacheBench(key_ways=2)

    async def reads(ctx):
        while len(bench.keys) < ASID_COUNT:
            await ctx.tick()
        for number in itertools.count():
            await bench.want(ctx, number % 3)

    async def testbench(ctx):
        await bench.prepare(ctx)
        for slot in (4, 5, 6):
            _, cycles = await bench.want(ctx, slot, port=bench.dut.write_ways)
            assert cycles < 3 * MISS_CYCLES[128]

    bench.run(testbench, reads)


@pytest.mark.parametrize("port", ["read_ways", "write_ways"])
def test_an_access_to_a_slot_without_key_is_told(port):
    bench = CacheBench()

    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.give_key(ctx, 1)
        bench.round_keys.clear()
        way, cycles = await bench.want(ctx, 2, port=getattr(bench.dut, port))
        assert way is None
        assert cycles <= 4
        assert not bench.round_keys
        assert ctx.get(bench.dut.serving) == 0

    bench.run(testbench)


@pytest.mark.parametrize("word", range(8))
@pytest.mark.parametrize("is_lost", [True, False], ids=["lost", "flipped"])
def test_a_key_of_which_a_word_is_lost_or_a_bit_flipped_serves_nobody(word, is_lost):
    dut = CachedKeys(asid_count=ASID_COUNT, key_ways=WAYS, key_bits=128)

    async def testbench(ctx):
        ctx.set(dut.store.slot, 5)
        for number in range(8):
            ctx.set(dut.store.words.payload, number + 1)
            ctx.set(dut.store.words.valid, 1)
            await ctx.tick().until(dut.store.words.ready)
        ctx.set(dut.store.words.valid, 0)
        await ctx.tick()
        row = dut.raw.memory.data[8 * 5 + word]
        kept = ctx.get(row)
        assert (kept.word, kept.present) == (word + 1, 1)
        ctx.set(row, {"word": 0, "present": 0} if is_lost else
                {"word": kept.word ^ 1 << 3 * word, "present": 1, "parity": kept.parity})
        ctx.set(dut.read_ways.wanted, {"valid": 1, "slot": 5})
        for _ in range(2 * MISS_CYCLES[128]):
            assert ctx.get(dut.serving) == 0
            absent = ctx.get(dut.read_ways.absent)
            if absent.valid:
                break
            await ctx.tick()
        assert (absent.valid, absent.slot) == (1, 5)

    simulate(dut, testbench)


@KEY_BITS
@pytest.mark.parametrize("op", [RETIRE, ZEROIZE])
def test_the_end_of_a_slot_erases_its_keys_and_its_way(op, key_bits):
    bench = CacheBench(key_bits=key_bits)

    async def testbench(ctx):
        await bench.idle(ctx)
        for slot in (2, 4):
            await bench.give_key(ctx, slot)
        way, _ = await bench.want(ctx, 4)
        other, _ = await bench.want(ctx, 2)
        await bench.end(ctx, op, 4)
        await bench.ended(ctx, 4)
        bench.assert_erased(way)
        assert bench.bits(ctx) == (0b100, 1 << other)
        assert (await bench.want(ctx, 4))[0] is None
        assert await bench.want(ctx, 2) == (other, 0)
        await bench.give_key(ctx, 4, seed=99)
        way, _ = await bench.want(ctx, 4)
        assert bench.written(way) == bench.keys[4]

    bench.run(testbench)


def test_retire_serves_what_is_in_flight_and_zeroize_does_not():
    bench = CacheBench()

    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.give_key(ctx, 4)
        way, _ = await bench.want(ctx, 4, flight=FOREVER)
        await bench.start(ctx, RETIRE, 4)
        await ctx.tick().repeat(100)
        assert bench.bits(ctx) == (0, 1 << way)
        assert bench.find(ctx, 4) == way
        assert ctx.get(bench.dut.drain_way) == way
        await bench.end(ctx, ZEROIZE, 4)
        assert bench.bits(ctx) == (0, 0)
        await ctx.tick().repeat(30)
        bench.assert_erased(way)
        await ctx.tick().repeat(200)
        assert await bench.state(ctx, 4) == SlotState.ZEROIZING
        bench.in_flight.clear()
        await bench.idle(ctx)
        assert await bench.state(ctx, 4) == SlotState.EMPTY

    bench.run(testbench)


@pytest.mark.parametrize("delay", every_second_is_slow(range(1, 160, 11)))
def test_zeroize_all_at_any_step_of_an_expansion(delay):
    """Nothing is found from then on, whoever waits is told so at once, and no slot or way is left with a key."""
    bench = CacheBench()
    port, is_served = bench.dut.write_ways, []

    async def waits(ctx):
        while len(bench.in_flight) < 2:
            await ctx.tick()
        way, _ = await bench.want(ctx, 4, port=port)
        is_served.append(way is not None)
        assert is_served[0] or ctx.get(bench.dut.busy)

    async def testbench(ctx):
        await bench.prepare(ctx, in_flight=(FOREVER, FOREVER))
        await ctx.tick().repeat(delay)
        await bench.start(ctx, ZEROIZE_ALL, 0)
        bench.ending = 0
        await ctx.tick().repeat(END_CYCLES)
        bench.keys.clear()
        for access in bench.in_flight:
            access[3] = False
        bench.ending = None
        assert all(bench.find(ctx, slot) is None for slot in range(ASID_COUNT))
        assert is_served or 4 in bench.waiting.values()
        way, cycles = await bench.want(ctx, 5)
        assert way is None
        assert cycles < 130
        assert is_served
        while not all(bench.written(way) == [[bytes(16)] * 11] * 2 for way in range(WAYS)):
            assert bench.bits(ctx) == (0, 0)
            await ctx.tick()
        await ctx.tick().repeat(300)
        assert await bench.state(ctx, 6) == SlotState.ZEROIZING
        bench.in_flight.clear()
        await bench.idle(ctx)
        for slot in range(ASID_COUNT):
            assert (await bench.want(ctx, slot))[0] is None
        await bench.give_key(ctx, 1, seed=9)
        assert (await bench.want(ctx, 1))[0] is not None

    bench.run(testbench, waits)


@pytest.mark.parametrize("key_bits", [128])
@pytest.mark.parametrize("delay", every_second_is_slow(range(0, 160, 7)))
def test_zeroize_while_the_slot_is_expanded(key_bits, delay):
    """Whatever step it meets: the slot is found no more from then on, and nothing of it is left."""
    bench = CacheBench(key_bits=key_bits)

    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.give_key(ctx, 4)
        ctx.set(bench.dut.read_ways.wanted, {"valid": 1, "slot": 4})
        for _ in range(delay):
            await ctx.tick()
            if bench.find(ctx, 4) is not None:
                ctx.set(bench.dut.read_ways.wanted, {"valid": 0, "slot": 4})
        await bench.end(ctx, ZEROIZE, 4)
        while ctx.get(bench.dut.busy):
            assert ctx.get(bench.dut.serving) == 0
            await ctx.tick()
        for way in range(WAYS):
            bench.assert_erased(way)

    bench.run(testbench)


@pytest.mark.parametrize("delay", [60, 200])
def test_zeroize_does_not_wait_for_a_way_that_makes_no_room(delay):
    bench = CacheBench()

    async def testbench(ctx):
        await bench.prepare(ctx, 4, in_flight=[FOREVER] * WAYS)
        ctx.set(bench.dut.write_ways.wanted, {"valid": 1, "slot": 3})
        await ctx.tick().repeat(delay)
        keys = bench.keys[1]
        await bench.end(ctx, ZEROIZE, 1)
        await ctx.tick().repeat(22 + 2 * WAYS + 8)
        assert keys not in [bench.written(way) for way in range(WAYS)]
        bench.in_flight.clear()
        await bench.ended(ctx, 1)
        assert await bench.state(ctx, 1) == SlotState.EMPTY

    bench.run(testbench)


def test_keys_are_taken_while_a_way_makes_no_room():
    bench = CacheBench()

    async def testbench(ctx):
        await bench.prepare(ctx, 4, in_flight=[FOREVER] * WAYS)
        ctx.set(bench.dut.write_ways.wanted, {"valid": 1, "slot": 3})
        await ctx.tick().repeat(60)
        await bench.give_key(ctx, 5)
        assert bench.active(ctx) == 0b101111

    bench.run(testbench)


@pytest.mark.parametrize("op", [RETIRE, ZEROIZE])
def test_a_slot_is_not_drained_while_its_way_makes_room(op):
    """What is in flight under a slot counts although accesses find it no more."""
    bench = CacheBench()

    async def testbench(ctx):
        await bench.prepare(ctx, 4, in_flight=[FOREVER] * WAYS)
        ctx.set(bench.dut.read_ways.wanted, {"valid": 1, "slot": 3})
        while all(bench.find(ctx, slot) is not None for slot in range(3)):
            await ctx.tick()
        leaving = next(slot for slot in range(3) if bench.find(ctx, slot) is None)
        ctx.set(bench.dut.read_ways.wanted, {"valid": 0, "slot": 3})
        await bench.end(ctx, op, leaving)
        await ctx.tick().repeat(300)
        assert await bench.state(ctx, leaving) == (SlotState.RETIRING if op == RETIRE else SlotState.ZEROIZING)
        bench.in_flight.clear()
        await bench.ended(ctx, leaving)

    bench.run(testbench)


@pytest.mark.parametrize(("op", "delays"), [
    (RETIRE, range(36, 54, 2)), pytest.param(RETIRE, range(37, 54, 2), marks=pytest.mark.slow),
    (ZEROIZE, range(24, 42, 2)), pytest.param(ZEROIZE, range(25, 42, 2), marks=pytest.mark.slow)])
def test_a_way_is_bound_in_any_cycle_of_the_end_of_another_slot(op, delays):
    """Who takes a way while its slot is released can be ended like any other."""
    bench = CacheBench(asid_count=4, key_ways=2)

    async def testbench(ctx):
        await bench.idle(ctx)
        await bench.give_key(ctx, 1)
        taken = 0
        for number, delay in enumerate(sorted([*delays] * 2)):
            await bench.give_key(ctx, 0, seed=number)
            await bench.give_key(ctx, 2, seed=1000 + number)
            way, _ = await bench.want(ctx, 0)
            await bench.want(ctx, 1)
            await bench.start(ctx, op, 0)
            for _ in range(END_CYCLES):
                await ctx.tick()
            if op == ZEROIZE:
                bench.fail(0)
            for _ in range(delay - END_CYCLES):
                await ctx.tick()
            newcomer, _ = await bench.want(ctx, 2)
            taken += newcomer == way
            await bench.ended(ctx, 0)
            keys = bench.keys[2]
            await bench.end(ctx, ZEROIZE, 2)
            await bench.ended(ctx, 2)
            assert keys not in [bench.written(each) for each in range(2)]
        assert taken > 5

    bench.run(testbench)


@pytest.mark.parametrize(("answer_cycles", "flight", "op"), [
    (0, 1500, RETIRE), (400, 200, ZEROIZE),
    *(pytest.param(*each, marks=pytest.mark.slow) for each in ((0, 1500, ZEROIZE), (400, 200, RETIRE)))])
def test_a_slot_ends_while_one_miss_follows_the_other(op, answer_cycles, flight):
    """Although to know that a way is free takes long, and must be found out anew after each miss: its own way is soon
    the one that makes room."""
    bench = CacheBench(asid_count=6, key_ways=2)
    bench.answer_cycles = answer_cycles

    async def misses(ctx):
        while len(bench.keys) < 6:
            await ctx.tick()
        for number in itertools.count():
            await bench.want(ctx, 2 + number % 4)

    async def testbench(ctx):
        await bench.prepare(ctx, 6)
        for slot in (0, 1):
            await bench.want(ctx, slot, port=bench.dut.write_ways, flight=flight)
            await bench.end(ctx, op, slot)
            for _ in range(3000):
                await ctx.tick()
            assert not ctx.get(bench.dut.busy)
            await bench.ended(ctx, slot)

    bench.run(testbench, misses)


@pytest.mark.parametrize("seed", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_random_life(seed):
    """Slots come and go, accesses of both directions want them, and ways are busy or not: what _check says holds."""
    rng = random.Random(seed)
    bench = CacheBench(asid_count=6, key_ways=2)
    bench.answer_cycles = 80 * seed
    found = {"read_ways": 0, "write_ways": 0}
    told = dict.fromkeys(found, 0)

    def accesses(name):
        port = getattr(bench.dut, name)
        draw = random.Random(f"{seed}{name}")

        async def run(ctx):
            while ctx.get(bench.dut.busy) or not bench.keys:
                await ctx.tick()
            while True:
                slot = draw.choice([slot for slot in range(6) if slot != bench.ended_slot])
                way, _ = await bench.want(ctx, slot, port=port, flight=draw.choice((1, 5, 40, 120)))
                found[name] += way is not None
                told[name] += way is None
                await wait(ctx, draw.randrange(20))
        return run

    async def testbench(ctx):
        await bench.idle(ctx)
        for number in range(60):
            slot = rng.randrange(6)
            if slot not in bench.keys:
                await bench.give_key(ctx, slot, seed=number)
            else:
                keys = bench.keys[slot]
                await bench.end(ctx, rng.choice((RETIRE, ZEROIZE)), slot)
                await bench.ended(ctx, slot)
                assert keys not in [bench.written(way) for way in range(2)]
            await ctx.tick().repeat(rng.randrange(1, 300))

    bench.run(testbench, accesses("read_ways"), accesses("write_ways"))
    assert all(count > 20 for count in found.values()), found
    assert all(count > 5 for count in told.values()), told
