# amaranth: UnusedElaboratable=no

"""The line: rates are measured, bytes come and go at whatever rate, and what is no beginning of a frame begins none."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from cbit.soc.rate import RateMeter
from cbit.soc.receiver import UartReceiver
from cbit.soc.transmitter import UartTransmitter
from cbit_sim.serial_wave import bytes_of, levels, random_gaps
from cbit_sim.streams import send, simulate

RATE_BITS = 12
SEED = 61
START = b"\x00\x55"
REST = [1] * 40


class Receiving(Component):
    """A receiver that begins where a meter says so, at the rate that it says."""

    def __init__(self):
        self.meter = RateMeter(rate_bits=RATE_BITS)
        self.receiver = UartReceiver(rate_bits=RATE_BITS)
        super().__init__({"line": In(1, init=1), "o": Out(self.receiver.o.signature), "found": Out(1),
                          "rate": Out(RATE_BITS)})

    def elaborate(self, _platform):
        m = Module()
        m.submodules.meter, m.submodules.receiver = meter, receiver = self.meter, self.receiver
        connect(m, receiver.o, flipped(self.o))
        m.d.comb += [meter.line.eq(self.line), receiver.line.eq(self.line), self.found.eq(meter.found),
                     receiver.start.eq(meter.found), receiver.eight_bits.eq(self.rate)]
        with m.If(meter.found):
            m.d.sync += self.rate.eq(meter.eight_bits)
        return m


def received(*lines):
    """What a receiver makes of a line: bytes, a list for each beginning that was found, and the rates."""
    unit, frames, rates = Receiving(), [], []

    async def testbench(ctx):
        for level in [level for line in (REST, *lines, REST) for level in line]:
            ctx.set(unit.line, level)
            _, _, found, valid, byte = await ctx.tick().sample(unit.found, unit.o.valid, unit.o.payload)
            if found:
                frames.append([])
                rates.append(ctx.get(unit.rate))
            if valid:
                frames[-1].append(byte)

    simulate(unit, testbench)
    return [bytes(frame) for frame in frames], rates


@pytest.mark.parametrize("cycles", [6, 8.68, 27.1])
@pytest.mark.parametrize("with_gaps", [False, True])
def test_bytes_come_at_any_rate(cycles, with_gaps):
    rng = random.Random(f"{SEED} {cycles}")
    content = bytes([0x00, 0xFF, 0x55, 0xAA, 0x80, 0x01]) + rng.randbytes(4)
    gaps = random_gaps(rng, most_bits=8) if with_gaps else ()
    frames, (rate,) = received(levels(START + content, cycles, gaps=gaps))
    assert frames == [content]
    assert abs(rate - 8 * cycles) <= 1


def test_each_frame_has_its_own_rate():
    frames, rates = received(levels(START + b"slow", 50), levels(START + b"fast\x00", 8),
                             levels(START + b"slower", 200))
    assert frames == [b"slow", b"fast\x00", b"slower"]
    assert rates == [400, 64, 1600]


def test_no_byte_but_zero_and_no_second_byte_but_0x55_begins_a_frame():
    rng = random.Random(SEED)
    near = {*(1 << bit for bit in range(8)), *(0x55 ^ 1 << bit for bit in range(8)), *rng.sample(range(256), 20)}
    pairs = [pair for byte in near for pair in ((byte, 0x55), (0, byte)) if pair != (0, 0x55)]
    frames, _ = received(*([*levels(bytes(pair), 8), *[1] * rng.randrange(30)] for pair in pairs))
    assert frames == []


@pytest.mark.parametrize("garbage", [
    pytest.param([0] * 4200, id="break"),
    pytest.param([0, 1] * 500, id="fast"),
    pytest.param([*levels(bytes(30), 333)], id="slow zeros"),
    pytest.param([*levels(START * 9, 17.3)][:-100], id="cut beginnings"),
    pytest.param([random.Random(SEED).randrange(2) for _ in range(3000)], id="noise"),
])
def test_a_frame_is_found_after_anything(garbage):
    frames, _ = received(garbage, [1] * 12, levels(START + b"found", 8))
    assert frames[-1] == b"found"


def test_a_low_stop_bit_ends_a_frame_until_the_next():
    broken = [*levels(START + b"ab", 10)]
    frames, _ = received(broken[:-10], [0] * 10, [1] * 20, levels(b"cd", 10), levels(START + b"ef", 10))
    assert frames == [b"a", b"ef"]


def test_too_slow_and_too_fast_are_no_frames():
    frames, _ = received(levels(START + b"x", 5), levels(START + b"x", 500))
    assert frames == []


@pytest.mark.parametrize("eight_bits", [48, 69, 200])
@pytest.mark.parametrize("pauses", [0.0, 0.7])
def test_bytes_go_at_the_rate_that_is_given(eight_bits, pauses):
    rng = random.Random(f"{SEED} {eight_bits}")
    content = bytes([0, 255, 0x55]) + rng.randbytes(5)
    unit, line = UartTransmitter(rate_bits=RATE_BITS), []
    cycles = eight_bits / 8

    async def feed(ctx):
        ctx.set(unit.eight_bits, eight_bits)
        await send(ctx, unit.i, content, pace=lambda: rng.random() >= pauses)

    async def watch(ctx):
        for _ in range(int(cycles * 10 * (len(content) + 1)) + int(60 * pauses)):
            _, _, level = await ctx.tick().sample(unit.line)
            line.append(level)

    simulate(unit, feed, watch)
    assert bytes_of(line, cycles) == content
    if not pauses:
        assert line.index(0) + 10 * cycles * len(content) >= len(line) - line[::-1].index(0)


def test_a_measure_of_less_than_a_bit_is_refused():
    with pytest.raises(ValueError, match="rate_bits must be at least 8, not 7"):
        RateMeter(rate_bits=7)
