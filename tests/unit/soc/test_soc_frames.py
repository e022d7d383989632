# amaranth: UnusedElaboratable=no

"""Frames: what COBS makes of any bytes comes back, requests are kept whole or not at all, answers go out sealed."""

import random
import zlib

import pytest

from cbit.soc.cobs import CobsDecoder
from cbit.soc.inbox import Inbox
from cbit.soc.outbox import Outbox
from cbit_boards.host.frames import AnswerParser, Operation, Request, decoded, encoded, request_frame
from cbit_sim.streams import simulate

SEED = 62
EDGES = (0, 1, 2, 253, 254, 255, 256, 507, 508, 509)


def contents(rng):
    """Any bytes, and those where COBS's runs begin and end."""
    for length in EDGES:
        yield bytes(length)
        yield b"\x01" * length
        yield rng.randbytes(length)
        yield bytes(rng.choice((0, 0, 7)) for _ in range(length))
    for place in (0, 252, 253, 254, 255):
        yield b"\x07" * place + b"\x00" + b"\x07" * (300 - place)


def test_codec_of_the_host_is_cobs():
    rng = random.Random(SEED)
    # The examples of Cheshire and Baker, and the longest run.
    assert encoded(b"") == b"\x01"
    assert encoded(b"\x00") == b"\x01\x01"
    assert encoded(b"\x11\x22\x00\x33") == b"\x03\x11\x22\x02\x33"
    assert encoded(bytes(range(1, 255))) == b"\xff" + bytes(range(1, 255))
    assert encoded(bytes(range(1, 256))) == b"\xff" + bytes(range(1, 255)) + b"\x02\xff"
    for content in contents(rng):
        assert 0 not in encoded(content)
        assert decoded(encoded(content)) == content
    for bad in (b"", b"\x05\x01", b"\x02", b"\x01\x00\x01"):
        assert decoded(bad) is None


@pytest.mark.parametrize("gaps", [0.0, 0.6])
def test_decoder_gives_what_was_encoded(gaps):
    rng = random.Random(SEED)
    unit, frames = CobsDecoder(), [content for content in contents(rng) if len(content) < 300]

    async def testbench(ctx):
        for content in frames:
            got = bytearray()
            ctx.set(unit.start, 1)
            await ctx.tick()
            ctx.set(unit.start, 0)
            for byte in encoded(content) + b"\x00":
                while rng.random() < gaps:
                    await ctx.tick()
                ctx.set(unit.i.payload, byte)
                ctx.set(unit.i.valid, 1)
                _, _, valid, payload, end, is_good = await ctx.tick().sample(
                    unit.o.valid, unit.o.payload, unit.end, unit.well_formed)
                ctx.set(unit.i.valid, 0)
                got += bytes([payload] * valid)
                assert end == (byte == 0)
                assert is_good or not end
            assert got == content

    simulate(unit, testbench)


def test_decoder_tells_when_a_frame_is_cut():
    unit, whole = CobsDecoder(), encoded(b"\x01\x02\x00\x03\x04")

    async def testbench(ctx):
        for length in range(len(whole) + 1):
            ctx.set(unit.start, 1)
            await ctx.tick()
            ctx.set(unit.start, 0)
            ctx.set(unit.i.valid, 1)
            for byte in whole[:length] + b"\x00":
                ctx.set(unit.i.payload, byte)
                _, _, is_good = await ctx.tick().sample(unit.well_formed)
            # After the first run the rest would be a frame of its own: only the CRC tells.
            assert bool(is_good) == (length in (3, len(whole)))
            ctx.set(unit.i.valid, 0)

    simulate(unit, testbench)


async def give(ctx, unit, frame, *, rng=None, gaps=0.0):
    """A frame without what begins it; whether a request is there afterwards."""
    ctx.set(unit.start, 1)
    await ctx.tick()
    ctx.set(unit.start, 0)
    for byte in frame:
        while rng and rng.random() < gaps:
            await ctx.tick()
        ctx.set(unit.i.payload, byte)
        ctx.set(unit.i.valid, 1)
        await ctx.tick()
        ctx.set(unit.i.valid, 0)
    return bool(ctx.get(unit.o.valid))


async def take(ctx, unit):
    ctx.set(unit.o.take, 1)
    await ctx.tick()
    ctx.set(unit.o.take, 0)
    assert not ctx.get(unit.o.valid)


