"""Chunks of bursts, against the beats of the golden model."""

import itertools
import random

import pytest

from cbit.access.request import Route
from cbit.access.splitter import ChunkSplitter
from cbit_model.access import Access, Burst, burst_beats, malformed
from cbit_sim.requests import request
from cbit_sim.streams import collect, send
from cbit_sim.watch import simulate_watched

C_BIT = 34
PAGE = 0x2_3456_7000
WIDTHS = pytest.mark.parametrize("data_width", [128, 256, 512])
PIPELINED = pytest.mark.parametrize("pipelined", [False, True], ids=["combinational", "pipelined"])
ATTRIBUTES = {"cache": 3, "prot": 2, "qos": 5, "region": 6}


def places(access, bus_bytes):
    """Line and byte of each beat, aligned to the beat."""
    for container, lanes in burst_beats(access.address, access.length, access.size, access.burst, bus_bytes):
        byte = container + (lanes & -lanes).bit_length() - 1 & -(1 << access.size)
        yield byte >> 6, byte & 63


def expected_chunks(access, bus_bytes=16):
    """Beats in a row of one line, cut where a WRAP begins anew; FIXED is never cut."""
    chunks = []
    for line, byte in places(access, bus_bytes):
        follows = chunks and chunks[-1][0] == line and (byte > chunks[-1][1][-1] or access.burst == Burst.FIXED)
        if follows:
            chunks[-1][1].append(byte)
        else:
            chunks.append((line, [byte]))
    return [(line, bytes_[0], bytes_[-1], len(bytes_) - 1, number == len(chunks))
            for number, (line, bytes_) in enumerate(chunks, start=1)]


def request_of(access, slot=0, bus_bytes=16):
    return request(access, bus_bytes) | {"route": Route.ENCRYPTED, "slot": slot, "attributes": ATTRIBUTES}


def splitter(*, pipelined, data_width=128):
    return ChunkSplitter(c_bit=C_BIT, id_width=4, slot_width=2, data_width=data_width, pipelined=pipelined)


def split(accesses, *, pipelined, data_width=128, gaps=0.0, stalls=0.0, seed=0):
    """The chunks of all accesses, and the cycles of the first and the last."""
    rng = random.Random(seed)
    dut, bus_bytes = splitter(pipelined=pipelined, data_width=data_width), data_width // 8
    expected = [(access, chunk) for access in accesses for chunk in expected_chunks(access, bus_bytes)]
    taken = []

    async def offer(ctx):
        await send(ctx, dut.i, [request_of(access, access.id % 4, bus_bytes) for access in accesses],
                   pace=lambda: rng.random() >= gaps)

    async def take(ctx):
        taken.extend(await collect(ctx, dut.o, len(expected), pace=lambda: rng.random() >= stalls))

    simulate_watched(dut, [dut.o], offer, take)
    for (_, chunk), (access, outline) in zip(taken, expected):
        assert (chunk.line, chunk.first_byte, chunk.last_byte, chunk.beats, chunk.is_final) == outline, access
        assert (chunk.id, chunk.slot, chunk.size) == (access.id, access.id % 4, access.size)
        assert chunk.is_fixed == (access.burst == Burst.FIXED)
        assert {name: chunk.attributes[name] for name in ATTRIBUTES} == ATTRIBUTES
    return taken[0][0], taken[-1][0]


