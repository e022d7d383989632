"""The engine against the golden model, the protocol checker and an unkind DRAM."""

import dataclasses
import itertools
import shutil

import pytest

from cbit.config import DEFAULT_PRESET, PRESETS, EngineConfig, preset
from cbit_sim.runner import simulate
from cbit_sim.simulators import SIMULATORS
from cbit_sim.surroundings import PERSONALITIES

CORNERS = ("bursts", "keys", "load", "meetings", "ordering", "pace", "policy", "registers", "shapes")

DIRECT_UNROLLED = EngineConfig()
"""No registers between the steps, a block a cycle: the parameters' own defaults."""

DIRECT = dataclasses.replace(DIRECT_UNROLLED, unroll=2)
"""The same with two rounds of AES in each lane, which is soon built: the steps beside them are the same."""

PIPELINED = preset(DEFAULT_PRESET)
"""Registers between all steps, S-boxes in block RAM, and a block a cycle."""

PIPELINED_WRITES_UNROLLED = EngineConfig(pipelined_writes=True)
"""Reads without registers between the steps beside writes with them."""

PIPELINED_WRITES = dataclasses.replace(PIPELINED_WRITES_UNROLLED, unroll=2)

PIPELINES = {"none": DIRECT, "all": PIPELINED, "writes": PIPELINED_WRITES, "none, a block a cycle": DIRECT_UNROLLED,
             "writes, a block a cycle": PIPELINED_WRITES_UNROLLED}
"""Where there are registers between the steps."""

BETWEEN_DIRECTIONS = {"bursts", "load", "ordering", "stalled", "unordered"}
"""Benches and personalities in which it matters that reads have no registers where writes have them."""

UNUSUAL = EngineConfig(c_bit=44, id_width=2, asid_count=12, key_bits=256, data_unit_bytes=4096, max_outstanding=4)
"""Address bits above the C-bit, ASIDs that do not exist, few IDs, small tables, long keys and data units."""

GUARDED = dataclasses.replace(UNUSUAL, guarded=True)
"""The same, with shadows of registers: never one that is not as its register, from whatever both began with."""

NARROWEST = EngineConfig(addr_width=32, c_bit=31, id_width=1, asid_count=2, max_outstanding=8, duplex=False, unroll=1)
"""The least of all widths, and one round of AES for both directions."""

FEW_WAYS = EngineConfig(asid_count=24, key_ways=3, duplex=False, unroll=2)
"""Keys are expanded when an access wants them, more often than not in place of another's that is in use. One lane of
two rounds is soon built: how keys come and go is the same."""

FEW_WAYS_DUPLEX = EngineConfig(asid_count=24, key_ways=3)

FEW_WAYS_PIPELINED = dataclasses.replace(PIPELINED, asid_count=40, key_ways=2, guarded=True)

_FEW_WAYS_CONFIGS = [pytest.param(FEW_WAYS, id="one lane"),
                     pytest.param(FEW_WAYS_DUPLEX, id="duplex", marks=pytest.mark.slow),
                     pytest.param(FEW_WAYS_PIPELINED, id="pipelined", marks=pytest.mark.slow)]

_LEAST = {"addr_width": 32, "c_bit": 31, "id_width": 2, "asid_count": 4, "max_outstanding": 4}

WIDE = {width: EngineConfig(data_width=width, duplex=False, unroll=1, **_LEAST) for width in (256, 512)}
"""Two and four blocks a beat, in engines that are soon built."""

_DEEP = {**_LEAST, "max_outstanding": 32, "pipelined": True, "cycles_per_round": 2}

WIDE_PIPELINED = {256: EngineConfig(data_width=256, unroll=2, data_unit_bytes=4096, **_DEEP),
                  512: EngineConfig(data_width=512, unroll=1, key_bits=256, key_ways=3, guarded=True, **_DEEP)}
"""The same with registers, as many bursts in flight as these need, two lanes, large data units, long keys, fewer ways
than keys, and a guard."""

_SEED = 20
_TRANSACTIONS = 10_000
_SOAK_TRANSACTIONS = 1_000_000


def _random_traffic(personality: str, transactions: int, seed: int, config: EngineConfig | None = None) -> None:
    report = simulate("engine", "cbit_sim.benches.random_traffic", config=config,
                      parameters={"seed": seed, "transactions": transactions, "personality": personality})
    print(f"seed {seed}: {report['transactions']} transactions, {report['events']}, "
          f"{report['cycles_per_second']} cycles/s")
    assert report["transactions"] >= transactions


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_smoke(simulator):
    if simulator == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("Icarus, the second simulator, is not installed: apt install iverilog")
    assert simulate("engine", "cbit_sim.benches.smoke", config=DIRECT, simulator=simulator)["transactions"] == 19


