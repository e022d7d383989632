"""The XTS unit in both its forms, against the golden model."""

import random

import pytest

from cbit.config import SBox
from cbit.xts.unit import XtsUnit
from cbit_model.xts import XtsKey
from cbit_sim.aes_keys import expand_key
from cbit_sim.watch import simulate_watched

SLOTS = 3
ENTRIES = 8
LINES = 10
C_BIT = 40
PATHS = ("read", "write")

DEEP = {"pipelined": True, "cycles_per_round": 3, "read_entries": 2 * ENTRIES, "write_entries": 2 * ENTRIES}
"""A pipeline of many registers, and as many bursts in flight as that needs."""


def unit(**change):
    parameters = {"data_width": 128, "key_bits": 128, "c_bit": C_BIT, "slots": SLOTS, "data_unit_bytes": 64,
                  "duplex": True, "unroll": 10, "rounds_per_cycle": 1, "cycles_per_round": 1, "pipelined": False,
                  "sbox": SBox.TABLE, "block_ram_rounds": 140,
                  "read_entries": ENTRIES + 2, "write_entries": ENTRIES, "read_tag": 9, "write_tag": 6}
    return XtsUnit(**(parameters | {"pipelined_requests": change.get("pipelined", False)} | change))


async def install(ctx, dut, keys):
    """Writes the round keys of each slot's two keys, those of either in turn."""
    ctx.set(dut.round_key.valid, 1)
    for slot, pair in enumerate(keys):
        ctx.set(dut.round_key.slot, slot)
        for number, round_pair in enumerate(zip(*(expand_key(key) for key in pair))):
            ctx.set(dut.round_key.round, number)
            for tweak_key, data in enumerate(round_pair):
                ctx.set(dut.round_key.tweak_key, tweak_key)
                ctx.set(dut.round_key.data, int.from_bytes(data, "little"))
                await ctx.tick()
    ctx.set(dut.round_key.valid, 0)
    await ctx.tick().repeat(1 + max(part.key_cycles for part in (*dut.tweaks.values(), *dut.lanes.values())))


class Path:
    """One direction's bursts of whole lines: each asks for its tweak, then sends its beats."""

    def __init__(self, dut, name, rng, keys, *, data_unit_bytes, gaps):
        self.dut, self.name, self.rng, self.gaps = dut, name, rng, gaps
        self.entries = dut.entries[name]
        self.bus_bytes = dut.data_width // 8
        self.per_line = 64 // self.bus_bytes
        self.tweaks, self.cycles, self.results = {}, [], []
        self.is_installed = False
        self.work, self.expected = [], []
        for _ in range(LINES):
            line, slot, data = rng.getrandbits(C_BIT - 6), rng.randrange(SLOTS), rng.randbytes(64)
            key = XtsKey(*keys[slot])
            crypt = key.decrypt if name == "read" else key.encrypt
            self.work.append((line, slot, data))
            self.expected.append(crypt(data, address=line << 6, data_unit_bytes=data_unit_bytes))

    def port(self, suffix):
        return getattr(self.dut, f"{self.name}_{suffix}")

    async def ask(self, ctx):
        """Asks for tweaks, one for each entry at a time."""
        request = self.port("tweak_request")
        while not self.is_installed:
            await ctx.tick()
        for number, (line, slot, _) in enumerate(self.work):
            while number - len(self.results) // self.per_line >= self.entries or self.rng.random() < self.gaps:
                await ctx.tick()
            ctx.set(request.payload, {"line": line, "slot": slot, "index": number % self.entries})
            ctx.set(request.valid, 1)
            await ctx.tick()
            ctx.set(request.valid, 0)

    async def hear(self, ctx):
        """Keeps the tweaks that come."""
        result = self.port("tweak")
        for number in range(len(self.work)):
            payload, = await ctx.tick().sample(result.payload).until(result.valid)
            assert payload.index == number % self.entries
            self.tweaks[number] = payload.tweak

    async def feed(self, ctx):
        """Sends the beats of each burst once its tweak is there."""
        i = self.port("i")
        for number, (_, slot, data) in enumerate(self.work):
            while number not in self.tweaks:
                await ctx.tick()
            for beat in range(self.per_line):
                while self.rng.random() < self.gaps:
                    await ctx.tick()
                piece = data[self.bus_bytes * beat:self.bus_bytes * (beat + 1)]
                ctx.set(i.payload, {"data": int.from_bytes(piece, "little"), "slot": slot,
                                    "tweak": self.tweaks[number], "number": beat, "tag": number % 16 << 2 | beat})
                ctx.set(i.valid, 1)
                await ctx.tick().until(i.ready)
                ctx.set(i.valid, 0)

    async def take(self, ctx):
        o = self.port("o")
        cycle = 0
        while len(self.results) < self.per_line * len(self.work):
            _, _, valid, payload = await ctx.tick().sample(o.valid, o.payload)
            if valid:
                number, beat = divmod(len(self.results), self.per_line)
                assert payload.tag == (number % 16 << 2 | beat)
                self.results.append(payload.data.to_bytes(self.bus_bytes, "little"))
                self.cycles.append(cycle)
            cycle += 1

    def check(self):
        assert b"".join(self.results) == b"".join(self.expected)