@pytest.mark.parametrize(("gaps", "stalls"), [(0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.6, 0.6)])
def test_requests_are_kept_as_they_were_sent(gaps, stalls):
    rng = random.Random(SEED)
    unit = Inbox()

    async def testbench(ctx):
        for length in (0, 1, 4, 33, 200):
            request = Request(operation=Operation.WRITE_MEMORY, address=rng.getrandbits(64), data=rng.randbytes(length),
                              asid=rng.getrandbits(16), attributes=rng.getrandbits(8))
            sequence = rng.randrange(256)
            assert await give(ctx, unit, request_frame(sequence, request)[2:], rng=rng, gaps=gaps)
            header = ctx.get(unit.o.request)
            assert (header.sequence, header.operation, header.address, header.asid, header.attributes) == (
                sequence, request.operation, request.address, request.asid, request.attributes)
            assert ctx.get(unit.o.data_bytes) == length == header.length
            for _ in range(2):
                ctx.set(unit.o.rewind, 1)
                await ctx.tick()
                ctx.set(unit.o.rewind, 0)
                got = bytearray()
                while len(got) < length:
                    ready = rng.random() >= stalls
                    ctx.set(unit.o.data.ready, ready)
                    _, _, valid, byte = await ctx.tick().sample(unit.o.data.valid, unit.o.data.payload)
                    got += bytes([byte] * (valid and ready))
                ctx.set(unit.o.data.ready, 0)
                assert got == request.data
            await take(ctx, unit)

    simulate(unit, testbench)


def test_no_request_comes_of_a_frame_that_is_cut_changed_or_too_long():
    rng = random.Random(SEED)
    unit = Inbox()
    frame = request_frame(7, Request(operation=Operation.WRITE_MEMORY, address=1 << 40, data=rng.randbytes(9)))[2:]
    payload = decoded(frame[:-1])[:-4]
    short, long = payload[:14], payload[:15] + bytes([1] * 1025)
    wrong = [encoded(content + zlib.crc32(content).to_bytes(4, "little")) + b"\x00" for content in (b"", short, long)]

    async def testbench(ctx):
        for length in range(len(frame) - 1):
            assert not await give(ctx, unit, frame[:length] + b"\x00")
            assert not await give(ctx, unit, frame[:length])
        for _ in range(60):
            changed = bytearray(frame[:-1])
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
            assert not await give(ctx, unit, bytes(changed) + b"\x00")
        for other in wrong:
            assert not await give(ctx, unit, other)
        assert await give(ctx, unit, frame)
        await take(ctx, unit)
        # What comes without a beginning does not count.
        for byte in frame:
            ctx.set(unit.i.payload, byte)
            ctx.set(unit.i.valid, 1)
            await ctx.tick()
        assert not ctx.get(unit.o.valid)

    simulate(unit, testbench)


@pytest.mark.parametrize("stalls", [0.0, 0.6])
def test_answers_are_framed_and_can_be_sent_again(stalls):
    rng = random.Random(SEED)
    unit = Outbox()

    async def pulse(ctx, signal):
        ctx.set(signal, 1)
        await ctx.tick()
        ctx.set(signal, 0)

    async def frame(ctx):
        got, cycles = bytearray(), 0
        while ctx.get(unit.busy):
            ready = rng.random() >= stalls
            ctx.set(unit.o.ready, ready)
            _, _, valid, byte = await ctx.tick().sample(unit.o.valid, unit.o.payload)
            got += bytes([byte] * (valid and ready))
            cycles += 1
        return bytes(got), cycles

    async def testbench(ctx):
        for content in rng.sample([content for content in contents(rng) if len(content) >= 2], 15):
            await pulse(ctx, unit.i.clear)
            ctx.set(unit.i.data.valid, 1)
            for byte in content:
                ctx.set(unit.i.data.payload, byte)
                await ctx.tick()
            ctx.set(unit.i.data.valid, 0)
            await pulse(ctx, unit.i.finish)
            sent, cycles = await frame(ctx)
            (answer,) = AnswerParser().feed(sent)
            assert bytes((answer.sequence,)) + answer.data + bytes((answer.outcome,)) == content
            sealed = content + zlib.crc32(content).to_bytes(4, "little")
            assert sent == b"\x00\x55" + encoded(sealed) + b"\x00"
            runs = sealed.count(0) + len(sealed) // 254 + 1
            assert stalls or cycles <= 3 * len(sealed) + 5 * runs + 8
            await pulse(ctx, unit.i.repeat)
            assert (await frame(ctx))[0] == sent

    simulate(unit, testbench)