def _of_pipelines(kinds):
    """Each engine and kind of bench; what takes long to build, and what others show as well, is slow."""
    for (name, config), kind in itertools.product(PIPELINES.items(), kinds):
        takes_long = config in (DIRECT_UNROLLED, PIPELINED_WRITES_UNROLLED)
        is_shown = config == PIPELINED_WRITES and kind not in BETWEEN_DIRECTIONS
        marks = pytest.mark.slow if takes_long or is_shown else ()
        if kind != "pace" or not config.pipelined_writes:  # its cycles are those of an engine without registers
            yield pytest.param(config, kind, id=f"{name}-{kind}", marks=marks)


@pytest.mark.parametrize(("config", "bench"), [*_of_pipelines(CORNERS)])
def test_corners(config, bench):
    simulate("engine", f"cbit_sim.benches.corners_{bench}", config=config)


@pytest.mark.parametrize(("config", "personality"), [*_of_pipelines(PERSONALITIES)])
def test_random_traffic(config, personality):
    seed = _SEED + list(PERSONALITIES).index(personality)
    _random_traffic(personality, -(-_TRANSACTIONS // len(PERSONALITIES)), seed, config)


@pytest.mark.slow
@pytest.mark.parametrize("config", [pytest.param(UNUSUAL, id="unguarded"), pytest.param(GUARDED, id="guarded")])
def test_unusual_configuration(config):
    for bench in sorted({*CORNERS} - {"pace"}):  # its cycles are those of tables with room
        simulate("engine", f"cbit_sim.benches.corners_{bench}", config=config)
    for personality in ("swift", "unordered"):
        _random_traffic(personality, 1000, _SEED, config)


@pytest.mark.parametrize("config", _FEW_WAYS_CONFIGS[:2])
@pytest.mark.parametrize("bench", sorted({*CORNERS} - {"pace", "registers", "shapes"}))
def test_corners_with_fewer_ways_than_keys(bench, config):
    simulate("engine", f"cbit_sim.benches.corners_{bench}", config=config)


@pytest.mark.parametrize("config", _FEW_WAYS_CONFIGS)
@pytest.mark.parametrize("personality", ["swift", "unordered", "stalled"])
def test_random_traffic_with_fewer_ways_than_keys(personality, config):
    _random_traffic(personality, 1000, _SEED, config)


_WIDE_CONFIGS = [pytest.param(config, id=f"{kind}{width}")
                 for kind, configs in (("", WIDE), ("pipelined ", WIDE_PIPELINED)) for width, config in configs.items()]


@pytest.mark.slow
@pytest.mark.parametrize("config", _WIDE_CONFIGS)
def test_smoke_of_wide_buses(config):
    assert simulate("engine", "cbit_sim.benches.smoke", config=config)["transactions"] == 19


@pytest.mark.slow
@pytest.mark.parametrize("bench", sorted({*CORNERS} - {"meetings", "pace", "shapes"}))  # those are of blocks as wide
@pytest.mark.parametrize("config", _WIDE_CONFIGS)
def test_corners_of_wide_buses(config, bench):
    simulate("engine", f"cbit_sim.benches.corners_{bench}", config=config)


@pytest.mark.slow
@pytest.mark.parametrize("personality", PERSONALITIES)
@pytest.mark.parametrize("config", _WIDE_CONFIGS)
def test_random_traffic_of_wide_buses(config, personality):
    _random_traffic(personality, 2000, _SEED + list(PERSONALITIES).index(personality), config)


@pytest.mark.slow
@pytest.mark.parametrize("personality", PERSONALITIES)
@pytest.mark.parametrize("config", [pytest.param(UNUSUAL, id="unusual"), pytest.param(NARROWEST, id="narrowest")])
def test_random_traffic_of_unusual_configurations(config, personality):
    _random_traffic(personality, 5000, _SEED, config)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_presets(name):
    config = PRESETS[name][1]
    for bench in sorted({*CORNERS} - ({"pace"} if config.pipelined_writes or config.serial else set())):
        simulate("engine", f"cbit_sim.benches.corners_{bench}", config=config)
    for personality in ("unordered", "stalled"):
        _random_traffic(personality, 2000, _SEED, config)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(60))
def test_a_million_transactions(part):
    personality = list(PERSONALITIES)[part % len(PERSONALITIES)]
    _random_traffic(personality, _SOAK_TRANSACTIONS // 60 + 1, 1000 + part)