def run(*, gaps=0.0, seed=121, **change):
    print(f"seed {seed}")
    rng = random.Random(seed)
    dut = unit(**change)
    key_bytes = change.get("key_bits", 128) // 8
    keys = [(rng.randbytes(key_bytes), rng.randbytes(key_bytes)) for _ in range(SLOTS)]
    running = [Path(dut, name, rng, keys, data_unit_bytes=change.get("data_unit_bytes", 64), gaps=gaps)
               for name in PATHS]

    async def install_keys(ctx):
        await install(ctx, dut, keys)
        for path in running:
            path.is_installed = True

    simulate_watched(dut, [], install_keys, *(bench for path in running
                                              for bench in (path.ask, path.hear, path.feed, path.take)))
    for path in running:
        path.check()
    return running


@pytest.mark.parametrize("change", [{}, {"pipelined_requests": True}, DEEP | {"sbox": SBox.BLOCK_RAM}],
                         ids=["plain", "requests", "pipelined"])
def test_both_directions_go_at_a_block_a_cycle_at_once(change):
    for path in run(**change):
        assert path.cycles[-1] - path.cycles[0] <= 4 * LINES + 8


@pytest.mark.parametrize("change", [{}, {"pipelined_requests": True}, DEEP], ids=["plain", "requests", "pipelined"])
def test_a_shared_lane_serves_both_directions_in_turn_at_a_block_a_cycle(change):
    paths = run(duplex=False, **change)
    cycles = sorted(cycle for path in paths for cycle in path.cycles)
    assert cycles[-1] - cycles[0] <= 8 * LINES + 8
    assert all(path.cycles[-1] >= cycles[-1] - 8 for path in paths)


@pytest.mark.parametrize("gaps", [0, 0.5], ids=["full speed", "gaps"])
@pytest.mark.parametrize("change", [
    {"unroll": 2}, {"unroll": 2, "data_unit_bytes": 4096, "duplex": False},
    {"unroll": 2, "data_unit_bytes": 4096, "pipelined": True, "cycles_per_round": 3},
    {"unroll": 2, "duplex": False, "pipelined": True, "cycles_per_round": 2},
    {"unroll": 2, "rounds_per_cycle": 2, "key_bits": 256, "duplex": False},
    pytest.param({"unroll": 2, "data_width": 256, "pipelined": True, "cycles_per_round": 2}, marks=pytest.mark.slow),
    {"unroll": 1, "data_width": 512, "duplex": False, "data_unit_bytes": 4096},
], ids=["duplex", "shared, pages", "duplex, pages, pipelined", "shared, pipelined",
        "shared, 256 bits, two rounds a cycle", "duplex, two blocks a beat, pipelined",
        "shared, four blocks a beat, pages"])
def test_rings_agree_with_the_model(change, gaps):
    run(gaps=gaps, **change)


@pytest.mark.parametrize("change", [
    {"unroll": 2}, {"unroll": 2, "duplex": False}, {"unroll": 2, "data_unit_bytes": 4096, "pipelined": True,
                                                    "cycles_per_round": 3}],
    ids=["duplex", "shared", "duplex, pages, pipelined"])
def test_a_lost_parity_is_told_of_what_was_made_with_it(round_key_memories, change):
    dut = unit(**change)
    rng = random.Random(3)
    keys = [(rng.randbytes(16), rng.randbytes(16)) for _ in range(SLOTS)]

    async def hear(ctx, port):
        while not ctx.get(port.valid):
            await ctx.tick()
        return ctx.get(port.payload.fault)

    async def faults(ctx, **given):
        """Whether there is one, of a block that is read, of one that is written, and of a tweak of either path."""
        told = []
        for path in PATHS:
            lane = getattr(dut, f"{path}_i")
            ctx.set(lane.payload, {"data": 1, "slot": 1, "tweak": 2, "number": 3} | given)
            ctx.set(lane.valid, 1)
            while not ctx.get(lane.ready):
                await ctx.tick()
            await ctx.tick()
            ctx.set(lane.valid, 0)
            told.append(await hear(ctx, getattr(dut, f"{path}_o")))
        for path in PATHS:
            request = getattr(dut, f"{path}_tweak_request")
            ctx.set(request.payload, {"line": 77, "slot": 1})
            ctx.set(request.valid, 1)
            await ctx.tick()
            ctx.set(request.valid, 0)
            told.append(await hear(ctx, getattr(dut, f"{path}_tweak")))
            await ctx.tick()
        return tuple(told)

    async def testbench(ctx):
        await install(ctx, dut, keys)
        assert await faults(ctx) == (0, 0, 0, 0)
        assert await faults(ctx, fault=1) == (1, 1, 0, 0)
        seen = set()
        for memory in round_key_memories:
            rows = [memory.data[row] for row in range(memory.depth)]
            for row in rows:
                ctx.set(row, ctx.get(row) ^ 1 << 128)
            seen.add(await faults(ctx))
            for row in rows:
                ctx.set(row, ctx.get(row) ^ 1 << 128)
        assert seen == {(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 1)}
        assert await faults(ctx) == (0, 0, 0, 0)

    simulate_watched(dut, [], testbench)
