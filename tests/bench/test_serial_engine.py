"""The engine with the serial bus side: the same benches, and what it keeps of the bandwidth of narrow memory."""

import dataclasses
import functools

import pytest

from cbit.config import NARROW, EngineConfig, preset
from cbit_sim.runner import simulate
from cbit_sim.soak import soak
from cbit_sim.surroundings import PERSONALITIES

COMPACT = preset("compact")

_LEAST = {"addr_width": 32, "c_bit": 31, "id_width": 2, "asid_count": 4, "key_ways": 4}

SMALL = dataclasses.replace(COMPACT, **_LEAST)
"""One that is soon built."""

UNUSUAL = dataclasses.replace(COMPACT, c_bit=44, id_width=3, asid_count=12, key_ways=12, key_bits=256, guarded=True)
"""Address bits above the C-bit, ASIDs that do not exist, long keys, and a guard."""

TINY = preset("tiny")
"""A round by columns, and all blocks in memory with one port."""

UNUSUAL_TINY = EngineConfig(**NARROW, c_bit=44, id_width=3, asid_count=12, key_bits=256, guarded=True)
"""The same, as unusual."""

CONFIG_NAMES = ["compact", "unusual", "tiny", "unusual tiny"]

CORNERS = ("bursts", "keys", "load", "meetings", "ordering", "policy", "registers", "shapes")
"""All but `pace`: there plain accesses pass encrypted ones within a cycle, which takes as many ways."""

NARROW_DRAM = {"dram_latency_cycles": 10, "dram_beat_cycles": 8}
"""SDRAM of 16 bits at the engine's clock."""

LEAST_RATIO = 0.95

_SEED = 40
_TRANSACTIONS = 2000


def _random_traffic(personality: str, transactions: int, config: EngineConfig) -> None:
    seed = _SEED + list(PERSONALITIES).index(personality)
    report = simulate("engine", "cbit_sim.benches.random_traffic", config=config,
                      parameters={"seed": seed, "transactions": transactions, "personality": personality})
    print(f"seed {seed}: {report['transactions']} transactions, {report['events']}")
    assert report["transactions"] >= transactions


@functools.cache
def _bandwidth() -> dict[str, dict[str, int]]:
    report = simulate("engine", "cbit_sim.benches.latency", config=SMALL, parameters={"bursts": 100, **NARROW_DRAM})
    bandwidth: dict[str, dict[str, int]] = report["bandwidth"]
    return bandwidth


def _ratio(kind: str) -> float:
    """To what DRAM gives, which the wire passes."""
    found = _bandwidth()[kind]
    return (NARROW_DRAM["dram_beat_cycles"] * (found["beats"] - 1) + 1) / found["cycles"]


@pytest.mark.parametrize("config", [SMALL, TINY], ids=["small", "tiny"])
@pytest.mark.parametrize("bench", ["smoke", "corners_ordering"])
def test_a_small_one(bench, config):
    simulate("engine", f"cbit_sim.benches.{bench}", config=config)


@pytest.mark.parametrize("config", [SMALL, TINY], ids=["small", "tiny"])
def test_random_traffic_of_a_small_one(config):
    _random_traffic("unordered", 500, config)


@pytest.mark.parametrize("kind", ["plain_read", "plain_write", "encrypted_read", "encrypted_write"])
def test_narrow_memory_is_kept_busy(kind):
    """Random lines of 64 bytes, the ASID another with each."""
    assert LEAST_RATIO <= _ratio(kind) <= 1.01


def test_both_directions_at_once_keep_half_duplex_memory_busy():
    assert _ratio("encrypted_mixed") >= LEAST_RATIO


@pytest.mark.slow
@pytest.mark.parametrize("config", [COMPACT, UNUSUAL, TINY, UNUSUAL_TINY], ids=CONFIG_NAMES)
@pytest.mark.parametrize("bench", ["power_on", *(f"corners_{name}" for name in CORNERS)])
def test_all_benches(bench, config):
    simulate("engine", f"cbit_sim.benches.{bench}", config=config)


@pytest.mark.slow
@pytest.mark.parametrize("config", [COMPACT, UNUSUAL, TINY, UNUSUAL_TINY], ids=CONFIG_NAMES)
@pytest.mark.parametrize("personality", PERSONALITIES)
def test_random_traffic(personality, config):
    _random_traffic(personality, _TRANSACTIONS, config)


@pytest.mark.slow
def test_a_soak():
    found = soak(SMALL, cycles=2_000_000, seed=1, phase_cycles=300_000, step_cycles=10_000)
    print(f"{found.bursts} bursts, {found.events}")
    assert (found.error, found.errors, found.kinds, found.cycles) == ("", 0, [], 2_000_000)
    assert found.events["retire"] + found.events["zeroize"] > 3
