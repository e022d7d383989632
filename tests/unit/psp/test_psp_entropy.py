# amaranth: UnusedElaboratable=no

"""Entropy fails at the sample at which it must, gives the model's words, and has no simulated source unnoticed."""

import itertools
import json
import random
import re
from types import SimpleNamespace

import pytest
from amaranth.back import rtlil

from cbit.psp.entropy import Entropy
from cbit.psp.noise_source import SimulatedNoise
from cbit.psp.ring_noise import RING_STAGES, RingNoise, RingOscillator
from cbit_fpga.yosys import run_yosys
from cbit_model.psp_entropy import EntropyModel
from cbit_sim.streams import simulate

SEED = 26


def stuck(value):
    return [value] * 60


def late(value):
    """Fair until long after the start, then stuck."""
    rng = random.Random(SEED)
    return [rng.getrandbits(1) for _ in range(1500)] + [1 - value] + [value] * 50


def longest_runs():
    """Runs of 40, which are one too short to fail, each followed by some that alternate."""
    return list(itertools.chain.from_iterable([0] * 40 + [1, 1, 0, 1, 1, 0, 1, 0] + [1] * 40 for _ in range(4)))


def window(first, same, *, at=0):
    """Fair samples up to a window's begin, and a window with so many like its first, spread over it, the last at its
    end."""
    rng = random.Random(SEED)
    rest = [first] * (same - 2) + [1 - first] * (1024 - same)
    while True:
        rng.shuffle(rest)
        if max(len([*run]) for _, run in itertools.groupby([first, *rest, first])) < 41:
            return [rng.getrandbits(1) for _ in range(1024 * at)] + [first, *rest, first, 1, 0, 1]


