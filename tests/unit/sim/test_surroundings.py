"""What a seed's random traffic meets: the same each time, and everything over many seeds."""

import collections
import random

from cbit_sim.pauses import CHANNELS, PATTERNS
from cbit_sim.surroundings import PERSONALITIES, Pressure, Surroundings, random_mode

SEEDS = [Surroundings.random(seed) for seed in range(400)]


def test_a_seed_has_one_kind_of_surroundings():
    assert Surroundings.random(7) == Surroundings.random(7)
    assert len({repr(around) for around in SEEDS}) > 390


def test_every_channel_of_each_port_is_held_back_alone():
    for port, other in (("manager", "dram"), ("dram", "manager")):
        alone = {getattr(around, port).channels for around in SEEDS
                 if getattr(around, other) == Pressure() and len(getattr(around, port).channels) == 1}
        assert alone == {(channel,) for channel in CHANNELS}


def test_every_pattern_and_every_kind_of_dram_occur():
    assert {around.dram.pattern for around in SEEDS} == {around.manager.pattern for around in SEEDS} == {
        *PATTERNS, "mixed"}
    assert {(around.personality.reorder, around.personality.interleave) for around in SEEDS} == {
        (True, True), (True, False), (False, True), (False, False)}
    assert {around.personality.outstanding for around in SEEDS} >= {1, 64}
    assert {around.error_lines for around in SEEDS} >= {0, 20}


def test_modes_are_drawn_where_none_is_named():
    assert {around.mode for around in SEEDS} == {None}
    rng = random.Random(1)
    assert len(collections.Counter(str(random_mode(rng)) for _ in range(200))) == 7
    assert all(around.mode for around in PERSONALITIES.values())


def test_only_the_channels_of_a_pressure_wait():
    assert set(Pressure("heavy", ("w",)).pauses(1)) == {"w"}
    assert set(Pressure("heavy").pauses(1)) == set(CHANNELS)
    assert Pressure().pauses(1) == {}
    frozen = Pressure("frozen", ("r",)).pauses(1)["r"]
    stalls = "".join("x" if next(frozen) else "." for _ in range(40_000)).split(".")
    assert max(map(len, stalls)) >= 1000