def every_shape(bus_bytes):
    lengths = {Burst.INCR: (1, 2, 3, 5, 16, 64, 256), Burst.WRAP: (2, 4, 8, 16), Burst.FIXED: (1, 2, 16)}
    for burst, size in itertools.product(lengths, range(bus_bytes.bit_length())):
        for length, offset in itertools.product(lengths[burst], (0, 1, 16, 24, 48, 63, 4032, 4094)):
            step = (1 << size) if burst == Burst.WRAP else 1
            access = Access(address=PAGE + offset // step * step, id=offset % 16, length=length, size=size, burst=burst)
            if not malformed(access, bus_bytes):
                yield access


@PIPELINED
@WIDTHS
def test_every_kind_size_length_and_alignment(data_width, pipelined):
    bus_bytes = data_width // 8
    accesses = list(every_shape(bus_bytes))
    assert {(access.burst, access.size) for access in accesses} == set(
        itertools.product(list(Burst)[:3], range(bus_bytes.bit_length())))
    first, last = split(accesses, pipelined=pipelined, data_width=data_width)
    chunks = sum(len(expected_chunks(access, bus_bytes)) for access in accesses)
    assert first == pipelined
    assert last - first == chunks - 1


@PIPELINED
@pytest.mark.parametrize("size", range(7))
def test_wrap_from_every_beat_of_its_container(size, pipelined):
    split([Access(address=PAGE + 0x400 + (beat << size), length=length, size=size, burst=Burst.WRAP)
           for length in (2, 4, 8, 16) for beat in range(length)], pipelined=pipelined, data_width=max(128, 8 << size))


@PIPELINED
@pytest.mark.parametrize(("gaps", "stalls"), [(0.6, 0), (0, 0.6), (0.5, 0.5)],
                         ids=["gaps", "stalls", "gaps and stalls"])
def test_random_bursts(gaps, stalls, pipelined):
    seed = 41
    print(f"seed {seed}")
    rng = random.Random(seed)
    accesses = []
    while len(accesses) < 120:
        access = Access(address=PAGE + rng.randrange(4096), id=rng.randrange(16), size=rng.randrange(5),
                        length=rng.choice([1, 2, 4, 8, 16, rng.randint(1, 64)]), burst=rng.choice(list(Burst)[:3]))
        if not malformed(access):
            accesses.append(access)
    split(accesses, pipelined=pipelined, gaps=gaps, stalls=stalls, seed=seed)


@PIPELINED
def test_an_access_is_taken_before_its_first_chunk(pipelined):
    dut = splitter(pipelined=pipelined)
    access = Access(address=PAGE + 32, id=3, length=4)

    async def testbench(ctx):
        ctx.set(dut.i.payload, request_of(access, slot=1))
        ctx.set(dut.i.valid, 1)
        assert ctx.get(dut.i.ready)
        assert ctx.get(dut.o.valid) != pipelined
        await ctx.tick()
        ctx.set(dut.i.valid, 0)
        assert not ctx.get(dut.i.ready)
        ctx.set(dut.o.ready, 1)
        lines = []
        while ctx.get(dut.o.valid):
            chunk = ctx.get(dut.o.payload)
            lines.append((chunk.line, chunk.first_byte, chunk.last_byte))
            await ctx.tick()
        assert lines == [(PAGE >> 6, 32, 48), ((PAGE >> 6) + 1, 0, 16)]
        assert ctx.get(dut.i.ready)

    simulate_watched(dut, [dut.o], testbench)


@PIPELINED
def test_what_remains_of_an_access_is_seen(pipelined):
    dut = splitter(pipelined=pipelined)
    access = Access(address=PAGE, id=9, length=8)

    async def testbench(ctx):
        ctx.set(dut.drain_slot, 2)
        ctx.set(dut.i.payload, request_of(access, slot=2))
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        assert not ctx.get(dut.is_busy)
        assert not ctx.get(dut.drain_busy)
        for _ in range(1 + pipelined):
            await ctx.tick()
            ctx.set(dut.i.valid, 0)
            assert (ctx.get(dut.is_busy), ctx.get(dut.busy_id), ctx.get(dut.drain_busy)) == (1, 9, 1)
            ctx.set(dut.drain_slot, 1)
            assert not ctx.get(dut.drain_busy)
            ctx.set(dut.drain_slot, 2)
        await ctx.tick()
        assert not ctx.get(dut.is_busy)
        assert not ctx.get(dut.drain_busy)

    simulate_watched(dut, [dut.o], testbench)