def recurring(period):
    """Pairs of different samples, of which the corrected bits recur."""
    bits = [int(place in (0, 1)) for place in range(period)]
    return [sample for bit in bits * (200 // period + 1) for sample in (bit, 1 - bit)]


SOURCES = {
    "zeros": stuck(0), "ones": stuck(1), "stuck late": late(0), "stuck late at one": late(1),
    "runs of 40": longest_runs(),
    "alternating": [0, 1] * 60, "alternating from one": [1, 0] * 60,
    "every fourth": [0, 1, 1, 0] * 90, "corrected bits of period 3": recurring(3),
    "corrected bits of period 40": recurring(40), "corrected bits of period 7": recurring(7),
    "792 of a window": window(1, 792), "793 of a window": window(1, 793), "793 of a window of zeros": window(0, 793),
    "792 of the second": window(0, 792, at=1), "793 of the second": window(0, 793, at=1),
    "fair": [random.Random(SEED).getrandbits(1) for _ in range(10)],
}
FAILS = {
    "zeros": ("rct", 41), "ones": ("rct", 41), "stuck late": ("rct", 1542), "stuck late at one": ("rct", 1542),
    "every fourth": ("rct", 322), "corrected bits of period 3": ("rct", 322),
    "corrected bits of period 40": ("rct", 322),
    "alternating": ("rct", 82), "alternating from one": ("rct", 82), "793 of a window": ("apt", 1024),
    "793 of a window of zeros": ("apt", 1024), "793 of the second": ("apt", 2048),
}


async def feed(ctx, dut, sample, *, gap=0):
    ctx.set(dut.noise.sample, sample)
    ctx.set(dut.noise.valid, 1)
    await ctx.tick()
    ctx.set(dut.noise.valid, 0)
    ctx.set(dut.noise.sample, 1 - sample)
    for _ in range(gap):
        await ctx.tick()


def status(ctx, dut):
    return {name: ctx.get(dut.entropy_status.value[name]) for name in ("ready", "starting", "rct_failed", "apt_failed")}


@pytest.mark.parametrize("name", SOURCES)
def test_tests_fail_at_the_sample_at_which_they_must(name):
    dut, model = Entropy(), EntropyModel()
    kind, expected = FAILS.get(name, (None, None))

    async def testbench(ctx):
        failed_at = None
        for number, sample in enumerate(SOURCES[name], 1):
            await feed(ctx, dut, sample, gap=number % 3 == 0)
            model.feed(sample)
            seen = status(ctx, dut)
            assert seen["rct_failed"] == model.repetition_failed, number
            assert seen["apt_failed"] == model.proportion_failed, number
            assert seen["starting"] == (number < 1024 and not model.has_failed), number
            if model.has_failed and failed_at is None:
                failed_at = number
        assert failed_at == expected
        if kind:
            assert [name for name, value in status(ctx, dut).items() if value] == [f"{kind}_failed"]

    simulate(dut, testbench)


@pytest.mark.parametrize("ones", [0.5, 0.35, 0.6])
def test_words_are_the_models(ones):
    dut, model, rng = Entropy(), EntropyModel(), random.Random(SEED)

    async def testbench(ctx):
        words = []
        for number in range(1024 + 1500):
            sample = int(rng.random() < ones)
            await feed(ctx, dut, sample)
            model.feed(sample)
            assert number >= 1024 or not status(ctx, dut)["ready"]
            if status(ctx, dut)["ready"]:
                words.append(ctx.get(dut.entropy_data.value.word))
                ctx.set(dut.entropy_take.write, 1)
                await ctx.tick()
                ctx.set(dut.entropy_take.write, 0)
            assert ctx.get(dut.entropy_data.value.word) == 0
        assert words == model.words
        assert len(words) > 8

    simulate(dut, testbench)


def test_a_word_stays_until_it_is_taken_or_a_test_fails():
    dut, rng = Entropy(), random.Random(SEED)

    async def testbench(ctx):
        while not status(ctx, dut)["ready"]:
            await feed(ctx, dut, rng.getrandbits(1))
        word = ctx.get(dut.entropy_data.value.word)
        for _ in range(300):
            await feed(ctx, dut, rng.getrandbits(1))
            assert ctx.get(dut.entropy_data.value.word) == word
        for _ in range(41):
            await feed(ctx, dut, 1)
        assert status(ctx, dut) == {"ready": 0, "starting": 0, "rct_failed": 1, "apt_failed": 0}
        assert ctx.get(dut.entropy_data.value.word) == 0
        for _ in range(3000):
            await feed(ctx, dut, rng.getrandbits(1))
            assert status(ctx, dut) == {"ready": 0, "starting": 0, "rct_failed": 1, "apt_failed": 0}

    simulate(dut, testbench)


def test_simulated_noise_needs_a_seed_and_passes_the_tests():
    dut = SimulatedNoise()
    model = EntropyModel()

    async def testbench(ctx):
        await ctx.tick().repeat(50)
        assert not ctx.get(dut.noise.valid)
        ctx.set(dut.seed, 0x1234)
        await ctx.tick()
        for _ in range(3000):
            assert ctx.get(dut.noise.valid)
            model.feed(ctx.get(dut.noise.sample))
            await ctx.tick()
        assert not model.has_failed
        assert len(set(model.words)) > 10

    simulate(dut, testbench)


def test_simulated_noise_is_refused_for_a_device():
    with pytest.raises(ValueError, match="Noise source of LFE5U-85F must be a real one, not simulated"):
        rtlil.convert(SimulatedNoise(), platform=SimpleNamespace(device="LFE5U-85F"))


def test_simulated_noise_shows_its_seed():
    assert re.search(r"wire .*input.* \\seed\n", rtlil.convert(SimulatedNoise()))
    assert SimulatedNoise.is_simulated
    assert not RingNoise.is_simulated


@pytest.mark.parametrize("stages", [1, 4])
def test_rings_that_can_not_swing_are_refused(stages):
    with pytest.raises(ValueError, match=f"Stages must be odd and at least 3, not {stages}"):
        RingOscillator(stages=stages)


@pytest.mark.parametrize("cycles", [0, 1, 24])
def test_bad_sample_cycles_are_refused(cycles):
    with pytest.raises(ValueError, match=f"sample_cycles must be a power of two of at least 2, not {cycles}"):
        RingNoise(sample_cycles=cycles)


def test_synthesis_keeps_every_inverter_of_the_rings(tmp_path):
    text = rtlil.convert(RingNoise(), name="core", platform=SimpleNamespace(device="LFE5U-85F"))
    (tmp_path / "design.il").write_text(text)
    run_yosys("read_rtlil design.il\nsynth_ecp5 -top core\nwrite_json core.json", tmp_path)
    cells = json.loads((tmp_path / "core.json").read_text())["modules"]["core"]["cells"].values()
    inverters = [cell for cell in cells if cell["attributes"].get("ring_oscillator")]
    assert len(inverters) == sum(RING_STAGES)
    drives = {cell["connections"]["Z"][0]: cell for cell in inverters}
    lengths = []
    while drives:
        start, cell = drives.popitem()
        length, net = 1, cell["connections"]["A"][0]
        while net != start:
            length, net = length + 1, drives.pop(net)["connections"]["A"][0]
        lengths.append(length)
    assert sorted(lengths) == [*RING_STAGES]


def test_other_platforms_need_a_ring_of_their_own():
    text = rtlil.convert(RingNoise())
    assert text.count("cell \\cbit_ring_oscillator") == len(RING_STAGES)
